// The shipped scenarios in `opencode run`, each to the seal, and what each must do on the way.

import assert from "node:assert/strict"
import test from "node:test"
import { projectFor } from "./support/project.mjs"
import { asked, longTest, ourFiles, said, systemText, there, todo, toolNames, toolResults, userTexts } from "./support/story.mjs"

/** @typedef {import("./support/story.mjs").Request} Request */

/** Runs a shipped scenario and checks what holds for each. @param {import("node:test").TestContext} t @param {string} scenario */
async function sealed(t, scenario) {
  const project = await projectFor(t, { scenario, keepBodies: true, snapshot: false })
  const run = await project.runTask()
  assert.equal(run.code, 0, said(run))
  const mission = await project.mission()
  assert.equal(mission?.phase, "sealed", `${mission?.reason}\n${said(run)}`)
  const built = await project.test()
  assert.ok(built.ok, built.output)

  assert.equal(mission.objective, project.scenario.objective)
  assert.equal(mission.schema, 2)
  for (const key of [
    "mission",
    "reason",
    "root_session",
    "iteration",
    "started_at",
    "updated_at",
    "last_seq",
    "budget",
    "metrics",
  ])
    assert.ok(key in mission, `mission_loop.json has no "${key}"`)
  for (const task of mission.tasks) {
    assert.equal(task.status, "done", task.id)
    for (const key of ["title", "agent", "attempt", "deps", "files", "session", "summary"]) assert.ok(key in task, key)
    assert.ok(task.session && task.summary, task.id)
    assert.match(todo(project), new RegExp(`^- \\[x\\] ${task.id.replace(".", "\\.")} `, "m"))
  }
  const files = ourFiles(project)
  assert.equal(files["orchestrator/.gitignore"], "*\n")
  assert.ok(files[`orchestrator/${mission.mission}.wal`])

  // The Commander's session is the user's own; every other role has sessions of its own below it.
  const children = asked(project, (r) => r.role !== "commander")
  assert.ok(children.every((r) => r.parent === mission.root_session))
  assert.ok(asked(project, (r) => r.role === "commander").every((r) => r.session === mission.root_session))
  const reviewers = asked(project, (r) => r.role === "reviewer")
  for (const session of new Set(reviewers.map((r) => r.session))) {
    const prompts = firstPrompts(project, session)
    assert.equal(prompts.length, 1, `Reviewer ${session} reviewed once: ${prompts}`)
  }
  return { project, mission, run }
}

/** First lines of what a session was prompted with. @param {import("./support/story.mjs").Project} project @param {string} session */
function firstPrompts(project, session) {
  const last = asked(project, (r) => r.session === session).at(-1)
  return last ? userTexts(last).map((text) => text.split("\n", 1)[0]) : []
}

/** @param {import("./support/story.mjs").Project} project @param {(r: Request) => boolean} which */
const sessionsOf = (project, which) => [...new Set(asked(project, which).map((r) => r.session))]

