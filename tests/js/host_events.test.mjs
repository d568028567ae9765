// The facts that the adapter for OpenCode tells of each of OpenCode's events.

import assert from "node:assert/strict"
import { test } from "node:test"
import { HostEvents } from "../../js/host/opencode1/host-events.js"

function watched() {
  /** @type {any[]} */
  const told = []
  const listener = /** @type {any} */ ({ open: true, tell: (/** @type {any} */ m) => told.push(m), watches: (/** @type {string} */ s) => s === "ses" })
  const events = new HostEvents(listener)
  const see = (/** @type {string} */ type, /** @type {any} */ properties) => events.see({ type, properties })
  return { told, events, see }
}

test("permissions are reported with what is asked for and the answer", () => {
  const { told, see } = watched()
  const asked = { id: "p1", permission: "bash", sessionID: "ses", patterns: ["rm *", "ls"] }
  see("permission.asked", asked)
  see("permission.asked", { ...asked, sessionID: "other" })
  see("permission.asked", { ...asked, id: "p2", patterns: undefined })
  see("permission.asked", { ...asked, id: "p3", patterns: ["x".repeat(600)] })
  for (const reply of ["once", "always", "reject"]) see("permission.replied", { requestID: "p1", sessionID: "ses", reply })
  see("permission.replied", { requestID: "p1", sessionID: "other", reply: "once" })
  assert.deepEqual(told, [
    { type: "permission_asked", permission: "p1", session: "ses", what: "bash: rm *, ls" },
    { type: "permission_asked", permission: "p2", session: "ses", what: "bash: " },
    { type: "permission_asked", permission: "p3", session: "ses", what: `bash: ${"x".repeat(494)}` },
    { type: "permission_answered", permission: "p1", session: "ses", allowed: true },
    { type: "permission_answered", permission: "p1", session: "ses", allowed: true },
    { type: "permission_answered", permission: "p1", session: "ses", allowed: false },
  ])
})

test("an error has its name, its status and its text, cut; one of another session is not reported", () => {
  const { told, see } = watched()
  see("session.error", { sessionID: "ses", error: { name: "APIError", data: { message: "x".repeat(600), statusCode: 503 } } })
  see("session.error", { sessionID: "ses", error: { name: "APIError", data: { statusCode: "503" } } })
  see("session.error", { sessionID: "ses" })
  see("session.error", { sessionID: "other", error: { name: "APIError" } })
  assert.deepEqual(told, [
    { type: "session_errored", session: "ses", name: "APIError", message: "x".repeat(500), status: 503 },
    { type: "session_errored", session: "ses", name: "APIError", message: "", status: 0 },
    { type: "session_errored", session: "ses", name: "", message: "", status: 0 },
  ])
})

test("a session is busy until the host says that it is idle; a retry whose time has come is due now", () => {
  const { told, events, see } = watched()
  const status = (/** @type {any} */ status, sessionID = "ses") => see("session.status", { sessionID, status })
  assert.equal(events.isBusy("ses"), false)
  status({ type: "busy" })
  assert.deepEqual([events.isBusy("ses"), events.isBusy("other")], [true, false])
  status({ type: "retry", attempt: 3, message: "x".repeat(600), next: 1 })
  assert.equal(events.isBusy("ses"), true)
  status({ type: "retry", attempt: 1, next: 1 }, "other")
  status({ type: "idle" })
  assert.equal(events.isBusy("ses"), false)
  status({ type: "retry" })
  const retried = { type: "session_retried", session: "ses", delay_ms: 0 }
  assert.deepEqual(told, [{ ...retried, attempt: 3, message: "x".repeat(500) }, { ...retried, attempt: 0, message: "" }])
})

test("the end of a session is reported under each of the host's names for it", () => {
  const { told, see } = watched()
  see("session.compacted", { sessionID: "ses" })
  see("session.compacted", { sessionID: "other" })
  see("session.deleted", { info: { id: "ses" } })
  see("session.deleted", { sessionID: "ses" })
  see("session.deleted", { info: { id: "other" } })
  see("session.idle", { sessionID: "ses" })
  assert.deepEqual(told, [
    { type: "session_compacted", session: "ses" },
    { type: "session_deleted", session: "ses" },
    { type: "session_deleted", session: "ses" },
    { type: "session_idled", session: "ses" },
  ])
})

