// Models that answer wrongly, dishonestly or oddly: what is refused, with which words, and that the mission seals once
// they do it right.

import assert from "node:assert/strict"
import { existsSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import test, { after } from "node:test"
import { asked, ended, improvise, longTest, small, Stage, storedResults, there, toolResults } from "./support/story.mjs"

/** @typedef {import("./support/story.mjs").Project} Project */
/** @typedef {import("./support/story.mjs").Answer} Answer */

const stage = new Stage()
after(() => stage.stop())

/** @param {string} name @param {any} args @returns {Answer} */
const call = (name, args) => ({ calls: [{ name, args }] })
/** @param {string} command @returns {Answer} */
const bash = (command) => call("bash", { command, description: "Run it" })

/**
 * Answers of one role in order, first to last; after these the scenario's own.
 * @param {Project} project @param {(turn: import("./support/story.mjs").Turn) => boolean} which @param {Answer[]} answers
 */
function sayFirst(project, which, answers) {
  const left = [...answers]
  improvise(project, (turn) => (turn.role !== "title" && which(turn) ? left.shift() : undefined))
  return left
}

/** @param {import("node:test").TestContext} t @param {any} scenario @param {(project: Project) => void} [prepare] */
async function mission(t, scenario, prepare) {
  const { project, client } = await stage.story(t, { scenario })
  prepare?.(project)
  const session = await client.createSession()
  await client.command(session.id, "task", scenario.objective)
  return { project, client, session, state: await ended(project, "sealed") }
}

/** @param {string} id @param {any} [more] */
const task = (id, more) => ({
  id,
  title: `File ${id}`,
  description: `Write ${id}.txt`,
  files: [`${id}.txt`],
  verify: [`test -s ${id}.txt`],
  ...more,
})
const goodPlan = { summary: "One file.", verify: ["test -s T1.txt"], tasks: [task("T1")] }

longTest("arguments of wrong types: all problems at once, nothing changes, and the right call passes", async (t) => {
  const plans = [
    { summary: 5, verify: "npm test", tasks: "x" },
    null,
    {
      summary: "s",
      verify: [],
      tasks: [task("T1", { title: 5, titel: "y", files: "a.js", deps: [7] }), 12, null],
      colour: "red",
    },
    { summary: "s", verify: ["true"], tasks: [] },
    {
      summary: "s",
      verify: ["true"],
      tasks: [
        task("T 1"),
        task("T1", { files: ["/etc/passwd", "../up.txt"] }),
        task("T1"),
        task("T2", { deps: ["T2"], agent: "wroker" }),
        task("T4", { deps: ["T44"] }),
      ],
    },
  ]
  const { project } = await mission(t, small(["T1"], { plan: goodPlan }), (p) => {
    sayFirst(p, (turn) => turn.role === "commander", [
      ...plans.map((args) => call("submit_plan", args)),
      call("submit_plan", goodPlan),
      call("mission_run", { acceptance: "all", verify: [5], note: "x" }),
      call("update_todo", { id: 5, status: "finished", add: "new" }),
      call("update_todo", { id: "T9", status: "done" }),
    ])
    sayFirst(p, (turn) => turn.role === "worker", [
      call("submit_work", { task: 1, summary: null, files: "T1.txt", evidence: { command: "x" }, more: 1 }),
      call("submit_work", { task: "T2", summary: "s", files: ["/etc/passwd"] }),
    ])
    sayFirst(p, (turn) => turn.role === "reviewer", [
      call("submit_review", {
        task: "T1",
        verdict: "fail",
        findings: "none",
        evidence: [{ command: 3, exit_code: "0" }],
      }),
      call("submit_review", {
        task: "T1",
        verdict: "reject",
        findings: [{ severity: "fatal", message: 4, line: "x" }],
        evidence: [],
      }),
      call("submit_review", { task: "T1", verdict: "reject", findings: [], evidence: [] }),
      call("submit_review", {}),
    ])
  })
  const has = (/** @type {string} */ text, /** @type {RegExp[]} */ parts) =>
    parts.forEach((part) => assert.match(text, part))
  const refused = toolResults(project, "submit_plan")
  has(refused[0], [/summary: expected/, /verify: expected/, /tasks: expected/])
  assert.ok(refused[1])
  has(refused[2], [
    /tasks\[0\]\.title: expected .*5/,
    /tasks\[0\]\.titel.*title/,
    /tasks\[0\]\.files: expected/,
    /tasks\[0\]\.deps\[0\]: expected/,
    /tasks\[1\]: expected/,
    /tasks\[2\]/,
    /colour/,
  ])
  has(refused[3], [/tasks: (at least one|required)/])
  has(refused[4], [
    /"T 1" is no id/,
    /"\/etc\/passwd" is outside/,
    /"\.\.\/up\.txt" is outside/,
    /"T1" is used twice/,
    /"wroker".*worker/,
    /"T44".*T4/,
    /T2 -> T2/,
  ])
  const runs = toolResults(project, "mission_run")
  has(runs[0], [/acceptance: expected/, /verify\[0\]: expected/, /note.*notes/])
  const todos = toolResults(project, "update_todo")
  has(todos[0], [/id: expected/, /status/, /add: expected/])
  has(todos[1], [/no task "T9"/, /T1/])
  const works = toolResults(project, "submit_work")
  has(works[0], [/task: expected/, /files: expected/, /evidence: expected/, /more/])
  has(works[1], [/"T1", not "T2"/, /"\/etc\/passwd" is outside/])
  const reviews = toolResults(project, "submit_review", (r) => r.role === "reviewer")
  has(reviews[0], [
    /verdict.*"fail"/,
    /findings: expected/,
    /evidence\[0\]\.command: expected/,
    /evidence\[0\]\.exit_code: expected/,
  ])
  has(reviews[1], [/severity.*"fatal"/, /message: expected/, /line: expected/])
  has(reviews[2], [/a reject needs at least one/])
  has(reviews[3], [/verdict/])
})

test("evidence: a pass needs the Reviewer's own green run, newer than the files' last change", async (t) => {
  const verify = "test -s T1.txt"
  const pass = (/** @type {any[]} */ evidence = []) =>
    call("submit_review", { task: "T1", verdict: "pass", findings: [], evidence })
  const { client, state } = await mission(t, small(["T1"]), (p) => {
    sayFirst(p, (turn) => turn.role === "worker", [
      call("write", { filePath: join(p.dir, "T1.txt"), content: "one\n" }),
      call("submit_work", {
        task: "T1",
        summary: "Built",
        files: ["T1.txt"],
        evidence: [{ command: verify, exit_code: 0 }],
      }),
      bash("test -s nothing.txt"),
      call("submit_work", {
        task: "T1",
        summary: "Built",
        files: ["T1.txt"],
        evidence: [{ command: "test -s nothing.txt", exit_code: 0 }],
      }),
    ])
    sayFirst(p, (turn) => turn.role === "reviewer", [
      pass(),
      pass([{ command: verify, exit_code: 0 }]),
      bash(`${verify} && true`),
      pass(),
      bash(verify),
      bash("echo more >> T1.txt"),
      pass(),
      bash(verify),
      bash(`mv T1.txt gone; ${verify}`),
      bash(verify),
      bash("mv gone T1.txt"),
      pass(),
      call("submit_review", {
        task: "T1",
        verdict: "pass",
        findings: [{ severity: "error", message: "it is bad" }],
        evidence: [],
      }),
      bash(verify),
      call("submit_review", {
        verdict: "pass",
        findings: [{ severity: "note", message: "fine" }],
        evidence: [{ command: verify, exit_code: 0 }],
      }),
    ])
  })
  const works = await storedResults(client, state, "submit_work", "worker")
  assert.match(works[0], /no receipt of `test -s T1\.txt`.*run it/)
  assert.match(works[1], /ended with exit code 1, not 0/)
  const reviews = await storedResults(client, state, "submit_review", "reviewer")
  assert.match(reviews[0], /`test -s T1\.txt` has no receipt of this session: run it with bash, exactly as written/)
  assert.match(reviews[1], /no receipt of `test -s T1\.txt`/)
  assert.match(reviews[2], /has no receipt/)
  assert.match(reviews[3], /ran before the files last changed: run it again/)
  assert.match(reviews[4], /ended with exit code 1, and a pass needs 0/)
  assert.match(reviews[5], /is an error, and the verdict is pass: reject/)
  assert.match(reviews[6], /T1 passed/)
  assert.equal(reviews.length, 7)
  assert.deepEqual(
    state.tasks.map((/** @type {any} */ x) => [x.status, x.attempt]),
    [["done", 1]],
  )
})

test("the Master Review needs its own runs too, after the last change of any task's file", async (t) => {
  const pass = call("submit_review", { task: "mission", verdict: "pass", findings: [], evidence: [] })
  const { client, state } = await mission(t, small(["T1", "T2"]), (p) => {
    sayFirst(p, (turn) => turn.role === "master", [
      pass,
      bash("test -s T1.txt"),
      pass,
      bash("test -s T2.txt"),
      bash("echo changed >> T2.txt"),
      pass,
      call("submit_review", { task: "T1", verdict: "pass", findings: [], evidence: [] }),
      bash("test -s T1.txt"),
      bash("test -s T2.txt"),
      pass,
    ])
  })
  const reviews = await storedResults(client, state, "submit_review", "master-reviewer")
  assert.match(reviews[0], /`test -s T1\.txt`[\s\S]*`test -s T2\.txt`/)
  assert.match(reviews[1], /`test -s T2\.txt` has no receipt/)
  assert.doesNotMatch(reviews[1], /`test -s T1\.txt`/)
  assert.match(reviews[2], /ran before the files last changed/)
  assert.match(reviews[3], /this session holds "mission", not "T1"/)
  assert.match(reviews[4], /mission passed/)
})

test("a file with a syntax error that was not there before cannot pass", async (t) => {
  const scenario = small(["T1"], {
    plan: { ...goodPlan, tasks: [task("T1", { files: ["a.js"], verify: ["true"] })], verify: ["true"] },
    workers: {
      T1: { files: { "a.js": "export const a = (;\n" }, rework: { files: { "a.js": "export const a = 1\n" } } },
    },
  })
  const { project, state } = await mission(t, scenario, (p) => {
    sayFirst(p, (turn) => turn.role === "reviewer", [
      bash("true"),
      call("submit_review", { task: "T1", verdict: "pass", findings: [], evidence: [] }),
      call("submit_review", {
        task: "T1",
        verdict: "reject",
        findings: [{ file: "a.js", line: 1, severity: "error", message: "does not parse" }],
        evidence: [],
      }),
    ])
  })
  const [refused] = toolResults(project, "submit_review", (r) => r.role === "reviewer")
  assert.match(refused, /syntax error in a\.js:.*1/)
  assert.equal(state.tasks[0].attempt, 2)
})

test("answers in odd shapes: words before calls, many calls at once, everything twice", async (t) => {
  const scenario = small(["T1"])
  const { project, client, state } = await mission(t, scenario, (p) => {
    const submit = { name: "submit_work", args: { task: "T1", summary: "Built", files: ["T1.txt"] } }
    const verdict = { name: "submit_review", args: { task: "T1", verdict: "pass", findings: [], evidence: [] } }
    const write = { name: "write", args: { filePath: join(p.dir, "T1.txt"), content: "T1\n" } }
    sayFirst(p, (turn) => turn.role === "commander", [
      {
        text: "I will plan it and run it.",
        calls: [
          { name: "submit_plan", args: scenario.plan },
          { name: "mission_status", args: {} },
        ],
      },
      {
        text: "Now it runs.",
        calls: [
          { name: "mission_run", args: {} },
          { name: "mission_run", args: {} },
        ],
      },
    ])
    sayFirst(p, (turn) => turn.role === "worker", [
      { text: "I write and submit at once.", calls: [write] },
      { text: "Twice.", calls: [submit, submit] },
    ])
    sayFirst(p, (turn) => turn.role === "reviewer", [
      { text: "I judge before I look.", calls: [verdict] },
      { text: "Now I look.", calls: [{ name: "bash", args: { command: "test -s T1.txt", description: "d" } }] },
      { calls: [verdict, verdict] },
    ])
  })
  const works = await storedResults(client, state, "submit_work", "worker")
  // Calls of one answer run side by side: whichever comes first is taken, and only that one.
  const count = (/** @type {string[]} */ results, /** @type {RegExp} */ what) =>
    results.filter((r) => what.test(r)).length
  assert.deepEqual(
    [works.length, count(works, /Taken: T1/), count(works, /nothing to submit/)],
    [2, 1, 1],
    works.join("\n"),
  )
  const reviews = await storedResults(client, state, "submit_review", "reviewer")
  assert.match(reviews[0], /no receipt/)
  assert.deepEqual([reviews.length, count(reviews, /T1 passed/), count(reviews, /waits for no verdict/)], [3, 1, 1])
  assert.equal(state.metrics.rejections, 0)
  assert.equal(state.tasks[0].attempt, 1)
  assert.ok(toolResults(project, "mission_run").some((report) => /is sealed/.test(report)))
})

test("tools in the wrong hands do nothing", async (t) => {
  const { project } = await mission(t, small(["T1"]), (p) => {
    sayFirst(p, (turn) => turn.role === "worker", [
      call("update_todo", { id: "T1", status: "dropped" }),
      call("submit_plan", goodPlan),
      call("mission_run", {}),
      call("submit_review", { task: "T1", verdict: "pass", findings: [], evidence: [] }),
    ])
    sayFirst(p, (turn) => turn.role === "reviewer", [
      call("submit_work", { task: "T1", summary: "s", files: [] }),
      call("write", { filePath: join(p.dir, "T1.txt"), content: "the Reviewer was here" }),
    ])
  })
  assert.equal(readFileSync(join(project.dir, "T1.txt"), "utf8"), "T1\n")
})

// Each of the two Workers waits for the other: they must run side by side.
test("a Worker keeps to its files: not another running task's, not outside the project", async (t) => {
  const scenario = small(["T1", "T2"])
  const outside = join(tmpdir(), `orchestrator-e2e-${process.pid}.txt`)
  const { project, state } = await mission(t, scenario, (p) => {
    sayFirst(p, (turn) => turn.role === "worker" && turn.task === "T1", [
      bash("until test -e T2.at; do sleep 0.02; done"),
      call("write", { filePath: join(p.dir, "T2.txt"), content: "T1 was here" }),
      call("write", { filePath: outside, content: "x" }),
      call("write", { filePath: join(p.dir, "../up.txt"), content: "x" }),
      call("write", { filePath: join(p.dir, "free.txt"), content: "free" }),
      bash("touch T1.tried"),
    ])
    sayFirst(p, (turn) => turn.role === "worker" && turn.task === "T2", [
      bash("touch T2.at; until test -e T1.tried; do sleep 0.02; done"),
      call("write", { filePath: join(p.dir, "free.txt"), content: "T2 was here" }),
      call("write", { filePath: join(p.dir, "T1.txt"), content: "T2 was here" }),
    ])
  })
  const first = toolResults(project, "write", (r) => r.task === "T1")
  assert.match(first[0], /T2\.txt belongs to task T2 \(File T2\)/)
  assert.match(first[1], /outside the project/)
  assert.match(first[2], /outside the project/)
  assert.match(first[3], /success/i)
  const second = toolResults(project, "write", (r) => r.task === "T2")
  for (const [i, file] of ["free.txt", "T1.txt"].entries())
    assert.match(second[i], new RegExp(`${file.replace(".", "\\.")} belongs to task T1`))
  assert.ok(!there(project, "../up.txt") && !existsSync(outside))
  assert.equal(readFileSync(join(project.dir, "free.txt"), "utf8"), "free")
  assert.deepEqual(
    state.tasks.map((/** @type {any} */ x) => x.status),
    ["done", "done"],
  )
  assert.ok(asked(project).every((r) => !r.fault))
})
