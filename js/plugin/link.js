// The JS end of the engine: questions with answers, facts without, effects to carry out.

/** @typedef {import("../native.mjs").Addon} Addon */
/** @typedef {{ok: boolean, text: string}} Answer */
/** @typedef {{resolve: (answer: Answer) => void, timer?: ReturnType<typeof setTimeout>}} Pending */

const retryMs = 20

/** Answers come to the newest instance of a directory, questions from any: they meet in the process. */
const shared = /** @type {{next: number, pending: Map<string, Pending>}} */ (
  /** @type {any} */ (globalThis)[Symbol.for("opencode-orchestrator.requests")] ??= { next: 1, pending: new Map() }
)

export class Link {
  /** @type {string[]} what the inbox had no room for */
  #waiting = []
  #closed = false

  /**
   * @param {Addon} addon
   * @param {{directory: string, options: object, onEffect: (effect: any) => void}} options
   */
  constructor(addon, { directory, options, onEffect }) {
    this.onEffect = onEffect
    this.binding = addon.open({
      directory,
      options: JSON.stringify(options),
      onEffects: (json) => this.#take(json),
    })
  }

  /** @param {string} json */
  #take(json) {
    for (const message of JSON.parse(json)) {
      if (message.type === "reply") this.#settle(message.request, { ok: message.ok, text: message.text })
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
    for (const request of [...shared.pending.keys()]) this.#settle(request, { ok: false, text })
    this.onEffect({ type: "show_toast", variant: "error", text })
  }

  /**
   * A fact. Never blocks and never throws; what the inbox has no room for is sent a little later, in order.
   * @param {object} message
   */
  tell(message) {
    if (this.#closed) return
    const json = JSON.stringify(message)
    if (this.#waiting.length === 0 && this.binding.post(json)) return
    this.#waiting.push(json)
    if (this.#waiting.length === 1) setTimeout(() => this.#flush(), retryMs)
  }

  #flush() {
    while (this.#waiting.length && !this.#closed) {
      if (!this.binding.post(/** @type {string} */ (this.#waiting[0]))) {
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
      const pending = { resolve }
      if (deadlineMs !== undefined) {
        pending.timer = setTimeout(() => this.#settle(request, fallback ?? { ok: true, text: "" }), deadlineMs)
      }
      shared.pending.set(request, pending)
    })
    if (this.#closed) this.#settle(request, fallback ?? { ok: false, text: "The orchestrator has been unloaded." })
    else this.tell({ ...message, request })
    return { request, answer }
  }

  /** @param {string} session @returns {boolean} Whether a mission wants this session's events. */
  watches(session) {
    return this.binding.watches(session)
  }

  close() {
    this.#closed = true
    this.binding.close()
  }
}
