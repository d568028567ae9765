// What a new process finds in the host of the sessions of the one before, with a host of the test's own.

import assert from "node:assert/strict"
import { test } from "node:test"
import { findSessions } from "../../js/host/opencode1/session-discovery.js"
import { newDirectoryState } from "../../js/plugin/directory-state.js"
import { effectsOver } from "./support/opencode1.mjs"

const submissions = ["submit_plan", "submit_work", "submit_review"]

/** @typedef {{parent?: string, metadata?: any, status?: string, messages?: any[]}} FakeSession */

/** @param {Record<string, FakeSession>} sessions @param {{failing?: string}} [options] a session that the host cannot read */
function fakeClient(sessions, { failing } = {}) {
  const stats = { now: 0, peak: 0, calls: 0 }
  const gone = { error: { name: "NotFoundError", data: { message: "Session not found" } }, response: { status: 404 } }
  /** @param {string} id @param {(session: FakeSession) => any} data */
  const answer = async (id, data) => {
    stats.calls++
    stats.peak = Math.max(stats.peak, ++stats.now)
    await new Promise((wake) => setImmediate(wake))
    stats.now--
    if (id === failing) return { error: { data: { message: "disk I/O error" } }, response: { status: 500 } }
    const session = sessions[id]
    return session ? { data: data(session), response: { status: 200 } } : gone
  }
  const info = (/** @type {string} */ id) => ({ id, metadata: sessions[id]?.metadata })
  const session = {
    status: async () => ({
      data: Object.fromEntries(
        Object.entries(sessions).flatMap(([id, s]) => (s.status ? [[id, { type: s.status }]] : [])),
      ),
    }),
    get: (/** @type {any} */ { path }) => answer(path.id, () => info(path.id)),
    children: (/** @type {any} */ { path }) =>
      answer(path.id, () =>
        Object.entries(sessions)
          .filter(([, s]) => s.parent === path.id)
          .map(([id]) => info(id)),
      ),
    messages: (/** @type {any} */ { path, query }) =>
      answer(path.id, (s) => (s.messages ?? []).slice(-(query.limit ?? 1e9))),
    message: (/** @type {any} */ { path }) =>
      answer(path.id, (s) => (s.messages ?? []).find((m) => m.info.id === path.messageID)),
    create: async (/** @type {any} */ { body }) => {
      sessions.made = { parent: body.parentID, metadata: body.metadata }
      return { data: { id: "made" } }
    },
    promptAsync: async (/** @type {any} */ { path, body }) => {
      const made = /** @type {FakeSession} */ (sessions[path.id])
      made.messages = [{ info: { id: "u1", role: "user" }, parts: body.parts }]
      return {}
    },
  }
  return { client: { session }, stats }
}

const ofMission = (/** @type {number} */ effect, mission = "m-x") => ({ orchestrator: { mission, effect } })
const prompt = (/** @type {number} */ effect, id = "u1") => ({
  info: { id, role: "user" },
  parts: [{ type: "text", text: "Task", metadata: { orchestrator: true, effect } }],
})
const answer = (/** @type {any[]} */ parts, /** @type {any} */ info = {}) => ({
  info: { id: "a1", role: "assistant", parentID: "u1", time: {}, ...info },
  parts,
})
const submit = (/** @type {any} */ state, tool = "submit_work") => ({ id: "p1", type: "tool", tool, state })
const input = { task: "T1", summary: "built", files: ["a"] }

/** @param {any[]} told */
const toldTo = (told) => ({ ...newDirectoryState(), link: /** @type {any} */ ({ tell: (/** @type {any} */ m) => told.push(m) }) })

/** @param {Record<string, FakeSession>} sessions @param {any} [effect] @param {any} [options] */
async function found(sessions, effect = {}, options = {}) {
  const { client } = fakeClient({ root: {}, ...sessions }, options)
  const all = await findSessions(client, { mission: "m-x", parents: ["root"], known: Object.keys(sessions), submissions, ...effect })
  return { ...all, by: Object.fromEntries(all.sessions.map((s) => [s.session, s])) }
}

test("children are known by their metadata, others by their id; those of another mission are left alone", async () => {
  const { by } = await found(
    {
      a: { parent: "root", metadata: ofMission(7), status: "busy" },
      b: { parent: "root", metadata: ofMission(8, "m-other") },
      c: { parent: "elsewhere", metadata: ofMission(9) },
      d: { parent: "root" },
    },
    { known: ["a", "c", "gone"] },
  )
  assert.deepEqual(Object.keys(by).sort(), ["a", "c"])
  assert.deepEqual([by.a?.creation, by.a?.busy, by.c?.creation, by.c?.busy], [7, true, 9, false])
})

test("a parent that was deleted is no error; any other failure is one", async () => {
  const sessions = { c: { parent: "x", metadata: ofMission(9) } }
  const all = await found(sessions, { parents: ["root", "deleted"] })
  assert.deepEqual([Object.keys(all.by), all.deleted], [["c"], ["deleted"]])
  await assert.rejects(found(sessions, {}, { failing: "c" }), /disk I\/O error/)
  await assert.rejects(found(sessions, {}, { failing: "root" }), /disk I\/O error/)
})

