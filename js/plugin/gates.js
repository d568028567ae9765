// Gates: the questions that the host waits on, answered by the engine. Each gate but `request` and `turnEnding` has a
// deadline and a safe answer; none calls the host, which would deadlock (host contract A.8).

import { roles } from "./roles.js"

/** Deadline of a gate. Answers take a millisecond or two; after this time the host must go on. */
const answerMs = 5_000
const commandMs = 15_000
/** A write waits this long for its check; what is found later, the review finds. */
const checkMs = 1_000
/** Deadline for settings; after it the host starts without them. */
const settingsMs = 2_000
const commandMax = 20_000
/** Limit for a command's output. The host cuts it much earlier; the engine only hashes it. */
const outputMax = 1_000_000

/** @typedef {import("./engine-link.js").EngineLink | import("./engine-link.js").ProjectLink} Link */
/** @typedef {import("../host/host.js").Answer} Answer */
/**
 * @typedef {object} GateContext
 * @property {Link} link
 * @property {import("./directory-state.js").DirectoryState} state
 * @property {import("../host/host.js").Traits} traits
 * @property {string} [worktree]  the directory, where the instance is one of a worktree
 * @property {Set<string>} capped  sessions of missions with a budget
 */

/** @param {GateContext} context @returns {Promise<import("../host/host.js").HostSettings>} */
async function settings({ link, state }) {
  // An instance that follows another does not wait: its link opens when the other one is over.
  if (state.reload) return state.settings
  const { data } = await link.ask({ type: "settings_asked" }, { deadlineMs: settingsMs }).answer
  return (state.settings = data ?? {})
}

const stopped = "The user stopped the mission."
const statusAsked = "The user asks for the mission's state."

/**
 * Command -> the engine's question; `head`: the line above the answer, where a model passes the answer on; `general`: the
 * question is about no session.
 * @type {Record<string, {type: string, extreme?: boolean, head?: string, general?: boolean}>}
 */
const commandQuestions = {
  task: { type: "mission_requested" },
  "extreme-mission": { type: "mission_requested", extreme: true },
  resume: { type: "resume_requested" },
  stop: { type: "stop_requested", head: stopped },
  cancel: { type: "stop_requested", head: stopped },
  mission: { type: "mission_status", head: statusAsked, general: true },
}

/** @param {GateContext} context @param {import("../host/host.js").UserCommand} command @returns {Promise<Answer>} */
async function command({ link, traits }, { session, name, text }) {
  const asked = commandQuestions[name]
  if (!asked) return { ok: false, text: `${name} is no command of the orchestrator.` }
  const { head, general, ...question } = asked
  const fields = general ? {} : { session, arguments: text, mode: traits.mode ?? "serve" }
  const fallback = { ok: false, text: "The orchestrator's engine did not answer; try again." }
  const answer = await link.ask({ ...question, ...fields }, { deadlineMs: commandMs, fallback }).answer
  if (!answer.ok || head === undefined) return answer
  return { ok: true, text: `${head}\n\n${answer.text}\n\nTell the user this in a few words. Call no tool, and end your turn.` }
}

/**
 * The engine's view of a session. An answer that the engine has cached is read in place.
 * @param {Link} link @param {string} session
 * @returns {Promise<{role: string, card: string, capped?: boolean, stopped?: string}>}
 */
async function sessionInfo(link, session) {
  const cached = link.sessionInfo(session)
  if (cached !== undefined) return JSON.parse(cached)
  const limit = { deadlineMs: answerMs, fallback: { ok: false, text: "" } }
  return (await link.ask({ type: "role_asked", session }, limit).answer).data ?? { role: "none", card: "" }
}

/**
 * @param {GateContext} context @param {{session: string, role: string}} asked `role`: of the session's agent
 * @returns {Promise<import("../host/host.js").SessionBrief>}
 */
async function system({ link, capped }, { session, role }) {
  const known = await sessionInfo(link, session)
  // If the engine has not answered in time, its last answer is used.
  const isCapped = known.capped ?? capped.has(session)
  if (isCapped) capped.add(session)
  else capped.delete(session)
  const name = known.role === "none" || known.role === "commander" ? role : known.role
  const card = known.card && `What you are doing (the conversation before was compacted):\n${known.card}`
  return { role: name, instructions: roles.get(name)?.instructions ?? "", card, capped: isCapped }
}

