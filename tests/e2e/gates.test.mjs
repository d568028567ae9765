// The gates between an edit and the seal, in the real OpenCode: a write's syntax errors in its own output; a run that proves
// nothing; an early review; lies.

import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import test, { after } from "node:test"
import { lyingMission } from "./support/lies.mjs"
import { asked, atGate, ended, gate, improvise, longTest, openGate, small, Stage, storedResults, toolResults, until, userTexts } from "./support/story.mjs"

/** @typedef {import("./support/story.mjs").Answer} Answer */

const stage = new Stage()
after(() => stage.stop())

/** @param {string} name @param {any} args @returns {Answer} */
const call = (name, args) => ({ calls: [{ name, args }] })

test("what a write breaks is in that write's own output, and is gone when it is fixed", async (t) => {
  const scenario = small(["T1"])
  const files = ["a.js", "b.js", "notes.txt"]
  scenario.plan.tasks[0] = { ...scenario.plan.tasks[0], files, verify: ["true"] }
  scenario.plan.verify = ["true"]
  const { project, client } = await stage.story(t, { scenario, files: { "b.js": "let old = ;\nlet b = 1\n" } })
  const path = (/** @type {string} */ name) => join(project.dir, name)
  const script = [
    call("write", { filePath: path("a.js"), content: "export const a = 1\nexport const b = = 2\n" }),
    call("edit", { filePath: path("a.js"), oldString: "= = 2", newString: "= 2" }),
    call("read", { filePath: path("b.js") }),
    call("edit", { filePath: path("b.js"), oldString: "let b = 1", newString: "let b = 2" }),
    call("edit", { filePath: path("b.js"), oldString: "let b = 2", newString: "let b = (2" }),
    call("edit", { filePath: path("b.js"), oldString: "let b = (2", newString: "let b = 2" }),
    call("write", { filePath: path("notes.txt"), content: "one" }),
    call("write", { filePath: path("notes.txt"), content: "two" }),
    call("submit_work", { task: "T1", summary: "done", files }),
  ]
  improvise(project, (turn) => (turn.role === "worker" ? script.shift() : undefined))
  const session = await client.createSession()
  await client.command(session.id, "task", scenario.objective)
  await ended(project, "sealed")
  const writes = toolResults(project, "write")
  assert.match(writes[0] ?? "", /added syntax errors:\na\.js:2:\d+: syntax error.* in: export const b = = 2\nFix them now/)
  const edits = toolResults(project, "edit")
  assert.equal(edits.length, 4)
  for (const quiet of [0, 1, 3]) assert.doesNotMatch(edits[quiet] ?? "", /parse/, `edit ${quiet}`)
  assert.match(edits[2] ?? "", /added syntax errors:\nb\.js:2:/)
  assert.doesNotMatch(edits[2] ?? "", /let old/, "what was wrong before the mission is not held against it")
  assert.match(writes[1] ?? "", /notes\.txt not checked: no grammar/)
  assert.doesNotMatch(writes[2] ?? "", /not checked/, "said once")
})

test("a run during which a vouched file changed proves nothing; the next one does", async (t) => {
  const verify = `${gate("run")}; test -s T1.txt`
  const scenario = small(["T1"], { verify: ["test -s T1.txt"] })
  scenario.plan.tasks[0] = { ...scenario.plan.tasks[0], verify: [verify] }
  const { project, client } = await stage.story(t, { scenario })
  const run = call("bash", { command: verify, description: "Run it" })
  const pass = call("submit_review", { task: "T1", verdict: "pass", findings: [], evidence: [] })
  const script = [run, pass, run, pass]
  improvise(project, (turn) => (turn.role === "reviewer" ? script.shift() : undefined))
  const session = await client.createSession()
  const command = client.command(session.id, "task", scenario.objective)
  await atGate(project, "run")
  writeFileSync(join(project.dir, "T1.txt"), "the user was here\n")
  openGate(project, "run")
  await command
  const state = await ended(project, "sealed")
  const reviews = await storedResults(client, state, "submit_review", "reviewer")
  assert.match(reviews[0] ?? "", /proves nothing: the task's files changed while it ran\. Run it again/)
  assert.match(reviews[1] ?? "", /T1 passed/)
  assert.equal(reviews.length, 2)
  const [proof] = state.tasks[0].review.proofs
  assert.equal(proof.command, verify)
  assert.match(proof.receipt, /^[0-9a-f]{64}$/)
  assert.match(state.receipt_head, /^[0-9a-f]{64}$/)
  assert.equal(readFileSync(join(project.dir, "T1.txt"), "utf8"), "the user was here\n")
})

test('review.shadow "file": a Reviewer looks at the finished file, and the Worker reads its notes while it works', async (t) => {
  const scenario = small(["T1"])
  scenario.plan.tasks[0] = { ...scenario.plan.tasks[0], files: ["a.txt", "T1.txt"] }
  const { project, client } = await stage.story(t, { scenario, orchestrator: { review: { shadow: "file" } } })
  const worker = [
    call("write", { filePath: join(project.dir, "a.txt"), content: "a\n" }),
    call("write", { filePath: join(project.dir, "T1.txt"), content: "b\n" }),
    call("bash", { command: gate("work"), description: "Work on" }),
    call("submit_work", { task: "T1", summary: "done", files: ["a.txt", "T1.txt"] }),
  ]
  const finding = { file: "a.txt", line: 1, severity: "warning", message: "an a is not enough" }
  const reviewer = [call("submit_review", { task: "T1", verdict: "reject", findings: [finding], evidence: [] })]
  improvise(project, (turn) => (turn.role === "worker" ? worker.shift() : turn.role === "reviewer" ? reviewer.shift() : undefined))
  const session = await client.createSession()
  const command = client.command(session.id, "task", scenario.objective)
  await atGate(project, "work")
  const looked = (/** @type {any} */ m) =>
    m?.sessions.some((/** @type {any} */ s) => s.role === "reviewer" && s.lease.early_review && s.state === "idle")
  await until(async () => looked(await project.mission()), "the end of an early review")
  openGate(project, "work")
  await command
  const state = await ended(project, "sealed")
  const notes = asked(project, (r) => r.role === "worker").flatMap(userTexts).filter((text) => /looked at what you have finished/.test(text))
  assert.match(notes[0] ?? "", /a\.txt:1: an a is not enough/)
  const reviewers = state.sessions.filter((/** @type {any} */ s) => s.role === "reviewer")
  assert.equal(reviewers.length, 1, "the review came in the same session")
  assert.equal(state.tasks[0].review.rejections, 0)
  assert.equal(state.tasks[0].attempt, 1)
})

for (const [seed, tell] of /** @type {[number, typeof longTest][]} */ ([[1, test], [2, longTest], [3, longTest]]))
  tell(`lying models, seed ${seed}: every lie is refused, and the seal is true`, (t) => lyingMission(t, stage, seed))
