// Reads a request: its role, its task, and what has happened since the role's newest prompt. Stateless: the
// same request always reads the same way, so a script survives a restart of the model server or of the host.

import { isRefusal } from "./goals.mjs"

/**
 * @typedef {{id: string, name: string, args: any, raw: string, result: string|null}} Call
 * @typedef {{role: "user"|"assistant"|"tool"|"system", content?: any, tool_calls?: any[], tool_call_id?: string}} Message
 * @typedef {"title"|"summary"|"commander"|"planner"|"worker"|"reviewer"|"master"|"chat"} Role
 * @typedef {object} Turn
 * @property {Role} role
 * @property {string|null} task        task id from the role prompt; "mission" for the master review
 * @property {string} title            what follows the id in the role prompt's first line
 * @property {boolean} rework
 * @property {string} prompt           full text of the newest role prompt
 * @property {number} ordinal          how many prompts of this very kind this session has had, from 1
 * @property {Call[]} calls            tool calls since that prompt, oldest first
 * @property {number} texts            assistant messages without a tool call since that prompt
 * @property {number} answers          assistant messages since that prompt
 * @property {string} last             role of the newest message
 * @property {string} userText         text of the newest user message
 * @property {Set<string>} tools       names of the tools on offer
 * @property {string} directory        the session's working directory, "" if the request does not say it
 * @property {Message[]} messages
 */

const kRolePrompt = /^(Task|Rework) ([^\s:<]+): ?(.*)$/
const kPlanPrompt = /^Plan: ?(.*)$/
const kMasterPrompt = /^Mission review: ?(.*)$/

/** @param {any} content @returns {string} */
export function textOf(content) {
  if (typeof content === "string") return content
  if (!Array.isArray(content)) return ""
  return content.map((part) => (typeof part === "string" ? part : (part?.text ?? ""))).join("\n")
}

/** @typedef {{kind: "task"|"plan"|"master", rework: boolean, task: string|null, title: string}} RolePrompt */

/** @param {RolePrompt} a @param {RolePrompt|null} b */
const samePrompt = (a, b) => a.kind === b?.kind && a.task === b.task && a.rework === b.rework

/**
 * The first line that is a role prompt, if the message is one.
 * @param {string} text @returns {RolePrompt|null}
 */
function rolePrompt(text) {
  const line = text.trimStart().split("\n", 1)[0].trimEnd()
  let m = kRolePrompt.exec(line)
  if (m) return { kind: "task", rework: m[1] === "Rework", task: m[2], title: m[3] }
  if ((m = kPlanPrompt.exec(line))) return { kind: "plan", rework: false, task: null, title: m[1] }
  if ((m = kMasterPrompt.exec(line))) {
    return { kind: "master", rework: false, task: "mission", title: m[1] }
  }
  return null
}

/**
 * @param {Message[]} messages
 * @returns {Call[]} every tool call in these messages with its result
 */
export function callsIn(messages) {
  /** @type {Map<string, string>} */
  const results = new Map()
  for (const m of messages) {
    if (m.role === "tool" && m.tool_call_id) results.set(m.tool_call_id, textOf(m.content))
  }
  /** @type {Call[]} */
  const calls = []
  for (const m of messages) {
    for (const c of m.role === "assistant" ? (m.tool_calls ?? []) : []) {
      const raw = c.function?.arguments ?? ""
      let args = null
      try {
        args = JSON.parse(raw || "{}")
      } catch {
        // A call that was garbled on its way stays a call with no arguments.
      }
      calls.push({ id: c.id, name: c.function?.name ?? "", args, raw, result: results.get(c.id) ?? null })
    }
  }
  return calls
}

/**
 * The commander has no role prompt: its script restarts at the first user message after an answer
 * that closed a mission.
 * @param {Message[]} messages
 */
function commanderStart(messages) {
  let start = messages.findIndex((m) => m.role === "user")
  let closed = false
  /** @type {Set<string>} */
  const runs = new Set()
  for (let i = Math.max(start, 0); i < messages.length; i++) {
    const m = messages[i]
    if (m.role === "user" && closed) {
      start = i
      closed = false
    } else if (m.role === "assistant") {
      for (const c of m.tool_calls ?? []) if (c.function?.name === "mission_run") runs.add(c.id)
    } else if (m.role === "tool" && runs.has(m.tool_call_id ?? "")) {
      closed = isFinalReport(textOf(m.content))
    }
  }
  return Math.max(start, 0)
}

