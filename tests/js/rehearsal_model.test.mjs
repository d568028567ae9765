import assert from "node:assert/strict"
import test from "node:test"
import { startModel } from "../../js/rehearsal/model.mjs"
import { loadScenario, scenarioNames } from "../../js/rehearsal/scenario.mjs"
import { Session } from "./rehearsal_host.mjs"

const kPlannerTools = ["submit_plan", "recall"]
const kCommanderTools = ["mission_run", "submit_plan", "update_todo"]
const kWorkerTools = ["submit_work"]
const kReviewTools = ["submit_review"]

/** @param {import("node:test").TestContext} t @param {any} options */
async function modelFor(t, options) {
  const model = await startModel(options)
  t.after(() => model.stop())
  return model
}

test("every shipped scenario loads, and an unknown one names those that exist", async () => {
  const names = await scenarioNames()
  for (const name of names) assert.equal((await loadScenario(name)).name, name)
  for (const name of ["library", "rejected-task", "failed-master-review", "plan-with-errors", "early-stop"]) {
    assert.ok(names.includes(name))
  }
  await assert.rejects(loadScenario("nope"), /no scenario "nope"; there are: chain-6/)
})

test("a scenario with mistakes is refused with all of them", async () => {
  const bad = /** @type {any} */ ({ name: "x", objective: "y", plan: { tasks: [] }, workers: { T9: {} } })
  await assert.rejects(loadScenario(bad), /"title" must be.*"expect.phase" must.*no task T9/)
})

test("models are listed, and unknown paths are 404", async (t) => {
  const model = await modelFor(t, { scenario: "library" })
  const list = await (await fetch(`${model.baseURL}/models`)).json()
  assert.equal(list.data[0].id, "scripted")
  assert.equal((await fetch(`${model.baseURL}/embeddings`)).status, 404)
  const body = { method: "POST", body: "{" }
  assert.equal((await fetch(`${model.baseURL}/chat/completions`, body)).status, 400)
})

test("the planner reads, submits the scenario's plan, and ends with text", async (t) => {
  const model = await modelFor(t, { scenario: "library" })
  const planner = new Session(model, { tools: kPlannerTools })
  const text = await planner.turn("Plan: build a library\n\nMore.")
  assert.deepEqual(planner.names, ["read", "submit_plan"])
  assert.deepEqual(planner.made[1].args, model.scenario.plan)
  assert.match(text, /6 tasks/)
  assert.deepEqual(new Set(model.requests.map((r) => r.role)), new Set(["planner"]))
})

test("a refused plan is followed by the corrected one", async (t) => {
  const model = await modelFor(t, { scenario: "plan-with-errors" })
  let calls = 0
  const planner = new Session(model, {
    tools: kPlannerTools,
    exec: { submit_plan: () => (calls++ ? "Plan accepted: 2 tasks." : "The plan was refused:\n- duplicate id T2") },
  })
  await planner.turn("Plan: x")
  const plans = planner.made.filter((c) => c.name === "submit_plan").map((c) => c.args)
  assert.deepEqual(plans, [model.scenario.bad_plan, model.scenario.plan])
})

test("a plan that is refused for ever ends the turn with the refusal", async (t) => {
  const model = await modelFor(t, { scenario: "library" })
  const exec = { submit_plan: () => "Refused: the moon is wrong" }
  const planner = new Session(model, { tools: kPlannerTools, exec })
  assert.match(await planner.turn("Plan: x"), /refused.*moon/)
  assert.equal(planner.names.filter((n) => n === "submit_plan").length, 3)
})

test("the commander runs the mission and ends with its report", async (t) => {
  const model = await modelFor(t, { scenario: "library" })
  const exec = { mission_run: () => "Mission sealed: 6/6 tasks." }
  const commander = new Session(model, { tools: kCommanderTools, exec })
  assert.match(await commander.turn("anything at all"), /sealed/)
  assert.deepEqual(commander.names, ["mission_run"])
  await commander.turn("another mission in the same session")
  assert.deepEqual(commander.names, ["mission_run", "mission_run"])
})

test("the commander stops early as often as told, and calls mission_run again when asked", async (t) => {
  const scenario = { ...(await loadScenario("library")), commander: { early_stops: 2 } }
  const model = await modelFor(t, { scenario })
  const reports = ["The user wrote: hurry.\nAnswer, then call `mission_run` again.", "sealed"]
  const exec = { mission_run: () => String(reports.shift()) }
  const commander = new Session(model, { tools: kCommanderTools, exec })
  await commander.turn("objective")
  await commander.turn("go on")
  assert.deepEqual(commander.names, [])
  await commander.turn("go on")
  assert.deepEqual(commander.names, ["mission_run", "mission_run"])
})

