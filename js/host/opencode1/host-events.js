// Turns OpenCode's events into facts: begin, life and end of turns, errors, retries, permissions, and failed tool calls.

import { contribution } from "../../plugin/contribution.js"

const lifeEveryMs = 30_000
/** Event ids that are remembered: two instances of a directory receive an event at about the same time. */
const eventsMax = 2_000
const textMax = 500
const toolErrorMax = 1_000
const { tools: missionTools } = contribution

/**
 * @typedef {object} TurnMemory
 * @property {Map<string, string>} begun   session -> its newest assistant message whose begin was reported
 * @property {Map<string, string>} ended   session -> … whose end was reported
 * @property {Map<string, number>} alive   session -> when a sign of life was last reported
 * @property {Map<string, string>} tooled  session -> its newest message that calls tools
 * @property {Set<string>} busy            sessions whose turn runs
 * @property {Set<string>} seen            the newest events, by OpenCode's ids
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

/** @typedef {Pick<import("../host.js").Orchestrator, "open" | "watches" | "tell">} Listener */

/** Reports the events that matter to the orchestrator, each once. */
export class HostEvents {
  /**
   * @param {Listener} listener
   * @param {TurnMemory} [memory] shared by the instances of one directory: an event that reaches two is reported once
   */
  constructor(listener, memory = turnMemory()) {
    this.listener = listener
    this.memory = memory
  }

  /** @param {string} session */
  isBusy(session) {
    return this.memory.busy.has(session)
  }

  /** @param {string} message */
  usesTools(message) {
    return [...this.memory.tooled.values()].includes(message)
  }

  /** @param {any} event */
  see(event) {
    // A disposed instance still receives events; ignore them.
    if (!this.listener.open || isOld(this.memory, event.id)) return
    readers[event.type]?.(this, event.properties)
  }
}

/** Whether another instance has reported this event. @param {TurnMemory} memory @param {string | undefined} id */
function isOld({ seen }, id) {
  if (!id) return false
  if (seen.has(id)) return true
  seen.add(id)
  if (seen.size > eventsMax) seen.delete(/** @type {string} */ (seen.values().next().value))
  return false
}

/**
 * Any part of an answer is a sign of life. The first part belongs to the turn's begin, which `message.updated` reports.
 * @param {HostEvents} events @param {string} session @returns {boolean} Whether a mission watches the session.
 */
function signOfLife({ listener, memory: { alive } }, session) {
  if (!session || !listener.watches(session)) return false
  const now = Date.now()
  if (now - (alive.get(session) ?? 0) > lifeEveryMs) {
    const first = !alive.has(session)
    alive.set(session, now)
    if (!first) listener.tell({ type: "turn_started", session })
  }
  return true
}

/** @param {HostEvents} events @param {any} data of message.part.updated */
function partUpdated(events, { part }) {
  if (!part || !signOfLife(events, part.sessionID)) return
  const { tooled, filled } = events.memory
  if (part.type === "tool") {
    tooled.set(part.sessionID, part.messageID)
    callUpdated(events, part)
  }
  if (part.type === "tool" || (part.type === "text" && part.text?.trim())) filled.set(part.sessionID, part.messageID)
}

/**
 * Reports a failed call and whether the call before it failed too. Not reported: refusals of mission tools, which are the
 * engine's own text, and aborted calls.
 * @param {HostEvents} events @param {any} part
 */
function callUpdated({ listener, memory }, part) {
  const { status, error, input, metadata } = part.state ?? {}
  if (status !== "completed" && status !== "error") return
  const calls = memory.calls.get(part.sessionID) ?? { ended: new Set(), failed: false }
  memory.calls.set(part.sessionID, calls)
  if (calls.ended.has(part.id)) return
  calls.ended.add(part.id)
  const garbled = part.tool === "invalid" // OpenCode's replacement for a call that it cannot parse
  const failed = garbled || (status === "error" && !metadata?.interrupted)
  const running = calls.failed
  calls.failed = failed
  if (!failed || part.tool in missionTools) return
  const tool = String((garbled && input?.tool) || part.tool)
  const text = String((garbled ? input?.error : error) ?? "").slice(0, toolErrorMax)
  listener.tell({ type: "tool_failed", session: part.sessionID, tool, error: text, running, garbled })
}

