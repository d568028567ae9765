import assert from "node:assert/strict"
import test from "node:test"
import { faultOptions, Faults } from "../../js/rehearsal/faults.mjs"
import { startModel } from "../../js/rehearsal/model.mjs"
import { readStream, Session } from "./rehearsal_host.mjs"

/** @param {import("node:test").TestContext} t @param {any} faults */
async function workerUnder(t, faults) {
  const model = await startModel({ scenario: "library", faults })
  t.after(() => model.stop())
  const worker = new Session(model, { tools: ["submit_work"] })
  worker.messages.push({ role: "user", content: "Task T1: Module money" })
  return { model, worker }
}

const places = Array.from({ length: 200 }, (_, i) => ({
  role: "worker",
  task: `T${i % 12}`,
  position: String(i),
  malformable: true,
}))

test("a seed gives the same faults whatever the order of requests, another seed others", () => {
  const run = (/** @type {number} */ seed, /** @type {typeof places} */ order) => {
    const faults = new Faults(faultOptions(0.3, seed))
    const out = new Map(order.map((p) => [p.position, faults.choose(p)]))
    return places.map((p) => out.get(p.position))
  }
  const forward = run(7, places)
  assert.deepEqual(run(7, [...places].reverse()), forward)
  assert.notDeepEqual(run(8, places), forward)
  const hit = forward.filter(Boolean)
  assert.ok(hit.length > 35 && hit.length < 85, `${hit.length} of 200 at p = 0.3`)
  assert.equal(new Set(hit).size, 6)
  assert.ok(!hit.includes("stall"))
})

test("the same answer fails at most max_per_answer times, so that missions end", () => {
  const faults = new Faults(faultOptions({ p: 1, max_per_answer: 2 }))
  const got = [1, 2, 3, 4].map(() => faults.choose(places[0]) !== null)
  assert.deepEqual(got, [true, true, false, false])
})

test("bad options are refused by name", () => {
  assert.throws(() => faultOptions(1.5), /p must be between 0 and 1/)
  assert.throws(() => faultOptions({ kinds: [/** @type {any} */ ("fire")] }), /unknown kind fire; known are rate-limit/)
})

test("rate-limit carries retry-after, and the answer comes at the next try", async (t) => {
  const { worker, model } = await workerUnder(t, { p: 1, kinds: ["rate-limit"], retry_after_s: 3 })
  const refused = await worker.request()
  assert.equal(refused.status, 429)
  assert.equal(refused.headers.get("retry-after"), "3")
  const answer = readStream(await (await worker.request()).text())
  assert.equal(answer.calls.length, 2)
  assert.deepEqual(
    model.requests.map((r) => r.fault),
    ["rate-limit", null],
  )
})

for (const [kind, status] of /** @type {[string, number][]} */ ([
  ["error-500", 500],
  ["error-503", 503],
])) {
  test(`${kind} is that status`, async (t) => {
    const { worker } = await workerUnder(t, { p: 1, kinds: [kind] })
    assert.equal((await worker.request()).status, status)
  })
}

test("cut: the stream breaks off before its end", async (t) => {
  const { worker, model } = await workerUnder(t, { p: 1, kinds: ["cut"] })
  const response = await worker.request()
  assert.equal(response.status, 200)
  await assert.rejects(response.text())
  assert.equal((await model.waitFor((r) => r.fault === "cut")).aborted, true)
})

test("empty: an answer without text or call", async (t) => {
  const { worker } = await workerUnder(t, { p: 1, kinds: ["empty"] })
  const answer = readStream(await (await worker.request()).text())
  assert.deepEqual([answer.text, answer.calls, answer.finish], ["", [], "stop"])
})

test("malformed: arguments that are not JSON; once the host says so, the call is made again", async (t) => {
  const { worker } = await workerUnder(t, { p: 1, kinds: ["malformed"], roles: ["worker"] })
  const { calls } = readStream(await (await worker.request()).text())
  assert.throws(() => JSON.parse(calls[0].function.arguments))
  const invalid = { name: "invalid", arguments: '{"tool":"write","error":"bad"}' }
  worker.messages.push(
    { role: "assistant", content: "", tool_calls: [{ ...calls[0], function: invalid }] },
    { role: "tool", tool_call_id: calls[0].id, content: "The arguments provided to the tool are invalid: bad" },
  )
  const again = readStream(await (await worker.request()).text())
  assert.equal(again.calls[0].function.name, "write")
})

test("stall: nothing comes until the client leaves", async (t) => {
  const { model } = await workerUnder(t, { p: 1, kinds: ["stall"] })
  const body = JSON.stringify({
    messages: [{ role: "user", content: "Task T1: Module money" }],
    tools: [{ function: { name: "submit_work" } }],
    stream: true,
  })
  const signal = AbortSignal.timeout(60)
  await assert.rejects(fetch(`${model.baseURL}/chat/completions`, { method: "POST", body, signal }))
  assert.equal((await model.waitFor((r) => r.fault === "stall")).aborted, true)
})

test("a fault at an exact place", async (t) => {
  const { worker, model } = await workerUnder(t, {
    exactly: [{ role: "worker", task: "T1", nth: 2, kind: "error-500" }],
  })
  await worker.step()
  await assert.rejects(worker.step(), /HTTP 500/)
  await worker.finish()
  assert.deepEqual(
    model.requests.map((r) => r.fault),
    [null, "error-500", null, null],
  )
})