/** Does a report of `mission_run` ask for nothing more? @param {string} report */
export function isFinalReport(report) {
  const [first] = report.trimStart().split("\n", 1)
  if (/^tool execution (was )?(aborted|interrupted)/i.test(first)) return false
  if (/\b(sealed|cancelled|failed|blocked|paused)\b/i.test(first)) return true
  return !/mission_run/.test(report.slice(-700))
}

/**
 * @param {{messages?: Message[], tools?: any[]}} body
 * @returns {Turn}
 */
export function readTurn(body) {
  const messages = body.messages ?? []
  const tools = new Set((body.tools ?? []).map((t) => t.function?.name ?? t.name))
  const system = messages
    .filter((m) => m.role === "system")
    .map((m) => textOf(m.content))
    .join("\n")

  let at = -1
  /** @type {RolePrompt|null} */
  let found = null
  for (let i = messages.length - 1; i >= 0 && !found; i--) {
    if (messages[i].role !== "user") continue
    found = rolePrompt(textOf(messages[i].content))
    at = i
  }
  // After a compaction the prompt itself is gone; the card in the system message replaces it.
  if (!found) found = system.split("\n").map(rolePrompt).find(Boolean) ?? null
  const role = roleOf(system, tools, found)
  if (at < 0) at = lastUser(messages)
  if (role === "commander" || !found) {
    found = null
    at = role === "commander" ? commanderStart(messages) : lastUser(messages)
  }
  let ordinal = 0
  if (found && at >= 0) ({ at, ordinal } = occurrenceOf(found, messages, at))
  const since = messages.slice(Math.max(at, 0) + (at >= 0 ? 1 : 0))
  const spoken = since.filter((m) => m.role === "assistant")
  return {
    role,
    task: found?.task ?? null,
    title: found?.title ?? "",
    rework: found?.rework ?? false,
    prompt: at >= 0 ? textOf(messages[at].content) : "",
    ordinal,
    calls: callsIn(since),
    texts: spoken.filter((m) => !m.tool_calls?.length && textOf(m.content).trim()).length,
    answers: spoken.length,
    last: messages.at(-1)?.role ?? "",
    userText: textOf(messages[lastUser(messages)]?.content),
    tools,
    directory: /Working directory: (.+)/.exec(system)?.[1].trim() ?? "",
    messages,
  }
}

/**
 * Where the newest occurrence of a prompt begins, and which one it is. A prompt that is given again before a
 * submission was taken (after a fault, an empty answer) is the same occurrence: what was done stays done.
 * @param {RolePrompt} prompt @param {Message[]} messages @param {number} newest index of its newest message
 */
function occurrenceOf(prompt, messages, newest) {
  let at = newest
  let ordinal = 0
  let open = false
  for (let i = 0; i <= newest; i++) {
    const other = messages[i].role === "user" ? rolePrompt(textOf(messages[i].content)) : null
    if (other && !samePrompt(prompt, other)) open = false
    if (i < newest && !other) continue
    if (open && wasTaken(callsIn(messages.slice(at, i)))) open = false
    if (!open && (i === newest || samePrompt(prompt, other))) {
      ordinal++
      at = i
      open = true
    }
  }
  return { at, ordinal }
}

/** @param {Call[]} calls */
const wasTaken = (calls) => calls.some((c) => c.name.startsWith("submit_") && c.result !== null && !isRefusal(c.result))

/** @param {Message[]} messages */
function lastUser(messages) {
  return messages.findLastIndex((m) => m.role === "user")
}

/**
 * The tools on offer decide; where none of ours is (an oracle over bare OpenCode), a line
 * `rehearsal-role: <role>` in the system prompt does, else the role prompt's form.
 * @param {string} system @param {Set<string>} tools @param {RolePrompt|null} prompt
 * @returns {Role}
 */
function roleOf(system, tools, prompt) {
  if (system.startsWith("You are a title generator")) return "title"
  if (system.startsWith("You are a context summarization agent")) return "summary"
  if (system.startsWith("You are a helpful AI assistant tasked with summarizing")) return "summary"
  const marked = /rehearsal-role: (commander|planner|worker|reviewer|master)\b/.exec(system)?.[1]
  if (marked) return /** @type {Role} */ (marked)
  if (tools.has("mission_run")) return "commander"
  if (tools.has("submit_plan")) return "planner"
  if (tools.has("submit_work")) return "worker"
  if (tools.has("submit_review")) return prompt?.kind === "master" ? "master" : "reviewer"
  if (prompt?.kind === "plan") return "planner"
  if (prompt?.kind === "master") return "master"
  if (prompt?.kind === "task") return "worker"
  return "chat"
}
