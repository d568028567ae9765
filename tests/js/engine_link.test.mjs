// Messages and questions between the plugin and the engine, with a full inbox and past a deadline.

import assert from "node:assert/strict"
import { test } from "node:test"
import { newDirectoryState } from "../../js/plugin/directory-state.js"
import { EngineLink, ProjectLink } from "../../js/plugin/engine-link.js"

const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** @param {any} [more] options of the link */
function linked(more = {}) {
  /** @type {any[]} */
  const posted = []
  /** @type {any[]} */
  const effects = []
  const inbox = { full: false, closed: 0, options: /** @type {any} */ (undefined) }
  const addon = /** @type {any} */ ({
    open: (/** @type {any} */ options) => {
      inbox.options = options
      return {
        post: (/** @type {string} */ json) => !inbox.full && posted.push(JSON.parse(json)) > 0,
        watches: (/** @type {string} */ session) => session === "ses",
        sessionInfo: (/** @type {string} */ session) => `information on ${session}`,
        close: () => void ++inbox.closed,
      }
    },
  })
  const link = new EngineLink(addon, { directory: "/d", options: { a: 1 }, onEffect: (effect) => void effects.push(effect), ...more })
  const say = (/** @type {any[]} */ ...messages) => inbox.options.onEffects(JSON.stringify(messages))
  return { link, posted, effects, inbox, say }
}

test("what comes later does not overtake what waits for room", async () => {
  const { link, posted, inbox } = linked()
  inbox.full = true
  assert.equal(link.tell({ n: 1 }), true)
  assert.equal(link.sessionInfo("ses"), undefined, "it would not reflect what still waits")
  await sleep(50)
  inbox.full = false
  link.tell({ n: 2 })
  assert.deepEqual(posted, [])
  await sleep(60)
  link.tell({ n: 3 })
  assert.deepEqual(posted, [{ n: 1 }, { n: 2 }, { n: 3 }])
  assert.equal(link.sessionInfo("ses"), "information on ses")
})

test("a reply settles its question alone, and everything else is an effect", async () => {
  const { link, posted, effects, inbox, say } = linked()
  assert.deepEqual([inbox.options.directory, inbox.options.options], ["/d", '{"a":1}'])
  const [one, two] = [link.ask({ type: "one" }), link.ask({ type: "two" })]
  assert.notEqual(one.request, two.request)
  assert.deepEqual(posted, [{ type: "one", request: one.request }, { type: "two", request: two.request }])
  say({ type: "reply", request: two.request, ok: false, text: "no" }, { type: "reply", request: "r-unknown", ok: true, text: "" }, { type: "show_toast", text: "t" })
  assert.deepEqual(await two.answer, { ok: false, text: "no" })
  assert.deepEqual(effects, [{ type: "show_toast", text: "t" }])
  link.abandon(one.request)
  assert.equal((await one.answer).ok, false)
  say({ type: "engine_failed" })
  assert.deepEqual(effects[1], { type: "show_toast", variant: "error", text: "The orchestrator's engine failed (no reason given); it recovers from its log. Try again." })
})

test("a question has its deadline's answer, or waits as long as it takes", async (t) => {
  const awake = setInterval(() => {}, 1_000) // a deadline keeps no process alive
  t.after(() => clearInterval(awake))
  const { link, say } = linked()
  assert.deepEqual(await link.ask({}, { deadlineMs: 5 }).answer, { ok: true, text: "" })
  assert.deepEqual(await link.ask({}, { deadlineMs: 5, fallback: { ok: false, text: "late" } }).answer, { ok: false, text: "late" })
  const patient = link.ask({}, { fallback: { ok: false, text: "late" } })
  const first = await Promise.race([patient.answer, sleep(40)])
  assert.equal(first, undefined)
  say({ type: "reply", request: patient.request, ok: true, text: "at last" })
  assert.deepEqual(await patient.answer, { ok: true, text: "at last" })
})

test("a link that is closed tells nothing and answers at once", async () => {
  const { link, posted, inbox } = linked()
  assert.deepEqual([link.open, link.watches("ses"), link.watches("other")], [true, true, false])
  inbox.full = true
  link.tell({ n: 1 })
  link.close()
  inbox.full = false
  assert.equal(link.tell({ n: 2 }), false)
  await sleep(40)
  assert.deepEqual([posted, link.open, inbox.closed, link.sessionInfo("ses")], [[], false, 1, undefined])
  assert.match((await link.ask({}).answer).text, /This call was lost/)
  assert.deepEqual(await link.ask({}, { fallback: { ok: true, text: "x" } }).answer, { ok: true, text: "x" })
})

test("a link that opens later keeps questions, and one that is closed before does not open", async () => {
  /** @type {() => void} */
  let over = () => {}
  const after = new Promise((resolve) => (over = () => resolve(undefined)))
  /** @type {any[]} */
  const opened = []
  const [late, gone] = [linked({ after, onOpen: (/** @type {any} */ link) => link.tell({ type: "hello" }) }), linked({ after, onOpen: () => opened.push(1) })]
  assert.deepEqual([late.link.open, late.link.watches("ses"), late.link.sessionInfo("ses")], [false, false, undefined])
  const { request } = late.link.ask({ type: "q" })
  assert.equal(late.link.tell({ type: "fact" }), true)
  gone.link.close()
  over()
  await sleep(5)
  assert.deepEqual(late.posted, [{ type: "hello" }, { type: "q", request }])
  assert.deepEqual([gone.inbox.options, opened], [undefined, []])
})

test("the link of a worktree is its project's newest; without one its questions wait for a reload's end alone", async () => {
  const project = newDirectoryState()
  const worktree = new ProjectLink(project)
  assert.deepEqual([worktree.tell({}), worktree.watches("ses"), worktree.sessionInfo("ses"), worktree.open], [false, false, undefined, false])
  worktree.abandon("r1")
  const elsewhere = await worktree.ask({}).answer
  assert.match(elsewhere.text, /is a worktree of a mission/)
  assert.equal(elsewhere.ok, false)
  /** @type {() => void} */
  let over = () => {}
  project.reload = { over: new Promise((resolve) => (over = resolve)) }
  const early = worktree.ask({ type: "early" })
  const it = linked()
  project.link = it.link
  over()
  await sleep(5)
  const { request } = it.posted[0]
  assert.deepEqual(it.posted, [{ type: "early", request }])
  it.say({ type: "reply", request, ok: true, text: "yes" })
  assert.deepEqual(await early.answer, { ok: true, text: "yes" })
  assert.deepEqual([worktree.tell({ type: "fact" }), worktree.watches("ses"), worktree.sessionInfo("ses"), worktree.open], [true, true, "information on ses", true])
  const now = worktree.ask({ type: "now" })
  assert.deepEqual(it.posted.slice(1), [{ type: "fact" }, { type: "now", request: now.request }])
  worktree.abandon(now.request)
  assert.equal((await now.answer).ok, false)
  const lost = newDirectoryState()
  lost.reload = { over: Promise.resolve() }
  const unanswered = await new ProjectLink(lost).ask({}).answer
  assert.match(unanswered.text, /This call was lost/)
  assert.equal(unanswered.ok, false)
})
