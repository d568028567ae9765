// The JS end of the engine: questions with answers, facts without, effects to carry out.

/** @typedef {import("../native.mjs").Addon} Addon */
/** `data`: what the engine says to the program, not to people and models. @typedef {{ok: boolean, text: string, data?: any}} Answer */
/** @typedef {{directory: string, resolve: (answer: Answer) => void, timer?: ReturnType<typeof setTimeout>}} Pending */

const retryMs = 20
/** The inbox takes messages of up to 16 MiB; a character of JSON is at most 3 bytes of UTF-8. */
const messageCharactersMax = 5_000_000

/**
 * JSON that a strict reader takes: half of a surrogate pair, which cut texts end with, becomes U+FFFD.
 * @param {object} message
 */
function encode(message) {
  const json = JSON.stringify(message)
  if (!/\\ud[89a-f]/i.test(json)) return json
  return JSON.stringify(message, (_, value) => (typeof value === "string" ? value.toWellFormed() : value))
}

/** Answers come to the newest instance of a directory, questions from any: they meet in the process. */
const shared = /** @type {{next: number, pending: Map<string, Pending>}} */ (
  /** @type {any} */ (globalThis)[Symbol.for("opencode-orchestrator.requests")] ??= { next: 1, pending: new Map() }
)

/** A call that no engine hears of any more. The model reads it; and a call that ended so was never answered (find.js). */
const lostCall = "This call was lost: OpenCode reloads its plugins. If it matters still, you will be asked to make it again."

const elsewhere = "This directory is a worktree of a mission; its project is where missions are started and steered."

/**
 * @typedef {object} LinkOptions
 * @property {string} directory
 * @property {object} options
 * @property {(effect: any) => void} onEffect
 * @property {(link: Link) => void} [onOpen]
 * @property {Promise<void>} [after]  until then the link is not open: facts are dropped, questions wait
 */

/**
 * The link of a worktree's instance: its project's own, asked for each time, since that one may be reloaded meanwhile. What
 * is asked while there is none waits for the next.
 */
export class BorrowedLink {
  /** @param {import("./memory.js").Memory} memory of the project */
  constructor(memory) {
    this.memory = memory
  }

  /** @param {object} message */
  tell(message) {
    return this.memory.link?.tell(message) ?? false
  }

  /** @param {object} message @param {{deadlineMs?: number, fallback?: Answer}} [options] @returns {{request: string, answer: Promise<Answer>}} */
  ask(message, options = {}) {
    const { link, reload } = this.memory
    if (link && (link.open || !reload)) return link.ask(message, options)
    if (!reload) return { request: "", answer: Promise.resolve({ ok: false, text: elsewhere }) }
    const answer = reload.over.then(() => this.memory.link?.ask(message, options).answer ?? { ok: false, text: lostCall })
    return { request: "", answer }
  }

  /** @param {string} session */
  watches(session) {
    return this.memory.link?.watches(session) ?? false
  }

  /** @param {string} session */
  standing(session) {
    return this.memory.link?.standing(session)
  }

  /** @param {string} request */
  abandon(request) {
    this.memory.link?.abandon(request)
  }

  get open() {
    return this.memory.link?.open ?? false
  }
}

export class Link {
  /** @type {string[]} what the inbox had no room for */
  #waiting = []
  #closed = false
  /** @type {(object & {request: string})[]} questions from before it was open */
  #early = []
  /** @type {import("../native.mjs").Binding | undefined} */
  binding

