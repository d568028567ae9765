// Who may write what, in the real OpenCode: shells, persons, and Workers that want each other's files.

import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import test, { after } from "node:test"
import { missionWhere } from "./support/project.mjs"
import { asked, atGate, ended, gate, improvise, openGate, small, Stage, toolResults, userTexts } from "./support/story.mjs"

/** @typedef {import("./support/story.mjs").Project} Project */
/** @typedef {import("./support/story.mjs").Answer} Answer */

const stage = new Stage()
after(() => stage.stop())

/** @param {string} name @param {any} args @returns {Answer} */
const call = (name, args) => ({ calls: [{ name, args }] })
/** @param {string} command @returns {Answer} */
const bash = (command) => call("bash", { command, description: "Run it" })

/** The first answers of each Worker, by task; after these the scenario's own. @param {Project} project @param {Record<string, Answer[]>} first */
function workersSay(project, first) {
  improvise(project, (turn) => (turn.role === "worker" ? first[turn.task ?? ""]?.shift() : undefined))
}

test("a file that a Worker's shell writes is its task's; what a person changes is put before the Master Review", async (t) => {
  const scenario = { ...small(["T1"]), seed: { "NOTES.md": "# Notes\n", ".gitignore": "*.at\n*.open\n" } }
  const { project, client } = await stage.story(t, { scenario })
  workersSay(project, { T1: [bash("mkdir -p made && echo 1 > made/by-shell.txt"), bash(gate("worker"))] })
  const review = [bash(gate("reviewer"))]
  improvise(project, (turn) => (turn.role === "reviewer" ? review.shift() : undefined))
  const session = await client.createSession()
  const done = client.command(session.id, "task", scenario.objective)
  await atGate(project, "worker")
  openGate(project, "worker")
  await atGate(project, "reviewer")
  writeFileSync(join(project.dir, "NOTES.md"), "# Notes of a person, written meanwhile\n")
  openGate(project, "reviewer")
  await done
  const mission = await ended(project, "sealed")
  assert.deepEqual(mission.tasks[0].progress.touched.sort(), ["T1.txt", "made/by-shell.txt"])
  assert.deepEqual(
    mission.unattributed.map((/** @type {any} */ x) => x.path),
    ["NOTES.md"],
  )
  const master = asked(project, (r) => r.role === "master")
  assert.match(userTexts(master[0]).join("\n"), /no task's Worker wrote[^]*- NOTES\.md \(/)
})

test("two Workers that want each other's files: the later one is preempted, and no write is lost", async (t) => {
  const scenario = small(["T1", "T2"])
  const { project, client } = await stage.story(t, { scenario })
  const write = (/** @type {string} */ file, /** @type {string} */ content) =>
    call("write", { filePath: join(project.dir, file), content })
  workersSay(project, {
    T1: [
      bash("until test -e T2.ready; do sleep 0.02; done"),
      write("T2.txt", "T1 in T2\n"),
      bash("touch T1.refused; until test -e T2.gone; do sleep 0.02; done"),
      write("T2.txt", "T1 in T2\n"),
    ],
    T2: [bash("touch T2.ready; until test -e T1.refused; do sleep 0.02; done"), write("T1.txt", "T2 in T1\n")],
  })
  const session = await client.createSession()
  const done = client.command(session.id, "task", scenario.objective)
  await missionWhere(project, (m) => m.tasks?.[1]?.progress.preemptions === 1)
  writeFileSync(join(project.dir, "T2.gone"), "")
  await done
  const mission = await ended(project, "sealed")
  const writes = toolResults(project, "write", (r) => r.task === "T1")
  assert.match(writes[0], /T2\.txt belongs to task T2/)
  assert.match(writes[1], /success/i)
  assert.equal(mission.tasks[1].attempt, 1)
  const told = asked(project, (r) => r.role === "worker" && r.task === "T1").flatMap(userTexts).join("\n")
  assert.match(told, /T2 was preempted: you may write T2\.txt now/)
  // T2 came back when T1 had ended, and wrote its own file again.
  assert.equal(readFileSync(join(project.dir, "T2.txt"), "utf8"), "T2\n")
})
