// Instances of the plugin as OpenCode loads them, with the real engine behind them.

import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import plugin from "../../js/host/opencode1/plugin.js"
import { ownerOf, projectOf, stateOf } from "../../js/plugin/directory-state.js"
import { traitsOf } from "../../js/host/opencode1/host-mode.js"
import { attach, locate } from "../../js/plugin/plugin.js"

const project = mkdtempSync(join(tmpdir(), "orchestrator-server-"))
const awake = setInterval(() => {}, 1_000) // the engine's answers keep no process alive
after(() => {
  clearInterval(awake)
  // The engine writes a moment longer than its instance lives.
  rmSync(project, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
})

/** @param {string} directory @param {string} [verb] as which the host was started */
async function load(directory, verb, options = /** @type {any} */ (undefined)) {
  /** @type {any[]} */
  const said = []
  const method = (/** @type {string} */ name) => async (/** @type {any} */ call) => (said.push([name, call]), { data: undefined })
  const client = { app: { log: method("log") }, tui: { showToast: method("toast") }, _client: { get: method("get") } }
  const { argv } = process
  process.argv = ["opencode", ...(verb ? [verb] : [])]
  try {
    return { hooks: /** @type {any} */ (await plugin.server({ client, directory }, options)), said }
  } finally {
    process.argv = argv
  }
}

test("an instance of a worktree belongs to its project, with no engine of its own", async () => {
  const directory = join(project, ".opencode/orchestrator/worktrees/m-1.T1-1")
  assert.equal(projectOf(directory), project)
  const { hooks } = await load(directory, "serve")
  const state = stateOf(project)
  assert.equal(ownerOf(directory, "/elsewhere"), state)
  assert.deepEqual([state.link, state.instances.has(directory)], [undefined, true])
  /** @type {any} */
  const config = {}
  await hooks.config(config)
  assert.equal(config.snapshot, false)
  await hooks.dispose()
  assert.equal(state.instances.has(directory), false)
  assert.notEqual(ownerOf(directory, "/elsewhere"), state)
})

test("the newest instance has the link; the disposal of an older one, or of one of `run`, is no reload", async () => {
  const old = await load(project, "serve")
  const state = stateOf(project)
  const first = state.link
  assert.equal(first?.open, true)
  const { hooks, said } = await load(project, "run")
  assert.notEqual(state.link, first)
  await old.hooks.dispose()
  assert.deepEqual([first?.open, state.link?.open, old.said], [false, true, []])
  // A mission is refused or begins: the engine answers.
  const { ok, text } = (await state.link?.ask({ type: "mission_status" }, { deadlineMs: 5_000, fallback: { ok: false, text: "no answer" } }).answer) ?? {}
  assert.equal(ok, true)
  assert.match(text ?? "", /no mission/i)
  await hooks.dispose()
  assert.deepEqual([state.link?.open, said, state.reload], [false, [], undefined])
})

test("the user's options of the plugin reach the engine", async () => {
  const answer = async (/** @type {any} */ options) => {
    const directory = mkdtempSync(join(project, "options-"))
    const { hooks } = await load(directory, "serve", options)
    const question = { type: "mission_requested", session: "ses", arguments: "Build it", mode: "serve" }
    const said = await stateOf(directory).link?.ask(question, { deadlineMs: 5_000, fallback: { ok: false, text: "no answer" } }).answer
    await stateOf(directory).link?.ask({ type: "stop_requested", session: "ses", arguments: "", mode: "serve" }, { deadlineMs: 5_000 }).answer
    stateOf(directory).instance = {} // so that nothing is reloaded
    await hooks.dispose()
    return said
  }
  assert.equal((await answer(undefined))?.ok, true)
  assert.equal((await answer({ parallel: { max: 3 } }))?.ok, true)
  const refused = await answer({ paralel: { max: 3 } })
  assert.equal(refused?.ok, false)
  assert.match(refused?.text ?? "", /paralel/)
})

test("the stand-in of a disposed instance closes when the next instance starts; the reload is reported once", async () => {
  const state = stateOf(project)
  let closed = 0
  state.standIn = /** @type {any} */ ({ close: () => ++closed })
  state.reload = { over: Promise.resolve() }
  const { hooks } = await load(project, "serve")
  await new Promise(setImmediate)
  assert.deepEqual([closed, state.reload, state.link?.open], [1, undefined, true])
  state.instance = {} // as if a newer one were there
  await hooks.dispose()
})

test("a reload that is over without a next instance gets a stand-in; one with a next instance gets none", async () => {
  const place = locate(mkdtempSync(join(project, "reload-")))
  const { state } = place
  const host = /** @type {any} */ ({ traits: traitsOf("serve") })
  const dispose = (/** @type {ReturnType<typeof attach>} */ instance) => {
    /** @type {() => void} */
    let over = () => {}
    instance.close()
    instance.reloading(new Promise((resolve) => (over = () => resolve(undefined))))
    return async () => {
      over()
      await new Promise(setImmediate)
    }
  }
  const overAlone = dispose(attach(place, host))
  assert.ok(state.reload)
  assert.deepEqual([state.link?.open, state.standIn], [false, undefined], "none before the end")
  await overAlone()
  const { standIn } = state
  assert.deepEqual([standIn?.open, state.link === standIn, state.reload], [true, true, undefined])
  const second = attach(place, host)
  assert.deepEqual([standIn?.open, second.open, second.isNewest()], [false, true, true])
  const overBesideThird = dispose(second)
  const third = attach(place, host)
  assert.deepEqual([second.isNewest(), third.open], [false, false], "the third waits for the end")
  await overBesideThird()
  assert.deepEqual([third.open, state.link?.open, state.standIn === standIn, state.reload], [true, true, true, undefined])
  third.close()
})

test("where the plugin cannot work, OpenCode goes on without it, and a person reads why once", async () => {
  const errors = /** @type {string[]} */ ([])
  const { error } = console
  console.error = (/** @type {string} */ text) => void errors.push(text)
  try {
    const { hooks, said } = await load(join(project, "gone"), "serve")
    assert.deepEqual(hooks, {})
    assert.deepEqual(said.map(([name]) => name), ["log", "toast"])
    assert.match(said[0][1].body.message, /is off: /)
    assert.match(errors.join(), /is off: /)
    const again = await load(join(project, "gone"), "serve")
    assert.deepEqual([again.hooks, again.said, errors.length], [{}, [], 1])
  } finally {
    console.error = error
  }
})