test("what a session was last asked for, whether it answered, and whether a call of it runs", async () => {
  const running = submit({ status: "running", input })
  const { by } = await found({
    prompted: { messages: [prompt(3)] },
    answered: { messages: [prompt(4), answer([{ type: "text" }], { time: { completed: 1 } })] },
    failed: { messages: [prompt(5), answer([], { time: { completed: 1 }, error: { name: "APIError" } })] },
    working: { status: "busy", messages: [prompt(6), answer([running])] },
    silent: { messages: [] },
    spoken: { messages: [prompt(8), { info: { id: "u2", role: "user" }, parts: [] }, answer([], { parentID: "u2" })] },
    foreign: { messages: [{ info: { id: "u1", role: "user" }, parts: [] }, answer([])] },
  })
  const seen = Object.fromEntries(Object.entries(by).map(([id, s]) => [id, [s.prompt, s.answered, s.in_tool]]))
  assert.deepEqual(seen, {
    prompted: [3, false, false],
    answered: [4, true, false],
    failed: [5, false, false],
    working: [6, false, true],
    silent: [0, false, false],
    spoken: [8, false, false],
    foreign: [0, false, false],
  })
})

test("a submission that was never answered is harvested; one that was, or is not whole, is not", async () => {
  const states = {
    running: { status: "running", input },
    pending: { status: "pending", input },
    aborted: { status: "error", input, error: "Tool execution aborted", metadata: { interrupted: true } },
    reloaded: { status: "error", input, error: "This call was lost: OpenCode reloads." },
    half: { status: "pending", input: {}, raw: '{"task":' },
    taken: { status: "completed", input, output: "Taken" },
    refused: { status: "error", input, error: "submit_work was refused" },
  }
  const sessions = Object.fromEntries(
    Object.entries(states).map(([id, state]) => [id, { messages: [prompt(5), answer([submit(state)])] }]),
  )
  const { unanswered } = await found({
    ...sessions,
    working: { status: "busy", messages: [prompt(5), answer([submit(states.running)])] },
    asked: { messages: [prompt(4), answer([submit(states.running)]), prompt(5, "u2")] },
    other: { messages: [prompt(5), answer([submit(states.running, "bash")])] },
    review: { messages: [prompt(5), answer([submit(states.running, "submit_review")])] },
  })
  assert.deepEqual(unanswered.map((h) => h.session).sort(), ["aborted", "pending", "reloaded", "review", "running"])
  const one = unanswered.find((h) => h.session === "running")
  assert.deepEqual(one, { session: "running", tool: "submit_work", id: "p1", args: input, prompt: 5 })
  assert.equal(unanswered.find((h) => h.session === "review")?.tool, "submit_review")
})

test("two hundred sessions are few requests each, and few at one time", async () => {
  const sessions = Object.fromEntries(
    Array.from({ length: 200 }, (_, i) => [
      `s${i}`,
      { parent: "root", metadata: ofMission(i + 1), messages: [prompt(i + 1), answer([])] },
    ]),
  )
  const { client, stats } = fakeClient({ root: {}, ...sessions })
  const { sessions: all } = await findSessions(client, {
    mission: "m-x",
    parents: ["root"],
    known: ["s7", "s8"],
    submissions,
  })
  assert.equal(all.length, 200)
  assert.ok(stats.calls <= 5, `${stats.calls} requests, where only two sessions matter`)
  const many = await findSessions(client, { mission: "m-x", parents: ["root"], known: Object.keys(sessions), submissions })
  assert.equal(many.sessions.filter((s) => s.prompt === s.creation).length, 200)
  assert.ok(stats.calls <= 410 && stats.peak <= 8, `${stats.calls} requests, ${stats.peak} at one time`)
})

test("a session and a prompt carry the effect that asked for them, and are found by it; submissions come first", async () => {
  const { client } = fakeClient({ root: {} })
  /** @type {any[]} */
  const told = []
  const run = effectsOver(client, toldTo(told))
  const settled = async (/** @type {any} */ effect) => {
    const before = told.length
    run(effect)
    while (told.length === before || told.at(-1).effect !== effect.effect) await new Promise((wake) => setImmediate(wake))
  }
  await settled({ type: "create_session", effect: 11, parent: "root", mission: "m-x", role: "worker", task: "T1" })
  await settled({ type: "prompt_session", effect: 12, session: "made", agent: "worker", text: "Task T1: x" })
  const made = /** @type {any} */ (await client.session.messages({ path: { id: "made" }, query: {} }))
  made.data.push(answer([submit({ status: "running", input })]))
  client.session.messages = async () => made
  await settled({ type: "find_sessions", effect: 13, mission: "m-x", parents: ["root", "gone"], known: ["made"] })
  const [harvested, deleted, answered] = told.slice(-3)
  assert.deepEqual(deleted, { type: "session_deleted", session: "gone" })
  assert.deepEqual(harvested, {
    type: "submit_work",
    session: "made",
    request: "harvest-p1",
    args: JSON.stringify(input),
    harvested: true,
    prompt: 12,
  })
  assert.deepEqual(answered, {
    type: "sessions_found",
    effect: 13,
    sessions: [{ session: "made", creation: 11, busy: false, in_tool: false, answered: false, prompt: 12 }],
  })
})

test("a host that cannot be asked is an effect that failed", async () => {
  const { client } = fakeClient({ root: {} }, { failing: "root" })
  /** @type {any[]} */
  const told = []
  const run = effectsOver(client, toldTo(told))
  run({ type: "find_sessions", effect: 3, mission: "m-x", parents: ["root"], known: [] })
  while (!told.length) await new Promise((wake) => setImmediate(wake))
  assert.deepEqual(told, [{ type: "effect_failed", effect: 3, error: "disk I/O error" }])
})