test("a long answer is a sign of life every half minute", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 1_000_000 })
  const { told, see } = watched()
  const delta = (sessionID = "ses") => see("message.part.delta", { sessionID })
  delta()
  assert.deepEqual(told, [], "its begin was told as such")
  t.mock.timers.tick(30_000)
  delta()
  assert.deepEqual(told, [])
  t.mock.timers.tick(1)
  delta("other")
  delta()
  see("message.part.updated", { part: { sessionID: "ses", type: "text" } })
  assert.deepEqual(told, [{ type: "turn_started", session: "ses" }])
  t.mock.timers.tick(30_001)
  see("message.part.updated", { part: { sessionID: "ses", type: "text" } })
  assert.equal(told.length, 2)
})

test("a message that calls tools is known as long as it is its session's newest", () => {
  const { events, see } = watched()
  const part = (/** @type {string} */ messageID, /** @type {any} */ more) => see("message.part.updated", { part: { sessionID: "ses", messageID, ...more } })
  part("m1", { type: "text", text: "hi" })
  assert.equal(events.usesTools("m1"), false)
  part("m1", { type: "tool", id: "t1", tool: "bash", state: { status: "pending" } })
  assert.equal(events.usesTools("m1"), true)
  part("m2", { type: "tool", id: "t2", tool: "bash", state: { status: "pending" } })
  assert.deepEqual([events.usesTools("m1"), events.usesTools("m2")], [false, true])
})

test("the newest messages begin and end turns, the user's do not", () => {
  const { told, see } = watched()
  const message = (/** @type {any} */ info) => see("message.updated", { info: { role: "assistant", sessionID: "ses", id: "m1", ...info } })
  message({ role: "user", time: { completed: 1 } })
  assert.deepEqual(told, [])
  message({ providerID: "p", modelID: "m" })
  message({ id: "m2", providerID: "p" })
  message({ id: "m2", time: {} })
  for (const [id, finish, stopped] of [["m2", "unknown", false], ["m3", undefined, false], ["m4", "length", true]]) {
    message({ id, finish, time: { completed: 1 }, tokens: { input: 1, cache: undefined } })
    const { type, stopped: said, tokens, usd, message: of } = told.at(-1)
    assert.deepEqual([type, said, tokens, usd, of], ["turn_ended", stopped, 1, 0, id])
  }
  assert.deepEqual(
    told.map((m) => `${m.type} ${m.model}`),
    ["turn_started p/m", "turn_started ", "turn_ended ", "turn_started ", "turn_ended ", "turn_started ", "turn_ended "],
  )
})

test("a call's failure is reported once for each message, with the host's text", () => {
  const { told, see } = watched()
  const call = (/** @type {string} */ id, /** @type {any} */ state, tool = "edit") => see("message.part.updated", { part: { sessionID: "ses", messageID: "m", type: "tool", id, tool, state } })
  call("t1", { status: "running" })
  call("t1", { status: "error", error: "x".repeat(2000) })
  call("t2", { status: "completed" }, "invalid")
  call("t3", undefined)
  see("message.updated", { info: { role: "assistant", sessionID: "ses", id: "m" } })
  call("t1", { status: "error" })
  const failed = { type: "tool_failed", session: "ses", garbled: false }
  assert.deepEqual(told.filter((m) => m.type === "tool_failed"), [
    { ...failed, tool: "edit", error: "x".repeat(1000), running: false },
    { ...failed, tool: "invalid", error: "", running: true, garbled: true },
    { ...failed, tool: "edit", error: "", running: true },
  ])
})

test("an event that was seen long ago is forgotten, so that memory does not grow", () => {
  const { told, events } = watched()
  const idle = (/** @type {string | undefined} */ id) => events.see({ id, type: "session.idle", properties: { sessionID: "ses" } })
  for (const id of ["a", "a", undefined, undefined]) idle(id)
  assert.equal(told.length, 3)
  for (let i = 0; i < 1999; ++i) idle(`e${i}`)
  idle("a")
  assert.equal(told.length, 2002, "2,000 are kept")
  idle("e1999")
  idle("a")
  assert.equal(told.length, 2004)
})