longTest("a library of six modules: a diamond of dependencies, side by side where they allow it", async (t) => {
  const { project, mission } = await sealed(t, "library")
  assert.equal(mission.iteration, 1)
  // Nothing starts before what it builds on is done; what need not wait does not.
  const begun = (/** @type {string} */ id) => asked(project, (r) => r.role === "worker" && r.task === id)[0].at
  const passed = (/** @type {string} */ id) =>
    asked(project, (r) => r.role === "reviewer" && r.task === id && r.answer.startsWith("submit_review")).at(-1)
      ?.ended_at ?? 0
  for (const task of mission.tasks)
    for (const dep of task.deps) assert.ok(begun(task.id) > passed(dep), `${dep} before ${task.id}`)

  // The first lines by which everybody knows the prompts.
  const lines = (/** @type {string} */ role) =>
    sessionsOf(project, (r) => r.role === role)
      .flatMap((session) => firstPrompts(project, session))
      .sort()
  const titles = project.scenario.plan.tasks.map((task) => `Task ${task.id}: ${task.title}`).sort()
  assert.deepEqual(lines("worker"), titles)
  assert.deepEqual(lines("reviewer"), titles)
  const [objective] = project.scenario.objective.split("\n", 1)
  assert.deepEqual(lines("planner"), [`Plan: ${objective}`])
  assert.deepEqual(lines("master"), [`Mission review: ${objective}`])

  // `/task` puts the objective, and nothing else, into the user's message.
  const first = asked(project, (r) => r.role === "commander")[0]
  assert.deepEqual(userTexts(first), [project.scenario.objective])
  assert.match(systemText(first), /You are the Commander/)
  assert.deepEqual(toolNames(first), [
    "ast_outline",
    "ast_search",
    "cancel_task",
    "delegate_task",
    "get_task_result",
    "glob",
    "grep",
    "list_tasks",
    "mission_run",
    "mission_status",
    "read",
    "submit_plan",
    "update_todo",
  ])
  const worker = asked(project, (r) => r.role === "worker")[0]
  assert.deepEqual(toolNames(worker), [
    "ast_outline",
    "ast_replace",
    "ast_search",
    "bash",
    "cancel_task",
    "delegate_task",
    "edit",
    "get_task_result",
    "glob",
    "grep",
    "list_tasks",
    "lsp_diagnostics",
    "mission_status",
    "read",
    "submit_work",
    "write",
  ])
  for (const role of ["reviewer", "master"]) {
    const request = asked(project, (r) => r.role === role)[0]
    const tools = ["ast_outline", "ast_search", "bash", "glob", "grep", "lsp_diagnostics", "mission_status", "read", "submit_review"]
    assert.deepEqual(toolNames(request), tools, role)
  }
  const [report] = toolResults(project, "mission_run")
  assert.match(report, /^Mission \S+ is sealed: 6\/6 tasks done/)
  assert.ok(Buffer.byteLength(report) <= 4096)
})

longTest("a rejected task goes back to the Worker that built it, with the findings", async (t) => {
  const { project, mission } = await sealed(t, "rejected-task")
  const [worker, ...others] = sessionsOf(project, (r) => r.role === "worker" && r.task === "T2")
  assert.deepEqual(others, [], "the rework is in the same session")
  assert.deepEqual(firstPrompts(project, worker), ["Task T2: Module slug", "Rework T2: Module slug"])
  const last = asked(project, (r) => r.session === worker).at(-1)
  assert.match(userTexts(/** @type {Request} */ (last))[1], /src\/slug\.js:4: slug\('a -- b!'\) gives several dashes/)
  assert.equal(sessionsOf(project, (r) => r.role === "reviewer" && r.task === "T2").length, 2)
  const task = mission.tasks.find((/** @type {any} */ x) => x.id === "T2")
  assert.deepEqual([task.attempt, task.session], [2, worker])
  assert.equal(mission.tasks.find((/** @type {any} */ x) => x.id === "T1").attempt, 1)
})

longTest("a failed master review: its findings become tasks of a second iteration", async (t) => {
  const { project, mission } = await sealed(t, "failed-master-review")
  assert.equal(mission.iteration, 2)
  const fixes = mission.tasks.filter((/** @type {any} */ x) => !["T1", "T2"].includes(x.id))
  assert.equal(fixes.length, 1)
  assert.match(fixes[0].title, /^roundTrip loses an escaped comma/)
  assert.deepEqual(fixes[0].files, ["src/join.js"])
  const masters = sessionsOf(project, (r) => r.role === "master")
  assert.equal(masters.length, 2, "each master review has a session of its own")
  const [again] = asked(project, (r) => r.session === masters[1])
  assert.match(userTexts(again)[0], /roundTrip loses an escaped comma/)
})

longTest("a plan with errors is refused with all of them at once, and nothing is kept of it", async (t) => {
  const { project, mission } = await sealed(t, "plan-with-errors")
  const [refused] = toolResults(project, "submit_plan")
  assert.match(refused, /"T2" is used twice/)
  assert.match(refused, /no task "T9"/)
  assert.match(refused, /T1 -> T2 -> T1|T2 -> T1 -> T2/)
  assert.deepEqual(
    mission.tasks.map((/** @type {any} */ x) => x.id),
    ["T1", "T2"],
  )
  assert.ok(!there(project, "src/other.js"))
})

test("a Commander that stops early is sent back, and `opencode run` does not end before the seal", async (t) => {
  const { project, mission } = await sealed(t, "early-stop")
  const commander = asked(project, (r) => r.role === "commander")
  for (const request of commander) assert.match(systemText(request), /You are the Commander/)
  const last = userTexts(/** @type {Request} */ (commander.at(-1)))
  assert.equal(last.length, 2)
  assert.match(last[1], /call mission_run now/)
  assert.equal(mission.metrics.continuations, 1)
})
