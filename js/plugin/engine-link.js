// The JS end of the engine: messages that need no answer (`tell`), questions (`ask`), effects to carry out.

/** @typedef {import("../native.mjs").Addon} Addon */
/** `data`: for the program, not for people and models. @typedef {{ok: boolean, text: string, data?: any}} Answer */
/** @typedef {{directory: string, resolve: (answer: Answer) => void, timer?: ReturnType<typeof setTimeout>}} Pending */

const retryMs = 20
/** The inbox takes messages of up to 16 MiB; a character of JSON is at most 3 bytes of UTF-8. */
const messageCharactersMax = 5_000_000

/**
 * JSON for a strict reader: a lone surrogate, with which a cut text may end, becomes U+FFFD.
 * @param {object} message
 */
function encode(message) {
  const json = JSON.stringify(message)
  if (!/\\ud[89a-f]/i.test(json)) return json
  return JSON.stringify(message, (_, value) => (typeof value === "string" ? value.toWellFormed() : value))
}

/** Calls that wait for an answer, of all links: any instance of a directory asks, the newest one gets the answers. */
const shared = /** @type {{next: number, pending: Map<string, Pending>}} */ (
  /** @type {any} */ (globalThis)[Symbol.for("opencode-orchestrator.requests")] ??= { next: 1, pending: new Map() }
)

/** The end of a call that no engine answers any more. A model reads the text, and an adapter's `findSessions` recognizes it. */
export const lostCall = "This call was lost: OpenCode reloads its plugins. If it is still needed, the mission will ask for it again."

const elsewhere = "This directory is a worktree of a mission; start and control missions in the project's own directory."

/**
 * @typedef {object} LinkOptions
 * @property {string} directory
 * @property {object} options
 * @property {(effect: any) => void} onEffect
 * @property {(link: EngineLink) => void} [onOpen]
 * @property {Promise<void>} [after]  until then the link is not open: it drops facts and keeps questions
 */

/**
 * The link of a worktree's instance: it passes everything to the project's newest link, which a reload may replace. Questions
 * asked while there is none wait for the next.
 */
export class ProjectLink {
  /** @param {import("./directory-state.js").DirectoryState} project */
  constructor(project) {
    this.project = project
  }

  /** @param {object} message */
  tell(message) {
    return this.project.link?.tell(message) ?? false
  }

  /** @param {object} message @param {{deadlineMs?: number, fallback?: Answer}} [options] @returns {{request: string, answer: Promise<Answer>}} */
  ask(message, options = {}) {
    const { link, reload } = this.project
    if (link && (link.open || !reload)) return link.ask(message, options)
    if (!reload) return { request: "", answer: Promise.resolve({ ok: false, text: elsewhere }) }
    const answer = reload.over.then(() => this.project.link?.ask(message, options).answer ?? { ok: false, text: lostCall })
    return { request: "", answer }
  }

  /** @param {string} session */
  watches(session) {
    return this.project.link?.watches(session) ?? false
  }

  /** @param {string} session */
  sessionInfo(session) {
    return this.project.link?.sessionInfo(session)
  }

  /** @param {string} request */
  abandon(request) {
    this.project.link?.abandon(request)
  }

  get open() {
    return this.project.link?.open ?? false
  }
}

export class EngineLink {
  /** @type {string[]} messages that the inbox had no room for */
  #waiting = []
  #closed = false
  /** @type {(object & {request: string})[]} questions from before the link was open */
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

  /** Rejects the questions queued meanwhile; most likely the directory is gone. @param {unknown} error */
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
   * Sends a message that needs no answer. Never blocks and never throws; a message that the inbox has no room for is sent a
   * little later, in order.
   * @param {object} message
   * @returns {boolean} false: the message is too large to be ever taken, or the link is closed
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
   * Asks a question. With `deadlineMs` the answer is `fallback` after that time; without, it may take as long as a mission.
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
        pending.timer.unref() // the question may outlive its link
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
   * The engine's answer to `role_asked`, if it has left one; undefined: ask. Reading it wakes no thread, where Bun would
   * collect garbage (docs/lab/benchmarks.md).
   * @param {string} session @returns {string | undefined}
   */
  sessionInfo(session) {
    return this.#closed || this.#waiting.length ? undefined : this.binding?.sessionInfo(session)
  }

  /** Whether messages reach the engine. */
  get open() {
    return !this.#closed && this.binding !== undefined
  }

  /** Ends a call that its caller gave up. @param {string} request */
  abandon(request) {
    this.#settle(request, { ok: false, text: lostCall })
  }

  /** Closes without answering the calls that wait: the host aborts them, and an answer would let their models go on. */
  close() {
    this.#closed = true
    this.binding?.close()
  }
}
