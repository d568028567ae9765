// A reload: OpenCode throws an instance away (POST /instance/dispose, a changed configuration) while the process lives on. It
// disposes of the plugin first, then aborts every session of the directory, and the hooks that still run bring up the
// plugin's next instance before the old one's end. The reload, not a person, causes the events of that time: they are
// not passed on. After the reload the plugin tells the engine once, and the engine asks OpenCode which sessions are left.

import { globalEvents } from "./client-calls.js"

/** Time limit for a disposal: OpenCode ends its services within a second, and does not always report the end. */
const overMs = 2_500
const connectMs = 1_000
/** A TUI that ends disposes of its instances too, and is gone a moment later: no session is to start then. */
const settleMs = 250
/** Repairs in a row: requests that keep coming can spoil each repairing reload, too. */
const repairsMax = 5

/** A timer that does not keep the process alive. @param {number} ms @returns {Promise<void>} */
const delay = (ms) => new Promise((resolve) => void setTimeout(resolve, ms).unref())

/** The events of a stream of server-sent events. @param {ReadableStream<Uint8Array>} body @returns {AsyncGenerator<any>} */
async function* eventsOf(body) {
  const decoder = new TextDecoder()
  const reader = body.getReader()
  try {
    for (let rest = ""; ; ) {
      const { value, done } = await reader.read()
      if (done) return
      const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n")
      rest = blocks.pop() ?? ""
      for (const block of blocks) yield JSON.parse(block.replace(/^data: ?/, ""))
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}

/**
 * Resolves once connected, to a promise of the disposal's end. Only OpenCode's stream of all directories reports it.
 * @param {any} client @param {string} directory
 * @returns {Promise<{ended: Promise<void>}>}
 */
async function watchDisposal(client, directory) {
  const events = eventsOf(await globalEvents(client))
  await events.next() // the first event says that the stream is connected
  const ended = (async () => {
    for await (const event of events) {
      const { type, properties } = event.payload ?? event
      if (type === "server.instance.disposed" && (properties?.directory ?? event.directory) === directory) return
    }
  })()
  return { ended }
}

/**
 * Whether OpenCode has the plugin's agents and commands. A request that meets a reload may make OpenCode build a list before
 * the plugin's next instance has added to it, and keep it: the roles are missing then.
 * @param {any} client @param {import("./adapter-state.js").AdapterState} state
 */
async function isWhole(client, { names, commands }) {
  const [agents, listed] = await Promise.all([client.app.agents(), client.command.list()])
  const has = (/** @type {any[]} */ list, /** @type {Iterable<string>} */ wanted) =>
    [...wanted].every((name) => list.some((each) => each.name === name))
  return has(agents.data ?? [], names.values()) && has(listed.data ?? [], commands)
}

/**
 * Makes OpenCode reload its instance once more if the last reload has left it without the roles.
 * @param {import("./adapter-state.js").AdapterState} state @param {any} client
 * @returns {Promise<boolean>} whether another reload is on its way
 */
export async function repair(state, client) {
  state.unchecked = false
  if (state.repairs >= repairsMax || (await isWhole(client, state))) {
    state.repairs = 0
    return false
  }
  state.repairs++
  await client.instance.dispose()
  return true
}

/**
 * What follows a disposal: if a later instance is there, a check of what OpenCode has kept; else the next instance's check.
 * A request to OpenCode without an instance would make a new one.
 * @param {import("../host.js").Orchestrator} orchestrator @param {import("./adapter-state.js").AdapterState} state @param {any} client
 */
async function settle(orchestrator, state, client) {
  await delay(settleMs)
  if (orchestrator.isNewest()) state.unchecked = true
  // After a repair: by then the calls that wait are closed, and the next reload has begun.
  else if (await repair(state, client)) await delay(overMs)
}

/**
 * Called from the instance's `dispose`, which OpenCode awaits before it disposes of the rest. Returns once it is connected to
 * the stream that reports the disposal's end.
 * @param {import("../host.js").Orchestrator} orchestrator
 * @param {{client: any, directory: string, state: import("./adapter-state.js").AdapterState}} instance
 */
export async function reload(orchestrator, { client, directory, state }) {
  /** @type {() => void} */
  let connected = () => {}
  const listening = new Promise((resolve) => (connected = () => resolve(undefined)))
  const ended = watchDisposal(client, directory).then((watched) => {
    connected()
    return watched.ended
  })
  const over = Promise.race([ended.catch(() => delay(overMs)), delay(overMs)])
    .then(() => settle(orchestrator, state, client))
    .catch(() => {}) // OpenCode is gone
  state.turns.busy.clear()
  orchestrator.reloading(over)
  await Promise.race([listening, ended.catch(() => {}), delay(connectMs)])
}
