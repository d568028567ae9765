// What the host's events say of turns: their begin, their end, their errors, and that somebody is alive.

import { missionTools } from "./tools.js"

const lifeEveryMs = 30_000
/** Two instances see an event within the same moment; so many later it is forgotten. */
const eventsMax = 2_000

/**
 * @typedef {object} TurnMemory
 * @property {Map<string, string>} begun   session -> its newest assistant message that was told as begun
 * @property {Map<string, string>} ended   session -> … as ended
 * @property {Map<string, number>} alive   session -> when a sign of life was last told
 * @property {Map<string, string>} tooled  session -> its newest message that calls tools
 * @property {Set<string>} busy            sessions whose turn runs
 * @property {Set<string>} seen            the newest events, by the host's ids
 * @property {Map<string, string>} filled  session -> its newest message with something in it
 * @property {Map<string, {ended: Set<string>, failed: boolean}>} calls
 *   session -> the calls of one message that have ended, and whether the newest failed
 */

/** @returns {TurnMemory} */
export function turnMemory() {
  return {
    begun: new Map(),
    ended: new Map(),
    alive: new Map(),
    tooled: new Map(),
    busy: new Set(),
    seen: new Set(),
    filled: new Map(),
    calls: new Map(),
  }
}

/** Sees the host's events, and tells the engine the few of them that matter, each once. */
export class TurnWatch {
  #begun
  #ended
  #alive
  #tooled
  #busy
  #seen
  #filled
  #calls

  /**
   * @param {import("./link.js").Link | import("./link.js").BorrowedLink} link
   * @param {TurnMemory} [memory] that instances of one directory share: an event that reaches two is told once
   */
  constructor(link, memory = turnMemory()) {
    this.link = link
    this.#begun = memory.begun
    this.#ended = memory.ended
    this.#alive = memory.alive
    this.#tooled = memory.tooled
    this.#busy = memory.busy
    this.#seen = memory.seen
    this.#filled = memory.filled
    this.#calls = memory.calls
  }

  /** @param {string | undefined} id @returns {boolean} Whether another instance was faster. */
  #isOld(id) {
    if (!id) return false
    if (this.#seen.has(id)) return true
    this.#seen.add(id)
    if (this.#seen.size > eventsMax) this.#seen.delete(/** @type {string} */ (this.#seen.values().next().value))
    return false
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
    // One that is gone hears still, but is not heard.
    if (!this.link.open || this.#isOld(event.id)) return
    const data = event.properties
    switch (event.type) {
      case "message.part.delta":
        this.#life(data.sessionID)
        return
      case "message.part.updated": {
        const part = data.part
        if (!part || !this.#life(part.sessionID)) return
        if (part.type === "tool") {
          this.#tooled.set(part.sessionID, part.messageID)
          this.#call(part)
        }
        if (part.type === "tool" || (part.type === "text" && part.text?.trim())) {
          this.#filled.set(part.sessionID, part.messageID)
        }
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
          const status = Number.isInteger(detail?.statusCode) ? detail.statusCode : 0
          const error = { name: String(name ?? ""), message, status }
          this.link.tell({ type: "session_errored", session: data.sessionID, ...error })
        }
        return
      case "session.status":
        if (data.status?.type === "idle") this.#busy.delete(data.sessionID)
        else this.#busy.add(data.sessionID)
        if (data.status?.type === "retry" && this.link.watches(data.sessionID)) {
          const message = String(data.status.message ?? "").slice(0, 500)
          // The host tells when; the engine's clock need not be ours.
          const { attempt = 0, next = 0 } = data.status
          const delay_ms = Math.max(0, Math.round(next - Date.now()))
          this.link.tell({ type: "session_retried", session: data.sessionID, message, attempt, delay_ms })
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

  /**
   * Tells a call that has failed, and whether the one before it had. Refusals of our own tools are the engine's own
   * words; what was aborted is no failure of the tool.
   * @param {any} part
   */
  #call(part) {
    const { status, error, input, metadata } = part.state ?? {}
    if (status !== "completed" && status !== "error") return
    const calls = this.#calls.get(part.sessionID) ?? { ended: new Set(), failed: false }
    this.#calls.set(part.sessionID, calls)
    if (calls.ended.has(part.id)) return
    calls.ended.add(part.id)
    const garbled = part.tool === "invalid"
    const failed = garbled || (status === "error" && !metadata?.interrupted)
    const running = calls.failed
    calls.failed = failed
    if (!failed || part.tool in missionTools) return
    const tool = String((garbled && input?.tool) || part.tool)
    const words = String((garbled ? input?.error : error) ?? "").slice(0, 1000)
    this.link.tell({ type: "tool_failed", session: part.sessionID, tool, error: words, running, garbled })
  }

  /** @param {any} info */
  #message(info) {
    const session = info.sessionID
    if (!this.link.watches(session)) return
    if (this.#begun.get(session) !== info.id) {
      this.#begun.set(session, info.id)
      this.#calls.get(session)?.ended.clear()
      this.link.tell({ type: "turn_started", session, model: modelOf(info) })
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
      model: modelOf(info),
      empty: !info.error && this.#filled.get(session) !== info.id,
      failed: !!info.error,
      message: info.id,
    })
  }
}

/** @param {any} info */
const modelOf = (info) => (info.providerID && info.modelID ? `${info.providerID}/${info.modelID}` : "")
