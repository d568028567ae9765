// What the host's events say of turns: their begin, their end, their errors, and that somebody is alive.

const lifeEveryMs = 30_000

/** Sees the host's events, and tells the engine the few of them that matter, each once. */
export class TurnWatch {
  /** @type {Map<string, string>} session -> its newest assistant message that was told as begun */
  #begun = new Map()
  /** @type {Map<string, string>} session -> … as ended */
  #ended = new Map()
  /** @type {Map<string, number>} session -> when a sign of life was last told */
  #alive = new Map()
  /** @type {Map<string, string>} session -> its newest message that calls tools */
  #tooled = new Map()

  /** @type {Set<string>} sessions whose turn runs */
  #busy = new Set()

  /** @param {import("./link.js").Link} link */
  constructor(link) {
    this.link = link
  }

  /** @param {string} session */
  isBusy(session) {
    return this.#busy.has(session)
  }

  /** @param {string} message */
  usesTools(message) {
    return [...this.#tooled.values()].includes(message)
  }

  /** @param {any} event */
  see(event) {
    const data = event.properties
    switch (event.type) {
      case "message.part.delta":
        this.#life(data.sessionID)
        return
      case "message.part.updated": {
        const part = data.part
        if (!part || !this.#life(part.sessionID)) return
        if (part.type === "tool") this.#tooled.set(part.sessionID, part.messageID)
        return
      }
      case "message.updated":
        if (data.info?.role === "assistant") this.#message(data.info)
        return
      case "session.idle":
        if (this.link.watches(data.sessionID)) this.link.tell({ type: "session_idled", session: data.sessionID })
        return
      case "session.error":
        if (data.sessionID && this.link.watches(data.sessionID)) {
          const { name, data: detail } = data.error ?? {}
          const message = String(detail?.message ?? "").slice(0, 500)
          this.link.tell({ type: "session_errored", session: data.sessionID, name: String(name ?? ""), message })
        }
        return
      case "session.status":
        if (data.status?.type === "idle") this.#busy.delete(data.sessionID)
        else this.#busy.add(data.sessionID)
        if (data.status?.type === "retry" && this.link.watches(data.sessionID)) {
          const message = String(data.status.message ?? "").slice(0, 500)
          this.link.tell({ type: "session_retried", session: data.sessionID, message })
        }
        return
      case "permission.asked":
        if (this.link.watches(data.sessionID)) {
          const what = `${data.permission}: ${(data.patterns ?? []).join(", ")}`.slice(0, 500)
          this.link.tell({ type: "permission_asked", permission: data.id, session: data.sessionID, what })
        }
        return
      case "permission.replied":
        if (this.link.watches(data.sessionID)) {
          const answer = { permission: data.requestID, session: data.sessionID, allowed: data.reply !== "reject" }
          this.link.tell({ type: "permission_answered", ...answer })
        }
        return
      case "session.compacted":
        if (this.link.watches(data.sessionID)) this.link.tell({ type: "session_compacted", session: data.sessionID })
        return
      case "session.deleted": {
        const session = data.info?.id ?? data.sessionID
        if (session && this.link.watches(session)) this.link.tell({ type: "session_deleted", session })
        return
      }
    }
  }

  /** @param {string} session @returns {boolean} Whether a mission watches it. Long answers are life, too. */
  #life(session) {
    if (!session || !this.link.watches(session)) return false
    const now = Date.now()
    if (now - (this.#alive.get(session) ?? 0) > lifeEveryMs) {
      const first = !this.#alive.has(session)
      this.#alive.set(session, now)
      if (!first) this.link.tell({ type: "turn_started", session })
    }
    return true
  }

  /** @param {any} info */
  #message(info) {
    const session = info.sessionID
    if (!this.link.watches(session)) return
    if (this.#begun.get(session) !== info.id) {
      this.#begun.set(session, info.id)
      this.link.tell({ type: "turn_started", session })
    }
    if (!info.time?.completed || this.#ended.get(session) === info.id) return
    this.#ended.set(session, info.id)
    const { input = 0, output = 0, reasoning = 0, cache = {} } = info.tokens ?? {}
    this.link.tell({
      type: "turn_ended",
      session,
      tokens: input + output + reasoning + (cache.read ?? 0) + (cache.write ?? 0),
      usd: info.cost ?? 0,
      stopped: !!info.finish && !["tool-calls", "unknown"].includes(info.finish),
      message: info.id,
    })
  }
}
