// A reload of the host's instance: when it is over, and whether the roles are there afterwards.

import assert from "node:assert/strict"
import { test } from "node:test"
import { newMemory } from "../../js/plugin/memory.js"
import { mend, reload } from "../../js/plugin/reload.js"

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

function memoryOfRoles() {
  const memory = newMemory()
  memory.names.set("worker", "Worker")
  memory.names.set("planner", "planner")
  memory.commands = new Set(["task", "stop"])
  memory.unsure = true
  return memory
}

test("an instance without one of the roles or commands is made anew, a few times", async () => {
  for (const [agents, commands, whole] of /** @type {[string[], string[], boolean][]} */ ([
    [["Worker", "planner", "build"], ["task", "stop", "init"], true],
    [["planner"], ["task", "stop"], false],
    [["Worker", "planner"], ["task"], false],
    [["worker", "planner"], ["task", "stop"], false],
  ])) {
    const memory = memoryOfRoles()
    memory.mends = 1
    const { client, said } = host(agents, commands)
    assert.equal(await mend(memory, client), !whole, `${agents} ${commands}`)
    assert.deepEqual([said.disposed, memory.mends, memory.unsure], [whole ? 0 : 1, whole ? 0 : 2, false])
  }
  const memory = memoryOfRoles()
  const { client, said } = host([], [])
  for (let i = 0; i < 5; ++i) assert.equal(await mend(memory, client), true)
  assert.equal(await mend(memory, client), false, "it would go on for ever")
  assert.deepEqual([said.disposed, memory.mends], [5, 0])
})

/** @param {ReturnType<typeof host>} it @param {import("../../js/plugin/memory.js").Memory} memory */
function begin(it, memory) {
  memory.instance = {}
  memory.turns.busy.add("ses")
  const seen = { heard: false, over: false, standIns: 0 }
  reload(memory, { client: it.client, directory: "/d", standIn: () => void ++seen.standIns }).then(() => (seen.heard = true))
  memory.reload?.over.then(() => (seen.over = true))
  return seen
}

test("it waits until the host listens, and is over when the host says so of this directory", async () => {
  const it = host(["Worker", "planner"], ["task", "stop"])
  const memory = memoryOfRoles()
  const seen = begin(it, memory)
  assert.equal(memory.turns.busy.size, 0)
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
  assert.deepEqual([seen.over, seen.standIns, memory.unsure], [true, 1, true])
})

test("an instance that came meanwhile is looked at, and no other stands in for it", async () => {
  const it = host(["Worker", "planner"], ["task", "stop"])
  const memory = memoryOfRoles()
  const seen = begin(it, memory)
  memory.instance = {}
  it.event({ type: "server.connected" })
  it.event({ type: "server.instance.disposed", properties: { directory: "/d" } })
  await sleep(400)
  assert.deepEqual([seen.over, seen.standIns, memory.unsure, it.said.disposed], [true, 0, false, 0])
})

test("a host that does not say when it is done is waited for no longer than its work takes", async () => {
  const it = host([], [])
  const memory = memoryOfRoles()
  const seen = begin(it, memory)
  await sleep(500)
  assert.equal(seen.heard, false)
  await sleep(700)
  assert.deepEqual([seen.heard, seen.over], [true, false])
  await sleep(1000)
  assert.equal(seen.over, false)
  await sleep(900)
  assert.deepEqual([seen.over, seen.standIns], [true, 1])
})
