// A role's script is a list of goals, each a tool call. A goal is met when the conversation since the
// role prompt holds that call with a good result; the next answer is the first goal that is not met.

/** @typedef {import("./conversation.mjs").Turn} Turn */
/** @typedef {import("./conversation.mjs").Call} Call */
/** @typedef {import("./wire.mjs").CallOut} CallOut */
/**
 * @typedef {object} Goal
 * @property {string} tool
 * @property {any} args
 * @property {number} [tries]   answers spent on it before the role goes on without it, default 2
 * @property {boolean} [alone]  not in one answer with the goals after it
 * @property {boolean} [standIn] where the tool is not on offer, spend the answer on `todowrite` instead
 */

/** The argument that tells one call of a tool from another. @type {Record<string, string[]>} */
const kPrimary = {
  write: ["filePath", "content"],
  edit: ["filePath", "oldString"],
  read: ["filePath"],
  bash: ["command"],
}

/** @param {string} tool @param {any} args */
function identity(tool, args) {
  const keys = kPrimary[tool]
  if (!keys) return tool.startsWith("submit_") || tool === "mission_run" ? "" : JSON.stringify(args ?? {})
  return keys.map((k) => String(args?.[k] ?? "")).join("\0")
}

/** @param {Goal} goal @param {Call} call */
const sameCall = (goal, call) =>
  call.name === goal.tool && identity(goal.tool, goal.args) === identity(call.name, call.args)

/** Did the engine (or the host) refuse this call of one of the mission's tools? @param {string} text */
export function isRefusal(text) {
  const head = text.trimStart().slice(0, 400)
  const [first] = head.split("\n", 1)
  if (/\bnot (accepted|taken|stored|recorded|submitted)\b|\brefused\b|\binvalid\b/i.test(head)) return true
  if (/\b(accepted|taken|stored|recorded|submitted|pass(ed)?|done|rework)\b/i.test(first)) return false
  return /^(error|cannot|could not|unknown|duplicate|no )|\b(is missing|must be|no receipt)\b/i.test(head)
}

/** @param {Call} call */
export function failed(call) {
  const text = call.result
  if (text === null || /^\W*(tool execution (was )?(aborted|interrupted))/i.test(text)) return true
  if (/^The arguments provided to the tool are invalid/.test(text)) return true
  if (call.name === "write" || call.name === "edit") return !/success/i.test(text)
  if (call.name === "bash") return /^(error:|the user rejected|.{0,80}\brefused\b)/i.test(text)
  return call.name.startsWith("submit_") && isRefusal(text)
}

/** @param {Goal} goal @param {Turn} turn @returns {"met"|"open"|"given up"} */
export function stateOf(goal, turn) {
  const made = turn.calls.filter((c) => sameCall(goal, c))
  if (made.some((c) => !failed(c))) return "met"
  return made.length >= (goal.tries ?? 2) ? "given up" : "open"
}

/** The goals, with substitutes for tools that are not on offer. @param {Goal[]} goals @param {Turn} turn */
export function offered(goals, turn) {
  /** @type {Goal[]} */
  const out = []
  for (const goal of goals) {
    if (turn.tools.has(goal.tool)) out.push(goal)
    else if (goal.standIn && turn.tools.has("todowrite")) {
      const content = `${goal.tool} ${goal.args?.task ?? ""}`.trim()
      const todos = [{ content, status: "completed", priority: "low" }]
      out.push({ tool: "todowrite", args: { todos }, alone: true })
    }
  }
  return out
}

/**
 * The calls of the next answer: all open goals up to the first that must be alone.
 * @param {Goal[]} goals @param {Turn} turn @returns {CallOut[]}
 */
export function nextCalls(goals, turn) {
  /** @type {CallOut[]} */
  const calls = []
  for (const goal of goals) {
    if (stateOf(goal, turn) !== "open") continue
    if (goal.alone && calls.length) break
    calls.push({ name: goal.tool, args: goal.args })
    if (goal.alone) break
  }
  return calls
}

/** Does the output of a test command show a failure? The host does not tell models the exit code. */
export function showsFailure(/** @type {string} */ output) {
  const counted = /^\W*fail (\d+)\b/m.exec(output)
  if (counted) return counted[1] !== "0"
  return /^(not ok\b|\w*Error\b|.*AssertionError)|\b(SyntaxError|Cannot find module)\b/m.test(output)
}

/** Commands that a refusal names, in backticks or on lines of their own. @param {string} text */
export function commandsNamed(text) {
  const ticked = [...text.matchAll(/`([^`\n]+)`/g)].map((m) => m[1].trim())
  const lines = [...text.matchAll(/^\s*(?:[-*$]|run:)\s+(.+)$/gim)].map((m) => m[1].trim())
  const known = /^(node|npm|npx|test|true|sh|bash|make|python3?|cargo|go|ls|cat)\b/
  return [...new Set([...ticked, ...lines])].filter((c) => known.test(c))
}