test("the commander reacts to a blocked mission as the scenario says, once, and goes on", async (t) => {
  const retry = { tool: "update_todo", args: { id: "T2", status: "retry" } }
  const commander = { reactions: [{ match: "blocked: T2", calls: [retry] }] }
  const model = await modelFor(t, { scenario: { ...(await loadScenario("library")), commander } })
  const exec = { mission_run: () => "Mission blocked: T2 has no attempts left.\nFix it and call `mission_run`." }
  const session = new Session(model, { tools: kCommanderTools, exec })
  assert.match(await session.turn("objective"), /blocked/)
  assert.deepEqual(session.names, ["mission_run", "update_todo", "mission_run"])
})

test("a mission_run that the host broke off is called again", async (t) => {
  const model = await modelFor(t, { scenario: "library" })
  const reports = ["Tool execution aborted", "Mission sealed."]
  const session = new Session(model, { tools: kCommanderTools, exec: { mission_run: () => String(reports.shift()) } })
  await session.turn("objective")
  assert.deepEqual(session.names, ["mission_run", "mission_run"])
})

test("after a compaction the task is known from the system message", async (t) => {
  const model = await modelFor(t, { scenario: "library" })
  const system = "You work.\nTask <id>: <title> is the form.\nTask T3: Module discount\nMore."
  const worker = new Session(model, { tools: kWorkerTools, system })
  await worker.turn("Continue if you have next steps.")
  assert.equal(worker.made[0].args.filePath, "src/discount.js")
  assert.equal(model.requests[0].task, "T3")
})

test("the worker writes its files, submits and ends; rework is an edit", async (t) => {
  const model = await modelFor(t, { scenario: "rejected-task" })
  const system = "You work.\n<env>\n  Working directory: /proj\n</env>"
  const worker = new Session(model, { tools: kWorkerTools, parent: "ses_0", system })
  await worker.turn("Task T2: Module slug\n\nCard")
  assert.deepEqual(worker.names, ["write", "write", "submit_work"])
  assert.equal(worker.made[0].args.filePath, "/proj/src/slug.js")
  assert.deepEqual(worker.made[2].args.files, ["src/slug.js", "test/slug.test.js"])
  await worker.turn("Rework T2: Module slug\n\nFindings")
  assert.deepEqual(worker.names.slice(3), ["edit", "bash", "submit_work"])
  assert.equal(model.requests[0].parent, "ses_0")
  assert.equal(model.requests[0].task, "T2")
})

test("a worker whose submission is refused tries again, then says so", async (t) => {
  const model = await modelFor(t, { scenario: "library" })
  const exec = { submit_work: () => "Refused: this session holds T4" }
  const worker = new Session(model, { tools: kWorkerTools, exec })
  assert.match(await worker.turn("Task T1: Module money"), /could not submit.*T4/)
  assert.equal(worker.names.filter((n) => n === "submit_work").length, 3)
})

test("the reviewer runs the exact verify commands and passes", async (t) => {
  const model = await modelFor(t, { scenario: "library" })
  const reviewer = new Session(model, { tools: kReviewTools })
  await reviewer.turn("Task T3: Module discount")
  assert.deepEqual(reviewer.names, ["bash", "submit_review"])
  assert.equal(reviewer.made[0].args.command, "node --test test/discount.test.js")
  assert.deepEqual(reviewer.made[1].args, {
    task: "T3",
    verdict: "pass",
    findings: [],
    evidence: [{ command: "node --test test/discount.test.js", exit_code: 0 }],
  })
})

test("a red run is rejected with the scenario's findings, the next session's green run passes", async (t) => {
  const model = await modelFor(t, { scenario: "rejected-task" })
  const first = new Session(model, {
    id: "ses_a",
    tools: kReviewTools,
    exec: { bash: () => "not ok 2 - runs\n# fail 1\n" },
  })
  await first.turn("Task T2: Module slug")
  assert.equal(first.made.at(-1)?.args.verdict, "reject")
  assert.equal(first.made.at(-1)?.args.findings[0].line, 4)
  assert.equal(first.made.at(-1)?.args.evidence[0].exit_code, 1)
  const second = new Session(model, { id: "ses_b", tools: kReviewTools })
  await second.turn("Task T2: Module slug")
  assert.equal(second.made.at(-1)?.args.verdict, "pass")
})

