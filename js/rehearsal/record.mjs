// The record of what a model was asked and what it answered, and a way to wait for it.

/**
 * @typedef {object} ModelRequest
 * @property {number} index
 * @property {number} at            ms since the epoch, fractions kept: the request's body had arrived
 * @property {number|null} ended_at ms since the epoch: the last byte was handed to the socket, or it closed
 * @property {number} own_ms        the server's own time, latency not counted
 * @property {string} session
 * @property {string|null} parent
 * @property {string} role
 * @property {string|null} task
 * @property {number} bytes
 * @property {number} system_bytes
 * @property {number} tools_bytes
 * @property {string} answer        one line
 * @property {string|null} fault
 * @property {boolean} last         no tool call in the answer: the session's turn ends with it
 * @property {boolean} aborted      the client went away first
 */

/** Wall clock with sub-millisecond digits. */
export const now = () => performance.timeOrigin + performance.now()

export class Record {
  constructor() {
    /** @type {ModelRequest[]} */
    this.requests = []
    /** @type {Set<(kind: "start"|"end", request: ModelRequest) => void>} */
    this.listeners = new Set()
  }

  /** @param {Omit<ModelRequest, "index"|"ended_at"|"aborted">} fields @returns {ModelRequest} */
  start(fields) {
    const request = { index: this.requests.length, ended_at: null, aborted: false, ...fields }
    this.requests.push(request)
    for (const listener of [...this.listeners]) listener("start", request)
    return request
  }

  /** @param {ModelRequest} request @param {boolean} aborted */
  end(request, aborted) {
    if (request.ended_at !== null) return
    request.ended_at = now()
    request.aborted = aborted
    for (const listener of [...this.listeners]) listener("end", request)
  }

  /**
   * @param {(kind: "start"|"end", request: ModelRequest) => void} listener
   * @returns {() => void} stops listening
   */
  subscribe(listener) {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /**
   * The first answered request that the predicate takes, past or to come.
   * @param {(request: ModelRequest) => boolean} predicate
   * @param {{timeoutMs?: number, from?: number, started?: boolean}} [options] `from`: only requests of
   *   that index on; `started`: do not wait for the answer to end
   * @returns {Promise<ModelRequest>}
   */
  waitFor(predicate, { timeoutMs = 60_000, from = 0, started = false } = {}) {
    const seen = this.requests.find((r) => r.index >= from && (started || r.ended_at !== null) && predicate(r))
    if (seen) return Promise.resolve(seen)
    return new Promise((resolve, reject) => {
      const stop = this.subscribe((kind, request) => {
        if (request.index < from || (kind === "start" && !started) || !predicate(request)) return
        clearTimeout(timer)
        stop()
        resolve(request)
      })
      const timer = setTimeout(() => {
        stop()
        const tail = this.requests.slice(-5).map((r) => `${r.role} ${r.task ?? ""} ${r.answer}`)
        reject(new Error(`no such answer in ${timeoutMs} ms; the last were: ${tail.join(" | ") || "none"}`))
      }, timeoutMs)
    })
  }

  /** Every answer in the order in which they end, from the first on, without end. */
  async *answers() {
    /** @type {ModelRequest[]} */
    const queue = this.requests.filter((r) => r.ended_at !== null)
    queue.sort((a, b) => (a.ended_at ?? 0) - (b.ended_at ?? 0))
    /** @type {(() => void)|null} */
    let wake = null
    const stop = this.subscribe((kind, request) => {
      if (kind === "end") {
        queue.push(request)
        wake?.()
      }
    })
    try {
      for (;;) {
        const next = queue.shift()
        if (next) yield next
        else await /** @type {Promise<void>} */ (new Promise((resolve) => (wake = resolve)))
      }
    } finally {
      stop()
    }
  }
}