/**
 * @param {GateContext} context @param {import("../host/host.js").ModelRequest} asked
 * @returns {Promise<import("../host/host.js").RequestLeave>}
 */
async function request({ link, state, capped }, asked) {
  const { session } = asked
  // After a stop no request is sent, even if its turn was already being prepared.
  if (state.children.has(session)) {
    const known = await sessionInfo(link, session)
    if (known.stopped) return { refused: known.stopped }
  }
  if (asked.auxiliary) return {}
  return capped.has(session) ? leave(link, asked) : {}
}

/**
 * Asks for leave to send a request of a mission with a budget. The engine reserves the answer's worst cost, waits until other
 * answers have cost less than reserved, or refuses. No deadline: another answer may take minutes. An engine that has failed
 * refuses too.
 * @param {Link} link @param {import("../host/host.js").ModelRequest} asked
 * @returns {Promise<import("../host/host.js").RequestLeave>}
 */
async function leave(link, { session, model, bytes, outputMax: output_max, inputUsd: input_usd, outputUsd: output_usd }) {
  const question = { type: "request_asked", session, model, bytes, output_max, input_usd, output_usd }
  const { ok, text, data } = await link.ask(question).answer
  if (!ok) return { refused: text }
  const limit = data?.output_max ?? 0
  return limit > 0 ? { outputMax: limit } : {}
}

/**
 * @param {GateContext} context @param {import("../host/host.js").HostToolCall} tool
 * @returns {Promise<string | undefined>} the refusal's text
 */
async function beforeTool({ link, state, worktree }, { session, call, kind, tool, paths = [], command = "" }) {
  if (worktree) state.running.begin(session, call, worktree)
  if (kind === "command") {
    // The command begins after the engine has hashed the files that its receipt covers.
    const question = { type: "command_asked", session, call, command: command.slice(0, commandMax) }
    await link.ask(question, { deadlineMs: answerMs }).answer
  }
  if (kind !== "write") return undefined
  if (paths.length === 0) return `Write refused: no file is named in this call of ${tool}.`
  const question = { type: "write_asked", session, paths, child: state.children.has(session) }
  const { ok, text } = await link.ask(question, { deadlineMs: answerMs }).answer
  return ok ? undefined : text
}

/**
 * @param {GateContext} context
 * @param {import("../host/host.js").HostToolCall & {ran?: import("../host/host.js").CommandEnd}} tool
 * @returns {Promise<string>} what the engine finds broken in the files that were written
 */
async function afterTool({ link, state }, { session, call, kind, paths = [], command = "", ran }) {
  try {
    if (!link.watches(session)) return ""
    if (kind === "command" && ran) {
      const { exitCode: exit_code, workdir, output } = ran
      link.tell({ type: "command_ran", session, call, command, workdir, exit_code, output: output.slice(0, outputMax) })
    }
    if (kind !== "write" || paths.length === 0) return ""
    const limit = { deadlineMs: checkMs, fallback: { ok: true, text: "" } }
    return (await link.ask({ type: "check_asked", session, paths }, limit).answer).text
  } finally {
    state.running.end(session, call)
  }
}

/** @param {GateContext} context @param {string} session @returns {Promise<string>} */
async function turnEnding({ link, state, traits }, session) {
  if (!traits.endsWhenIdle || !link.watches(session) || state.children.has(session)) return ""
  return (await link.ask({ type: "turn_ending", session }).answer).text
}

/** @param {Omit<GateContext, "capped">} instance @returns {import("../host/host.js").Gates} */
export function gatesOf(instance) {
  /** @type {GateContext} */
  const context = { ...instance, capped: new Set() }
  return {
    settings: () => settings(context),
    command: (asked) => command(context, asked),
    system: (asked) => system(context, asked),
    request: (asked) => request(context, asked),
    beforeTool: (asked) => beforeTool(context, asked),
    afterTool: (asked) => afterTool(context, asked),
    turnEnding: (asked) => turnEnding(context, asked),
  }
}