test("a scripted pass over a red run becomes an honest rejection", async (t) => {
  const model = await modelFor(t, { scenario: "library" })
  const exec = { bash: () => "not ok 1 - sums\n# fail 1\n" }
  const reviewer = new Session(model, { tools: kReviewTools, exec })
  await reviewer.turn("Task T1: Module money")
  const { verdict, findings } = reviewer.made[1].args
  assert.equal(verdict, "reject")
  assert.match(findings[0].message, /money.test.js` fails: not ok 1 - sums/)
})

test("a review refused for want of a receipt is followed by the named command, run anew", async (t) => {
  const model = await modelFor(t, { scenario: "library" })
  let n = 0
  const exec = {
    submit_review: () => (n++ ? "recorded" : "Refused: no receipt for `node --test test/money.test.js`; run it"),
  }
  const reviewer = new Session(model, { tools: kReviewTools, exec })
  await reviewer.turn("Task T1: Module money")
  assert.deepEqual(reviewer.names, ["bash", "submit_review", "bash", "submit_review"])
})

test("the master rejects once, and its finding is served as a task by title alone", async (t) => {
  const model = await modelFor(t, { scenario: "failed-master-review" })
  const master = new Session(model, { id: "ses_m1", tools: kReviewTools })
  await master.turn("Mission review: Build split and join")
  const review = master.made.at(-1)?.args
  assert.equal(review.task, "mission")
  assert.equal(review.verdict, "reject")
  const worker = new Session(model, { id: "ses_w", tools: kWorkerTools })
  await worker.turn(`Task F1-1: ${review.findings[0].message}`)
  assert.deepEqual(worker.names, ["write", "edit", "submit_work"])
  const cut = new Session(model, { id: "ses_w2", tools: kWorkerTools })
  await cut.turn(`Task F1-1: ${review.findings[0].message.slice(0, 40)}…`)
  assert.deepEqual(cut.names, worker.names)
  const again = new Session(model, { id: "ses_m2", tools: kReviewTools })
  await again.turn("Mission review: Build split and join")
  assert.equal(again.made.at(-1)?.args.verdict, "pass")
})

test("titles, summaries and plain chat need no script", async (t) => {
  const model = await modelFor(t, { scenario: "library" })
  const title = new Session(model, { system: "You are a title generator. You output ONLY a title." })
  assert.equal(await title.turn("hi"), "Shopping cart library")
  const chat = new Session(model)
  assert.match(await chat.turn("hi"), /^Hello/)
})

test("without our tools, a marker gives the role and todowrite replaces submissions", async (t) => {
  const model = await modelFor(t, { scenario: "library" })
  const reviewer = new Session(model, { system: "rehearsal-role: reviewer" })
  await reviewer.turn("Task T1: Module money")
  assert.deepEqual(reviewer.names, ["bash", "todowrite"])
  const worker = new Session(model)
  await worker.turn("Task T1: Module money")
  assert.deepEqual(worker.names, ["write", "write", "todowrite"])
})

test("a conversation goes on over a restart of the server in its middle", async (t) => {
  const model = await modelFor(t, { scenario: "rejected-task" })
  const worker = new Session(model, { tools: kWorkerTools })
  worker.messages.push({ role: "user", content: "Task T2: Module slug" })
  assert.equal(await worker.step(), null)
  worker.model = await modelFor(t, { scenario: "rejected-task" })
  await worker.finish()
  assert.deepEqual(worker.names, ["write", "write", "submit_work"])
  worker.messages.push({ role: "user", content: "Continue where you left off." })
  assert.match(await worker.finish(), /^T2/)
  assert.equal(worker.names.length, 3)
})

test("a call the host broke off is made again", async (t) => {
  const model = await modelFor(t, { scenario: "library" })
  let n = 0
  const exec = { write: () => (n++ ? "Wrote file successfully." : "Tool execution aborted") }
  const worker = new Session(model, { tools: kWorkerTools, exec })
  await worker.turn("Task T1: Module money")
  assert.deepEqual(worker.names, ["write", "write", "write", "submit_work"])
})

test("a prompt given again before anything was submitted goes on; afterwards it is a new one", async (t) => {
  const scenario = {
    ...(await loadScenario("library")),
    reviews: { T1: [{ verdict: "reject", findings: [{ severity: "error", message: "no" }] }] },
  }
  const model = await modelFor(t, { scenario })
  const session = new Session(model, { tools: kReviewTools })
  session.messages.push({ role: "user", content: "Task T1: Module money\n\nCard" })
  await session.step()
  await session.turn("Task T1: Module money\nThis is not finished: an empty answer. Go on where you were.")
  assert.deepEqual(session.names, ["bash", "submit_review"])
  assert.equal(session.made[1].args.verdict, "reject")
  await session.turn("Task T1: Module money\n\nCard")
  assert.deepEqual(session.names.slice(2), ["bash", "submit_review"])
  assert.equal(session.made[3].args.verdict, "pass")
})

test("a fresh worker of a rejected task writes the work and fixes it", async (t) => {
  const model = await modelFor(t, { scenario: "rejected-task" })
  const worker = new Session(model, { tools: kWorkerTools })
  await worker.turn("Task T2: Module slug\n\nAn earlier attempt was rejected:\n- dashes")
  assert.deepEqual(worker.names, ["write", "write", "edit", "bash", "submit_work"])
})

test("an exit code that the engine knows better is taken from its refusal", async (t) => {
  const model = await modelFor(t, { scenario: "library" })
  let n = 0
  const exec = {
    submit_review: () =>
      n++
        ? "recorded"
        : "submit_review: not accepted.\n- verify command `node --test test/money.test.js` ended with exit code 7, and a pass needs 0",
  }
  const reviewer = new Session(model, { tools: kReviewTools, exec })
  await reviewer.turn("Task T1: Module money")
  const { verdict, evidence } = reviewer.made.at(-1)?.args
  assert.deepEqual([verdict, evidence[0].exit_code], ["reject", 7])
})

test("counters move to the server that replaces a server", async (t) => {
  const scenario = {
    ...(await loadScenario("library")),
    reviews: { T1: [{ verdict: "reject", findings: [{ severity: "error", message: "no" }] }] },
  }
  const old = await modelFor(t, { scenario })
  const first = new Session(old, { id: "ses_a", tools: kReviewTools })
  await first.turn("Task T1: Module money")
  assert.equal(first.made.at(-1)?.args.verdict, "reject")
  const replaced = await modelFor(t, { scenario, counters: old.counters })
  const second = new Session(replaced, { id: "ses_b", tools: kReviewTools })
  await second.turn("Task T1: Module money")
  assert.equal(second.made.at(-1)?.args.verdict, "pass")
})

test("the record tells sizes and roles, and waiting ends with the answer", async (t) => {
  const model = await modelFor(t, { scenario: "library", latencyMs: 30 })
  const worker = new Session(model, { id: "ses_w", tools: kWorkerTools })
  const waited = model.waitFor((r) => r.role === "worker" && r.last)
  const seen = []
  const reading = (async () => {
    for await (const r of model.answers()) {
      seen.push(r.answer)
      if (r.last) return
    }
  })()
  await worker.turn("Task T1: Module money")
  const last = await waited
  await reading
  assert.equal(seen.length, 3)
  assert.ok(last.ended_at !== null && last.ended_at - last.at >= 29)
  assert.equal(last.session, "ses_w")
  assert.ok(last.bytes > last.tools_bytes && last.tools_bytes > 100 && last.system_bytes === 15)
  assert.match(model.requests[0].answer, /^write\(.*money.js\) write\(/)
  await assert.rejects(
    model.waitFor(() => false, { timeoutMs: 10 }),
    /no such answer in 10 ms; the last were: worker T1/,
  )
})

test("fifty parallel requests cost under 2 ms of the server's own time each", async (t) => {
  const model = await modelFor(t, { scenario: "library" })
  const padding = "x".repeat(12_000)
  const sessions = Array.from({ length: 50 }, (_, i) => {
    const s = new Session(model, { id: `ses_${i}`, tools: kWorkerTools, system: padding })
    s.messages.push({ role: "user", content: "Task T1: Module money" })
    return s
  })
  await Promise.all(sessions.map((s) => s.finish()))
  const own = model.requests.map((r) => r.own_ms).sort((a, b) => a - b)
  assert.equal(own.length, 150)
  assert.ok(own[Math.floor(own.length / 2)] < 2, `median ${own[75]} ms`)
})
