// Workers that delegate parts of their tasks, in the real OpenCode.

import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import test, { after } from "node:test"
import { missionWhere } from "./support/project.mjs"
import { atGate, ended, gate, improvise, longTest, openGate, small, Stage, there, toolResults } from "./support/story.mjs"

/** @typedef {import("./support/story.mjs").Project} Project */
/** @typedef {import("./support/story.mjs").Answer} Answer */

const stage = new Stage()
after(() => stage.stop())

/** @param {string} name @param {any} args */
const one = (name, args) => ({ name, args })
/** @param {...{name: string, args: any}} calls @returns {Answer} */
const calls = (...calls) => ({ calls })

/** The first answers of each Worker, by task; after these the scenario's own. @param {Project} project @param {Record<string, Answer[]>} first */
function workersSay(project, first) {
  improvise(project, (turn) => (turn.role === "worker" ? first[turn.task ?? ""]?.shift() : undefined))
}

/** What the Workers of delegated tasks do. @param {Record<string, string>} files by the tasks' titles */
const working = (files) =>
  Object.entries(files).map(([match, file]) => ({ match, files: { [file]: `by ${match}\n` }, summary: `Wrote ${file}`, verify: [] }))

/** @param {Project} project @param {string} tool @param {string} task */
const resultsOf = (project, tool, task) => toolResults(project, tool, (r) => r.task === task)

longTest("one slot is enough for parts of parts; what comes back is a summary; the depth has its limit", async (t) => {
  const scenario = small(["T1"], { fixes: working({ "The part": "part.txt", "The deep part": "deep.txt" }) })
  const { project, client } = await stage.story(t, { scenario })
  workersSay(project, {
    T1: [calls(one("delegate_task", { title: "The part", prompt: "Write part.txt", files: ["part.txt"] }))],
    "T1.1": [calls(one("delegate_task", { title: "The deep part", prompt: "Write deep.txt" }))],
    "T1.1.1": [calls(one("delegate_task", { title: "Too deep", prompt: "Write more" }))],
  })
  const session = await client.createSession()
  await client.command(session.id, "task", `--parallel 1 ${scenario.objective}`)
  const mission = await ended(project, "sealed")
  assert.equal(mission.metrics.sessions_peak, 1)
  assert.deepEqual(
    mission.tasks.map((/** @type {any} */ x) => [x.id, x.parent, x.status]),
    [
      ["T1", "", "done"],
      ["T1.1", "T1", "done"],
      ["T1.1.1", "T1.1", "done"],
    ],
  )
  assert.match(resultsOf(project, "delegate_task", "T1")[0], /^T1\.1 The part is done\.\nWrote part\.txt\nFiles: .*part\.txt/)
  assert.match(resultsOf(project, "delegate_task", "T1.1")[0], /^T1\.1\.1 The deep part is done\./)
  assert.match(resultsOf(project, "delegate_task", "T1.1.1")[0], /limits\.depth is 2/)
  assert.equal(readFileSync(join(project.dir, "deep.txt"), "utf8"), "by The deep part\n")
  assert.deepEqual(mission.tasks[0].progress.touched.sort(), ["T1.txt", "deep.txt", "part.txt"])
})

test("two parts in one answer, one in the background, one cancelled: all are seen, and none is forgotten", async (t) => {
  const files = { "Part a": "a.txt", "Part b": "b.txt", "Part c": "c.txt", "Part d": "d.txt" }
  const scenario = small(["T1"], { fixes: working(files) })
  const { project, client } = await stage.story(t, { scenario })
  const part = (/** @type {string} */ name, background = false) =>
    one("delegate_task", { title: `Part ${name}`, prompt: `Write ${name}.txt`, background })
  workersSay(project, {
    T1: [
      calls(part("a"), part("b")),
      calls(part("c", true)),
      calls(one("submit_work", { summary: "early", files: [] })),
      calls(one("get_task_result", { task: "T1.3" })),
      calls(part("d", true)),
      calls(one("cancel_task", { task: "T1.4", reason: "it is not needed" })),
      calls(one("list_tasks", {}), one("list_tasks", { status: "dropped" }), one("list_tasks", { status: "lost" })),
    ],
  })
  const session = await client.createSession()
  await client.command(session.id, "task", scenario.objective)
  const mission = await ended(project, "sealed")
  const delegated = resultsOf(project, "delegate_task", "T1")
  assert.match(delegated[0], /^T1\.1 Part a is done\.\nWrote a\.txt/)
  assert.match(delegated[1], /^T1\.2 Part b is done\.\nWrote b\.txt/)
  assert.match(delegated[2], /^T1\.3 goes on in the background/)
  assert.match(resultsOf(project, "submit_work", "T1")[0], /delegated task T1\.3 is \w+: wait for it with get_task_result/)
  assert.match(resultsOf(project, "get_task_result", "T1")[0], /^T1\.3 Part c is done\./)
  assert.match(resultsOf(project, "cancel_task", "T1")[0], /^T1\.4 \w+ -> dropped$/)
  const lists = resultsOf(project, "list_tasks", "T1")
  assert.match(lists[0], /- T1 File T1: running[^]*- T1\.1 Part a: done[^]*- T1\.4 Part d: dropped/)
  assert.match(lists[1], /^- T1\.4 Part d: dropped( \(\d+ ktok\))? – cancelled: it is not needed\n?$/)
  assert.match(lists[2], /^There is no such status, so all tasks are listed\. Status is one of pending, [^]*- T1\.4 Part d: dropped/)
  assert.equal(mission.tasks.find((/** @type {any} */ x) => x.id === "T1.4").status, "dropped")
  assert.equal(there(project, "d.txt"), false)
})

test("the Commander delegates one more task when the user asks for it, and gets its result", async (t) => {
  const scenario = { ...small(["T1"], { fixes: working({ "One more": "more.txt" }) }), seed: { ".gitignore": "*.at\n*.open\n" } }
  const { project, client } = await stage.story(t, { scenario })
  workersSay(project, { T1: [calls(one("bash", { command: gate("worker"), description: "Wait" }))] })
  /** @type {Answer[]} */
  const delegated = []
  improvise(project, (turn) => (turn.role === "commander" ? delegated.shift() : undefined))
  const session = await client.createSession()
  const done = client.command(session.id, "task", scenario.objective)
  await atGate(project, "worker")
  delegated.push(calls(one("delegate_task", { title: "One more", prompt: "Write more.txt", files: ["more.txt"] })))
  await client.promptAsync(session.id, "Add one more.", { agent: "commander" })
  await missionWhere(project, (m) => m.tasks?.some((/** @type {any} */ x) => x.id === "D1" && x.status === "done"))
  openGate(project, "worker")
  await done
  await ended(project, "sealed")
  const [result] = toolResults(project, "delegate_task", (r) => r.role === "commander")
  assert.match(result, /^D1 One more is done\.\nWrote more\.txt/)
})
