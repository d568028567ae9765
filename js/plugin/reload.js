// The host throws an instance away (POST /instance/dispose, a changed configuration) while the process lives on. It tells
// the plugin first, then aborts every session of the directory, and the hooks that still run bring up the plugin's next
// instance before the old one's end. What it says meanwhile is the reload's doing and nobody's wish: it is not listened
// to. When all is over the engine hears of it once, and asks the host what is left.

/** The host works through its services within a second, and does not always say when it is done. */
const overMs = 2_500
const connectMs = 1_000
/** A TUI that ends disposes of its instances, too, and is gone a moment later: no session is to start then. */
const settleMs = 250
/** Somebody who asks all the time meets each reload that is to mend the one before. */
const mendsMax = 5

/** @typedef {{over: Promise<void>}} Reload */

/** @param {number} ms @returns {Promise<void>} that keeps no process alive */
const delay = (ms) => new Promise((resolve) => void setTimeout(resolve, ms).unref())

/** @param {ReadableStream<Uint8Array>} body @returns {AsyncGenerator<any>} what a stream of server-sent events says */
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
 * Resolves when the host listens, to a promise of the disposal's end. Only the host's stream of all directories says it.
 * @param {any} client @param {string} directory
 * @returns {Promise<{ended: Promise<void>}>}
 */
async function watchDisposal(client, directory) {
  const { data } = await client._client.get({ url: "/global/event", parseAs: "stream" })
  const events = eventsOf(data)
  await events.next() // the first thing it says is that we are connected
  const ended = (async () => {
    for await (const event of events) {
      const { type, properties } = event.payload ?? event
      if (type === "server.instance.disposed" && (properties?.directory ?? event.directory) === directory) return
    }
  })()
  return { ended }
}

/**
 * A request that meets a reload may make the host build a list before the plugin's next instance has said what is to stand
 * in it, and keep it. Without agents and commands the roles are gone.
 * @param {any} client @param {import("./memory.js").Memory} memory
 */
async function isWhole(client, { names, commands }) {
  const [agents, listed] = await Promise.all([client.app.agents(), client.command.list()])
  const has = (/** @type {any[]} */ list, /** @type {Iterable<string>} */ wanted) =>
    [...wanted].every((name) => list.some((each) => each.name === name))
  return has(agents.data ?? [], names.values()) && has(listed.data ?? [], commands)
}

/**
 * Has the host make its instance anew if the reload before has left it without the roles.
 * @param {import("./memory.js").Memory} memory @param {any} client
 * @returns {Promise<boolean>} whether another reload is on its way
 */
export async function mend(memory, client) {
  memory.unsure = false
  if (memory.mends >= mendsMax || (await isWhole(client, memory))) {
    memory.mends = 0
    return false
  }
  memory.mends++
  await client.instance.dispose()
  return true
}

/**
 * To be called from the instance's `dispose`, which the host awaits before it is done. Returns when the end of the
 * disposal cannot be missed any more.
 * @param {import("./memory.js").Memory} memory
 * @param {{client: any, directory: string, standIn: () => void}} instance
 *   `standIn`: called when it is over and no other instance is there to go on
 */
export async function reload(memory, { client, directory, standIn }) {
  const gone = memory.instance
  /** @type {() => void} */
  let connected = () => {}
  const listening = new Promise((resolve) => (connected = () => resolve(undefined)))
  const ended = watchDisposal(client, directory).then((watched) => {
    connected()
    return watched.ended
  })
  const over = Promise.race([ended.catch(() => delay(overMs)), delay(overMs)])
    .then(() => delay(settleMs))
    .then(async () => {
      // To look would bring an instance back; the next one will.
      if (memory.instance === gone) memory.unsure = true
      else if (await mend(memory, client)) await delay(overMs) // by then what waits for us is closed, the next reload begun
    })
    .catch(() => {}) // a host that is gone
  memory.reload = { over }
  memory.turns.busy.clear()
  over.then(() => memory.instance === gone && standIn())
  await Promise.race([listening, ended.catch(() => {}), delay(connectMs)])
}