  /** @param {Addon} addon @param {LinkOptions} options */
  constructor(addon, options) {
    this.onEffect = options.onEffect
    this.directory = options.directory
    if (!options.after) this.#open(addon, options)
    else options.after.then(() => this.#open(addon, options)).catch((error) => this.#stayShut(error))
  }

  /** @param {Addon} addon @param {LinkOptions} options */
  #open(addon, { directory, options, onOpen }) {
    if (this.#closed) return
    this.binding = addon.open({
      directory,
      options: JSON.stringify(options),
      onEffects: (json) => this.#take(json),
    })
    onOpen?.(this)
    for (const message of this.#early.splice(0)) this.tell(message)
  }

  /** The directory is gone, most likely: nobody is left in it but who has asked meanwhile. @param {unknown} error */
  #stayShut(error) {
    const text = `The orchestrator's engine cannot be reached (${error}).`
    for (const { request } of this.#early.splice(0)) this.#settle(request, { ok: false, text })
  }

  /** @param {string} json */
  #take(json) {
    for (const message of JSON.parse(json)) {
      if (message.type === "reply") this.#settle(message.request, { ok: message.ok, text: message.text, ...(message.data && { data: message.data }) })
      else if (message.type === "engine_failed") this.#fail(message)
      else this.onEffect(message)
    }
  }

  /** @param {string} request @param {Answer} answer */
  #settle(request, answer) {
    const pending = shared.pending.get(request)
    if (!pending) return
    shared.pending.delete(request)
    clearTimeout(pending.timer)
    pending.resolve(answer)
  }

  /** @param {{reason?: string}} message */
  #fail(message) {
    const text = `The orchestrator's engine failed (${message.reason ?? "no reason given"}); it recovers from its log. Try again.`
    for (const [request, { directory }] of [...shared.pending])
      if (directory === this.directory) this.#settle(request, { ok: false, text })
    this.onEffect({ type: "show_toast", variant: "error", text })
  }

  /**
   * A fact. Never blocks and never throws; what the inbox has no room for is sent a little later, in order.
   * @param {object} message
   * @returns {boolean} false: it is larger than anything that is ever taken
   */
  tell(message) {
    if (this.#closed) return false
    if (!this.binding) return true
    const json = encode(message)
    if (json.length > messageCharactersMax) return false
    if (this.#waiting.length === 0 && this.binding.post(json)) return true
    this.#waiting.push(json)
    if (this.#waiting.length === 1) setTimeout(() => this.#flush(), retryMs)
    return true
  }

  #flush() {
    while (this.#waiting.length && !this.#closed) {
      if (!this.binding?.post(/** @type {string} */ (this.#waiting[0]))) {
        setTimeout(() => this.#flush(), retryMs)
        return
      }
      this.#waiting.shift()
    }
  }

  /**
   * A question. With `deadlineMs` the answer is `fallback` after that time; without, it may take as long as a mission.
   * @param {object} message
   * @param {{deadlineMs?: number, fallback?: Answer}} [options]
   * @returns {{request: string, answer: Promise<Answer>}}
   */
  ask(message, { deadlineMs, fallback } = {}) {
    const request = `r${shared.next++}`
    const answer = new Promise((resolve) => {
      /** @type {Pending} */
      const pending = { directory: this.directory, resolve }
      if (deadlineMs !== undefined) {
        pending.timer = setTimeout(() => this.#settle(request, fallback ?? { ok: true, text: "" }), deadlineMs)
      }
      shared.pending.set(request, pending)
    })
    if (this.#closed) this.#settle(request, fallback ?? { ok: false, text: lostCall })
    else if (!this.binding) this.#early.push({ ...message, request })
    else if (!this.tell({ ...message, request })) this.#settle(request, { ok: false, text: "This call is too large; send less at once." })
    return { request, answer }
  }

  /** @param {string} session @returns {boolean} Whether a mission wants this session's events. */
  watches(session) {
    return this.binding?.watches(session) ?? false
  }

  /**
   * The answer to `role_asked` where the engine has left it: asking would wake the host, and Bun collects garbage then
   * (docs/benchmarks.md). Undefined: it must be asked.
   * @param {string} session @returns {string | undefined}
   */
  standing(session) {
    return this.#closed || this.#waiting.length ? undefined : this.binding?.standing(session)
  }

  /** Whether the engine hears what is told. */
  get open() {
    return !this.#closed && this.binding !== undefined
  }

  /** Nobody waits for this answer any more. @param {string} request */
  abandon(request) {
    this.#settle(request, { ok: false, text: lostCall })
  }

  /** Calls that wait are left to the host, which aborts them: an answer would send their models on. */
  close() {
    this.#closed = true
    this.binding?.close()
  }
}
