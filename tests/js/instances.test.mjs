// The plugin as the host loads it, with the real engine behind it.

import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { memoryOf, ownerOf, projectOf } from "../../js/plugin/memory.js"
import plugin from "../../js/plugin/server.js"

const project = mkdtempSync(join(tmpdir(), "orchestrator-server-"))
after(() => rmSync(project, { recursive: true, force: true }))

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
  const memory = memoryOf(project)
  assert.equal(ownerOf(directory, "/elsewhere"), memory)
  assert.deepEqual([memory.link, memory.instances.has(directory)], [undefined, true])
  /** @type {any} */
  const config = {}
  await hooks.config(config)
  assert.equal(config.snapshot, false)
  await hooks.dispose()
  assert.equal(memory.instances.has(directory), false)
  assert.notEqual(ownerOf(directory, "/elsewhere"), memory)
})

test("the newest instance has the link; one beside which a newer lives goes without a word, one of `run` without a reload", async () => {
  const old = await load(project, "serve")
  const memory = memoryOf(project)
  const first = memory.link
  assert.equal(first?.open, true)
  const { hooks, said } = await load(project, "run")
  assert.notEqual(memory.link, first)
  await old.hooks.dispose()
  assert.deepEqual([first?.open, memory.link?.open, old.said], [false, true, []])
  // A mission is refused or begins: the engine answers.
  const { ok, text } = (await memory.link?.ask({ type: "status_asked" }, { deadlineMs: 5_000, fallback: { ok: false, text: "no answer" } }).answer) ?? {}
  assert.equal(ok, true)
  assert.match(text ?? "", /no mission/i)
  await hooks.dispose()
  assert.deepEqual([memory.link?.open, said, memory.reload], [false, [], undefined])
})

test("the user's options of the plugin reach the engine", async () => {
  const answer = async (/** @type {any} */ options) => {
    const directory = mkdtempSync(join(project, "options-"))
    const { hooks } = await load(directory, "serve", options)
    const question = { type: "mission_requested", session: "ses", arguments: "Build it", mode: "serve" }
    const said = await memoryOf(directory).link?.ask(question, { deadlineMs: 5_000, fallback: { ok: false, text: "no answer" } }).answer
    memoryOf(directory).instance = {} // so that nothing is reloaded
    await hooks.dispose()
    return said
  }
  assert.equal((await answer(undefined))?.ok, true)
  assert.equal((await answer({ parallel: { max: 3 } }))?.ok, true)
  const refused = await answer({ paralel: { max: 3 } })
  assert.equal(refused?.ok, false)
  assert.match(refused?.text ?? "", /paralel/)
})

test("a stand-in goes when the next instance is there, which tells of the reload once", async () => {
  const memory = memoryOf(project)
  let closed = 0
  memory.standIn = /** @type {any} */ ({ close: () => ++closed })
  memory.reload = { over: Promise.resolve() }
  const { hooks } = await load(project, "serve")
  await new Promise(setImmediate)
  assert.deepEqual([closed, memory.reload, memory.link?.open], [1, undefined, true])
  memory.instance = {} // as if a newer one were there
  await hooks.dispose()
})

test("where it cannot be, the host goes on without it, and a person is told once", async () => {
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