/** @param {HostEvents} events @param {any} data of message.updated */
function messageUpdated({ listener, memory }, { info }) {
  const session = info?.sessionID
  if (info?.role !== "assistant" || !listener.watches(session)) return
  if (memory.begun.get(session) !== info.id) {
    memory.begun.set(session, info.id)
    memory.calls.get(session)?.ended.clear()
    listener.tell({ type: "turn_started", session, model: modelOf(info) })
  }
  if (!info.time?.completed || memory.ended.get(session) === info.id) return
  memory.ended.set(session, info.id)
  listener.tell(turnEnded(info, memory.filled.get(session) !== info.id))
}

/** @param {any} info of an assistant's message @param {boolean} empty @returns {import("../host.js").TurnEnded} */
function turnEnded(info, empty) {
  const { input = 0, output = 0, reasoning = 0, cache = {} } = info.tokens ?? {}
  return {
    type: "turn_ended",
    session: info.sessionID,
    tokens: input + output + reasoning + (cache.read ?? 0) + (cache.write ?? 0),
    usd: info.cost ?? 0,
    stopped: !!info.finish && !["tool-calls", "unknown"].includes(info.finish),
    model: modelOf(info),
    empty: !info.error && empty,
    failed: !!info.error,
    message: info.id,
  }
}

/** @param {any} info */
const modelOf = (info) => (info.providerID && info.modelID ? `${info.providerID}/${info.modelID}` : "")

/** @param {HostEvents} events @param {any} data of session.error; the error's text is in its data (host contract 6) */
function sessionFailed({ listener }, { sessionID: session, error }) {
  if (!session || !listener.watches(session)) return
  const { name, data } = error ?? {}
  const message = String(data?.message ?? "").slice(0, textMax)
  const status = Number.isInteger(data?.statusCode) ? data.statusCode : 0
  listener.tell({ type: "session_errored", session, name: String(name ?? ""), message, status })
}

/** @param {HostEvents} events @param {any} data of session.status */
function statusChanged({ listener, memory: { busy } }, { sessionID: session, status }) {
  if (status?.type === "idle") busy.delete(session)
  else busy.add(session)
  if (status?.type !== "retry" || !listener.watches(session)) return
  const message = String(status.message ?? "").slice(0, textMax)
  // OpenCode gives a time of its own clock; the engine's clock may differ.
  const { attempt = 0, next = 0 } = status
  const delay_ms = Math.max(0, Math.round(next - Date.now()))
  listener.tell({ type: "session_retried", session, message, attempt, delay_ms })
}

/** @param {HostEvents} events @param {any} data of permission.asked */
function permissionAsked({ listener }, { id, sessionID: session, permission, patterns = [] }) {
  if (!listener.watches(session)) return
  const what = `${permission}: ${patterns.join(", ")}`.slice(0, textMax)
  listener.tell({ type: "permission_asked", permission: id, session, what })
}

/** @param {HostEvents} events @param {any} data of permission.replied */
function permissionReplied({ listener }, { requestID, sessionID: session, reply }) {
  if (!listener.watches(session)) return
  listener.tell({ type: "permission_answered", permission: requestID, session, allowed: reply !== "reject" })
}

/** @param {"session_idled" | "session_compacted" | "session_deleted"} type */
const changed = (type) => (/** @type {HostEvents} */ { listener }, /** @type {any} */ data) => {
  const session = data.info?.id ?? data.sessionID
  if (session && listener.watches(session)) listener.tell({ type, session })
}

/** OpenCode's name of an event -> its reader. @type {Record<string, (events: HostEvents, data: any) => void>} */
const readers = {
  "message.part.delta": (events, data) => void signOfLife(events, data.sessionID),
  "message.part.updated": partUpdated,
  "message.updated": messageUpdated,
  "session.idle": changed("session_idled"),
  "session.error": sessionFailed,
  "session.status": statusChanged,
  "permission.asked": permissionAsked,
  "permission.replied": permissionReplied,
  "session.compacted": changed("session_compacted"),
  "session.deleted": changed("session_deleted"),
}
