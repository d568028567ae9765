// `opencode run` where things go wrong: it blocks, it is killed, the Commander never begins, a new process goes on.

import assert from "node:assert/strict"
import test from "node:test"
import { missionWhere, projectFor } from "./support/project.mjs"
import {
  asked,
  atGate,
  gate,
  improvise,
  longTest,
  openGate,
  ourFiles,
  said,
  small,
  systemText,
  there,
  toolResults,
  userTexts,
} from "./support/story.mjs"

/** @typedef {import("./support/story.mjs").Project} Project */

/** @param {Project} project @param {string} command @param {string[]} args */
const run = (project, command, ...args) =>
  project.runOpencode({ args: ["run", "--print-logs", "--log-level", "WARN", "--command", command, ...args] })

/** @param {Project} project @param {string} role @param {string} [task] */
const sessionsOf = (project, role, task) => [
  ...new Set(asked(project, (r) => r.role === role && (!task || r.task === task)).map((r) => r.session)),
]

longTest("a task that is always rejected blocks the mission with the reason; a new process resumes it", async (t) => {
  const reject = (/** @type {string} */ message) => ({
    verdict: /** @type {const} */ ("reject"),
    findings: [{ severity: /** @type {const} */ ("error"), message }],
  })
  const scenario = small(["T1", "T2"], { reviews: { T2: [reject("not good"), reject("still not good")] } })
  const project = await projectFor(t, {
    scenario,
    keepBodies: true,
    snapshot: false,
    orchestrator: { limits: { attempts: 2 } },
  })
  const first = await run(project, "task", scenario.objective)
  assert.equal(first.code, 0, said(first))
  const blocked = await project.mission()
  assert.equal(blocked.phase, "blocked", said(first))
  assert.match(blocked.reason, /T2[\s\S]*attempt 2 of 2: still not good/)
  assert.deepEqual(
    blocked.tasks.map((/** @type {any} */ x) => x.status),
    ["done", "blocked"],
  )
  const [report] = toolResults(project, "mission_run")
  assert.match(report, /is blocked[\s\S]*still not good[\s\S]*\/resume/)

  const before = asked(project).length
  const second = await run(project, "resume")
  assert.equal(second.code, 0, said(second))
  const mission = await project.mission()
  assert.equal(mission.phase, "sealed", said(second))
  assert.equal(mission.mission, blocked.mission)
  const after = asked(project).slice(before)
  assert.deepEqual(
    after.filter((r) => r.task === "T1"),
    [],
    "what was done is not done again",
  )
  // The roles are there again in the new process.
  for (const [role, words] of Object.entries({
    commander: /Do not end your turn before the mission is sealed/,
    worker: /submit_work/,
    reviewer: /Judge one submitted task/,
    master: /verify the whole, end to end/,
  })) {
    const request = after.find((r) => r.role === role)
    assert.ok(request, `a request of ${role}`)
    assert.match(systemText(request), words, role)
  }
})

test("kill -9 in the middle, then resume: it seals, in the same sessions, and nothing is done twice", async (t) => {
  const scenario = small(["T1", "T2"], {
    workers: {
      T1: { files: { "T1.txt": "1" } },
      T2: {
        calls: [{ tool: "bash", args: { command: gate("g"), description: "Wait" }, tries: 1 }],
        files: { "T2.txt": "2" },
      },
    },
  })
  scenario.plan.tasks[1].deps = ["T1"]
  const project = await projectFor(t, { scenario, keepBodies: true, snapshot: false })
  const first = project.spawnOpencode({ args: ["run", "--command", "task", scenario.objective] })
  await atGate(project, "g")
  const running = await missionWhere(project, (m) => m.tasks[0]?.status === "done" && m.tasks[1].status === "running")
  first.kill("SIGKILL")
  await first.ended
  openGate(project, "g")
  const killed = asked(project).length

  const status = await run(project, "mission")
  assert.equal(status.code, 0, said(status))
  assert.ok(
    asked(project)
      .slice(killed)
      .some((r) => userTexts(r).some((text) => text.includes(running.mission))),
  )
  assert.equal((await project.mission()).phase, "executing", "a look does not wake it")

  const before = asked(project).length
  const second = await run(project, "resume")
  assert.equal(second.code, 0, said(second))
  const mission = await project.mission()
  assert.equal(mission.phase, "sealed", `${mission.reason} ${said(second)}`)
  assert.equal(mission.mission, running.mission)
  const after = asked(project).slice(before)
  assert.deepEqual(
    after.filter((r) => r.task === "T1"),
    [],
    "what was done is not done again",
  )
  assert.deepEqual(sessionsOf(project, "worker", "T2"), [running.tasks[1].session], "the Worker goes on in its session")
  assert.ok((await project.test()).ok)
})

longTest("a Commander that never calls mission_run, in `opencode run`: the process stays until the seal", async (t) => {
  const project = await projectFor(t, {
    scenario: small(["T1"], { commander: { early_stops: 99 } }),
    keepBodies: true,
    snapshot: false,
  })
  // Options of OpenCode may come before the verb.
  const ended = await project.runOpencode({
    args: ["--print-logs", "--log-level", "WARN", "run", "--command", "task", "Write it"],
  })
  assert.equal(ended.code, 0, said(ended))
  const mission = await project.mission()
  assert.equal(mission?.phase, "sealed", said(ended))
  const commander = asked(project, (r) => r.role === "commander")
  assert.ok(commander.length <= 8, `${commander.length} requests of the Commander`)
  for (const request of commander) assert.match(systemText(request), /You are the Commander/)
})

longTest("in run mode the objective arrives as it was written; a refusal is exit 1 with its sentence", async (t) => {
  const project = await projectFor(t, { scenario: small(["T1"]), keepBodies: true, snapshot: false })
  // Words before the call, in one answer: the turn has not ended, and the Commander is not sent back.
  improvise(project, (turn) =>
    turn.role === "commander" && turn.calls.length && !turn.calls.some((c) => c.name === "mission_run")
      ? { text: "Now I run it.", calls: [{ name: "mission_run", args: {} }] }
      : undefined,
  )
  const empty = await run(project, "task", "--", "--parallel 3")
  assert.equal(empty.code, 1, said(empty))
  assert.match(empty.stderr + empty.stdout, /the objective is empty/)
  const bad = await run(project, "task", "--", "--parallel none --time x build it --budget 500")
  assert.equal(bad.code, 1, said(bad))
  for (const part of [/--parallel none/, /--time x/, /--budget 5.?00/]) assert.match(bad.stderr + bad.stdout, part)
  assert.deepEqual(Object.keys(ourFiles(project)), [])
  assert.deepEqual(asked(project), [])

  const objective =
    'First "line" with \\ and \\" and `ticks`\n!`touch pwned` $HOME $1 ${x} 100% äöü 漢字 🚀\n\n- a list\'s item'
  const ended = await run(project, "task", "--", `--parallel 2 ${objective} --time 1h`)
  assert.equal(ended.code, 0, said(ended))
  const mission = await project.mission()
  assert.equal(mission?.phase, "sealed", said(ended))
  assert.equal(mission.objective, objective)
  const commander = asked(project, (r) => r.role === "commander")
  assert.deepEqual(userTexts(commander[0]), [objective])
  assert.ok(!there(project, "pwned"))
  assert.deepEqual(userTexts(/** @type {any} */ (commander.at(-1))), [objective], "the Commander was not sent back")
})
