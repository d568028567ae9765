// The mission's files are removed or overwritten, while it runs and while its process is dead.

import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import test from "node:test"
import { kCheckout, missionWhere, projectFor } from "./support/project.mjs"
import { asked, atGate, gate, longTest, openGate, said, small } from "./support/story.mjs"

/** @typedef {import("./support/story.mjs").Project} Project */

/** Two tasks in a row; the second waits at a gate. */
function gated() {
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
  return scenario
}

/** @param {import("node:test").TestContext} t */
async function standing(t) {
  const scenario = gated()
  const project = await projectFor(t, { scenario, keepBodies: true, snapshot: false })
  const first = project.spawnOpencode({ args: ["run", "--command", "task", scenario.objective], timeoutMs: 120_000 })
  await atGate(project, "g")
  const running = await missionWhere(project, (m) => m.tasks[0]?.status === "done" && m.tasks[1].status === "running")
  return { project, first, running }
}

/** @param {Project} project @param {string} [name] */
const state = (project, name = "") => join(project.dir, ".opencode", name)
/** @param {Project} project @param {string} mission */
const log = (project, mission) => state(project, `orchestrator/${mission}.wal`)
/** @param {Project} project */
const engineLog = (project) => readFileSync(state(project, "orchestrator/engine.log"), "utf8")
/** @param {Project} project */
const keptAside = (project) =>
  [...readdirSync(state(project)), ...readdirSync(state(project, "orchestrator"))].filter((name) => name.includes(".damaged-"))

/** @param {string} wal @param {string[]} more */
const check = (wal, ...more) =>
  spawnSync(process.execPath, [join(kCheckout, "js/cli/main.mjs"), "replay", wal, "--check", ...more], { encoding: "utf8" })

/** What was done before the harm is not done again. @param {Project} project */
const workersOf = (project, task = "T1") => new Set(asked(project, (r) => r.role === "worker" && r.task === task).map((r) => r.session)).size

longTest("snapshot, todo.md and log removed or overwritten while it runs: it seals, and everything is there again", async (t) => {
  const { project, first, running } = await standing(t)
  const wal = log(project, running.mission)
  writeFileSync(state(project, "mission_loop.json"), "garbage")
  rmSync(state(project, "todo.md"))
  rmSync(wal)
  openGate(project, "g")
  const ended = await first.ended
  assert.equal(ended.code, 0, said(ended))
  const mission = await project.mission()
  assert.equal(mission.phase, "sealed", said(ended))
  assert.equal(mission.mission, running.mission)
  assert.match(readFileSync(state(project, "todo.md"), "utf8"), /- \[x\] T2/)
  assert.equal(keptAside(project).length, 1)
  assert.match(engineLog(project), /mission_loop\.json was changed by another program; it is kept as/)
  assert.match(engineLog(project), /todo\.md was removed/)
  assert.match(engineLog(project), /\.wal was removed; a new one begins with the whole state/)
  assert.equal(workersOf(project), 1)
  const proof = check(wal)
  assert.equal(proof.status, 0, proof.stdout + proof.stderr)
})

longTest("a mission's log proves itself when it is over", async (t) => {
  const scenario = small(["T1", "T2"])
  const project = await projectFor(t, { scenario, snapshot: false })
  const ended = await project.runOpencode({ args: ["run", "--command", "task", scenario.objective] })
  const mission = await project.mission()
  assert.equal(mission?.phase, "sealed", said(ended))
  const proof = check(log(project, mission.mission), "--json")
  assert.equal(proof.status, 0, proof.stdout + proof.stderr)
  const data = JSON.parse(proof.stdout)
  assert.equal(data.events, mission.last_seq)
  assert.equal(data.witnesses, data.events)
  assert.equal(data.snapshot_seq, mission.last_seq)
  assert.deepEqual(keptAside(project), [])
})

for (const [harm, spoil] of /** @type {[string, (project: Project, mission: string) => void][]} */ ([
  ["the snapshot is gone", (project) => rmSync(state(project, "mission_loop.json"))],
  ["the snapshot is garbage", (project) => writeFileSync(state(project, "mission_loop.json"), "{ garbage")],
  [
    "the log's middle is damaged",
    (project, mission) => {
      const bytes = readFileSync(log(project, mission))
      bytes[bytes.length >> 1] ^= 0xff
      writeFileSync(log(project, mission), bytes)
    },
  ],
])) {
  const tell = harm.startsWith("the log") ? test : longTest
  tell(`killed, and then ${harm}: /resume goes on, and what was done stays done`, async (t) => {
    const { project, first, running } = await standing(t)
    first.kill("SIGKILL")
    await first.ended
    openGate(project, "g")
    spoil(project, running.mission)
    const ended = await project.runOpencode({ args: ["run", "--command", "resume"] })
    assert.equal(ended.code, 0, said(ended))
    const mission = await project.mission()
    assert.equal(mission?.phase, "sealed", said(ended))
    assert.equal(mission.mission, running.mission)
    assert.equal(workersOf(project), 1, "T1 is not done again")
    assert.equal(keptAside(project).length, harm.endsWith("gone") ? 0 : 1)
    assert.match(engineLog(project), /goes on from event|rewritten from the log/)
  })
}

longTest("files of a newer version are refused with a sentence and left untouched", async (t) => {
  const { project, first, running } = await standing(t)
  first.kill("SIGKILL")
  await first.ended
  openGate(project, "g")
  const text = JSON.stringify({ ...running, schema: 99 })
  writeFileSync(state(project, "mission_loop.json"), text)
  const before = readFileSync(log(project, running.mission))
  for (const args of [["resume"], ["task", "Another one"]]) {
    const ended = await project.runOpencode({ args: ["run", "--command", ...args] })
    assert.equal(ended.code, 1, said(ended))
    assert.match(ended.stdout + ended.stderr, /schema 99 is newer than this program's/)
  }
  assert.equal(readFileSync(state(project, "mission_loop.json"), "utf8"), text)
  assert.deepEqual(readFileSync(log(project, running.mission)), before)
  assert.ok(existsSync(log(project, running.mission)))
  assert.deepEqual(keptAside(project), [])
})
