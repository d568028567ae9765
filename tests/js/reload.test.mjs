// A reload of OpenCode's instance: when it is over, and whether the roles are there afterwards.

import assert from "node:assert/strict"
import { test } from "node:test"
import { newAdapterState } from "../../js/host/opencode1/adapter-state.js"
import { reload, repair } from "../../js/host/opencode1/reload.js"

const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** @param {string[]} agents @param {string[]} commands that the host has */
function host(agents, commands) {
  const named = (/** @type {string[]} */ names) => names.map((name) => ({ name }))
  const said = { disposed: 0, urls: /** @type {string[]} */ ([]) }
  /** @type {ReadableStreamDefaultController<Uint8Array> | undefined} */
  let stream
  const data = new ReadableStream({ start: (controller) => void (stream = controller) })
  const client = {
    app: { agents: async () => ({ data: named(agents) }) },
    command: { list: async () => ({ data: named(commands) }) },
    instance: { dispose: async () => void ++said.disposed },
    _client: { get: async (/** @type {any} */ call) => (said.urls.push(call.url), { data }) },
  }
  const say = (/** @type {string} */ text) => stream?.enqueue(new TextEncoder().encode(text))
  const event = (/** @type {any} */ it) => say(`data: ${JSON.stringify(it)}\n\n`)
  return { client, said, say, event, end: () => stream?.close() }
}

function stateOfRoles() {
  const state = newAdapterState()
  state.names.set("worker", "Worker")
  state.names.set("planner", "planner")
  state.commands = new Set(["task", "stop"])
  state.unchecked = true
  return state
}

test("an instance without one of the roles or commands is reloaded once more, a few times", async () => {
  for (const [agents, commands, whole] of /** @type {[string[], string[], boolean][]} */ ([
    [["Worker", "planner", "build"], ["task", "stop", "init"], true],
    [["planner"], ["task", "stop"], false],
    [["Worker", "planner"], ["task"], false],
    [["worker", "planner"], ["task", "stop"], false],
  ])) {
    const state = stateOfRoles()
    state.repairs = 1
    const { client, said } = host(agents, commands)
    assert.equal(await repair(state, client), !whole, `${agents} ${commands}`)
    assert.deepEqual([said.disposed, state.repairs, state.unchecked], [whole ? 0 : 1, whole ? 0 : 2, false])
  }
  const state = stateOfRoles()
  const { client, said } = host([], [])
  for (let i = 0; i < 5; ++i) assert.equal(await repair(state, client), true)
  assert.equal(await repair(state, client), false, "it would go on for ever")
  assert.deepEqual([said.disposed, state.repairs], [5, 0])
})

/** @param {ReturnType<typeof host>} it @param {ReturnType<typeof newAdapterState>} state */
function begin(it, state) {
  state.turns.busy.add("ses")
  state.unchecked = false
  const seen = { newest: true, begun: 0, heard: false, over: false }
  const reloading = (/** @type {Promise<void>} */ over) => {
    ++seen.begun
    over.then(() => (seen.over = true))
  }
  const orchestrator = /** @type {any} */ ({ isNewest: () => seen.newest, reloading })
  reload(orchestrator, { client: it.client, directory: "/d", state }).then(() => (seen.heard = true))
  return seen
}

test("it waits until the host listens, and is over when the host says so of this directory", async () => {
  const it = host(["Worker", "planner"], ["task", "stop"])
  const state = stateOfRoles()
  const seen = begin(it, state)
  assert.deepEqual([state.turns.busy.size, seen.begun], [0, 1], "told before OpenCode goes on")
  await sleep(20)
  assert.deepEqual([it.said.urls, seen.heard], [["/global/event"], false])
  it.event({ payload: { type: "server.connected", properties: {} } })
  await sleep(20)
  assert.deepEqual([seen.heard, seen.over], [true, false])
  it.event({ payload: { type: "server.instance.disposed", properties: { directory: "/other" } } })
  it.event({ payload: { type: "session.idle", properties: { directory: "/d" } } })
  await sleep(350)
  assert.equal(seen.over, false)
  // An event may come in two pieces.
  it.say('data: {"directory":"/d","payload":{"type":"server.instance.dis')
  it.say('posed"}}\n\n')
  await sleep(100)
  assert.equal(seen.over, false, "a host that ends is gone by then")
  await sleep(300)
  assert.deepEqual([seen.over, state.unchecked, it.said.disposed], [true, true, 0])
})

test("where an instance came meanwhile, OpenCode is asked what it has kept", async () => {
  const it = host(["Worker", "planner"], ["task", "stop"])
  const state = stateOfRoles()
  const seen = begin(it, state)
  seen.newest = false
  state.unchecked = true
  it.event({ type: "server.connected" })
  it.event({ type: "server.instance.disposed", properties: { directory: "/d" } })
  await sleep(400)
  assert.deepEqual([seen.over, state.unchecked, it.said.disposed], [true, false, 0])
})

test("where OpenCode has lost the roles, the next reload begins before this one is over", async () => {
  const it = host([], [])
  const state = stateOfRoles()
  const seen = begin(it, state)
  seen.newest = false
  it.event({ type: "server.connected" })
  it.event({ type: "server.instance.disposed", properties: { directory: "/d" } })
  await sleep(400)
  assert.deepEqual([seen.over, it.said.disposed, state.repairs], [false, 1, 1])
  await sleep(2_600)
  assert.equal(seen.over, true)
})

test("a reload whose end OpenCode does not report is over when its work must be done", async () => {
  const it = host([], [])
  const state = stateOfRoles()
  const seen = begin(it, state)
  await sleep(500)
  assert.equal(seen.heard, false)
  await sleep(700)
  assert.deepEqual([seen.heard, seen.over], [true, false])
  await sleep(1000)
  assert.equal(seen.over, false)
  await sleep(900)
  assert.deepEqual([seen.over, state.unchecked], [true, true])
})
