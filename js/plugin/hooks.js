// OpenCode's hooks, translated. Each one that needs an answer has a deadline and a safe default; none waits for a call
// into the host, which would deadlock (host contract A.8).

import { isOurs, ourPart } from "./client.js"
import { clearProgress } from "./effects.js"
import { roles } from "./roles.js"
import { missionTools } from "./tools.js"
import { TurnWatch } from "./turns.js"

/** Answers come within a millisecond or two; this long means that something is wrong, and the host must go on. */
const answerMs = 5_000
/** A write waits so long for what it has broken; what is not known by then, the review finds. */
const checkMs = 1_000
const wordsMax = 2_000
const commandMax = 20_000
/** The host has cut it long before; it is only hashed. */
const outputMax = 1_000_000
const writers = new Set(["write", "edit", "multiedit", "patch", "apply_patch"])
const hostAgents = ["You are a title generator", "You are a context summarization agent"]

/**
 * @typedef {object} HookHost
 * @property {any} client
 * @property {import("./link.js").Link | import("./link.js").BorrowedLink} link
 * @property {string} [worktree]  where it is an instance of one: that mission's directory
 * @property {"run" | "serve" | "tui"} mode
 * @property {import("./memory.js").Memory} memory
 * @property {() => Promise<void>} dispose
 * @property {typeof import("./configure.js").configure} configure
 */

/** The host starts without an answer that does not come. */
const settingsMs = 2_000

/** @param {HookHost} host @returns {Promise<{snapshots?: string}>} */
async function settings({ link, memory }) {
  // The link of an instance that follows another opens when that one is over: it is not waited for.
  if (memory.reload) return memory.settings
  const said = await link.ask({ type: "settings_asked" }, { deadlineMs: settingsMs }).answer
  return (memory.settings = said?.ok && said.text?.startsWith("{") ? JSON.parse(said.text) : {})
}

/** @param {HookHost} host */
export function hooks(host) {
  const { link, mode, memory } = host
  const turns = new TurnWatch(link, memory.turns)
  /** @type {ReturnType<typeof host.configure> | undefined} */
  let setup
  /** session -> why its command was refused; its next model request becomes that error. @type {Map<string, string>} */
  const refusals = new Map()
  /** Sessions of missions with a budget. @type {Set<string>} */
  const capped = new Set()
  /** session -> bytes of its newest request. @type {Map<string, number>} */
  const sizes = new Map()

  return {
    config: async (/** @type {any} */ config) => {
      setup = host.configure(config, { interactive: mode === "tui" })
      // Nobody undoes anything there, and a snapshot costs each step a second.
      if (host.worktree) config.snapshot = false
      if (host.worktree) return
      for (const [role, name] of setup.names) memory.names.set(role, name)
      memory.commands = setup.ownCommands
      // Read by the host when an instance starts (host contract A.23).
      if ((await settings(host)).snapshots === "off") config.snapshot = false
    },

    // Not awaited by the host; a throw here would fail a request (A.9).
    event: async (/** @type {{event: any}} */ { event }) => {
      try {
        if (event.type === "session.idle") refusals.delete(event.properties.sessionID)
        if (event.type === "session.updated") memory.rules.delete(event.properties.info?.id)
        if (event.type === "message.part.updated") memory.running.see(event.properties.part)
        turns.see(event)
      } catch (error) {
        host.client.app
          .log({ body: { service: "orchestrator", level: "error", message: `event ${event?.type}: ${error}` } })
          .catch(() => {})
      }
    },

    "command.execute.before": async (/** @type {any} */ input, /** @type {any} */ output) => {
      if (!setup?.ownCommands.has(input.command)) return
      refusals.delete(input.sessionID)
      const { ok, text } = await commandAnswer(host, input)
      // An error would end a turn that runs; there the words wait in the message until the model reads them.
      if (!ok && !turns.isBusy(input.sessionID)) refusals.set(input.sessionID, notForRetry(text))
      output.parts.splice(0, output.parts.length, ourPart(text))
    },

    // A refused command must not cost a model call: the request fails with the refusal's own words, as often as the
    // host asks, until the turn is over.
    "chat.params": async (/** @type {any} */ input, /** @type {any} */ output) => {
      const agent = typeof input.agent === "string" ? input.agent : input.agent?.name
      const text = refusals.get(input.sessionID)
      if (text !== undefined && agent !== "title") throw new Error(text)
      // The last moment before a request: after a stop none begins, though its turn was being made ready.
      if (memory.children.has(input.sessionID)) {
        const { stopped } = await roleOf(link, input.sessionID)
        if (stopped) throw new Error(notForRetry(stopped))
      }
      if (agent === "title") return
      if (!capped.has(input.sessionID)) return
      await payInAdvance(host, input, output, sizes.get(input.sessionID) ?? 0)
    },

    // Of what is sent, as much as can be seen here: it bounds what the answer costs.
    "experimental.chat.messages.transform": async (/** @type {any} */ _input, /** @type {any} */ output) => {
      const session = output.messages[0]?.info?.sessionID
      if (session && link.watches(session)) sizes.set(session, bytesOf(output.messages))
    },

    "chat.message": async (/** @type {any} */ input, /** @type {any} */ output) => {
      if (!link.watches(input.sessionID) || memory.children.has(input.sessionID)) return
      const texts = output.parts.filter((/** @type {any} */ part) => part.type === "text" && !part.synthetic)
      if (output.parts.some(isOurs) || texts.length === 0) return
      const text = texts.map((/** @type {any} */ part) => part.text).join("\n")
      link.tell({ type: "user_spoke", session: input.sessionID, text: text.slice(0, wordsMax) })
    },

    "experimental.chat.system.transform": async (/** @type {any} */ input, /** @type {any} */ output) => {
      const head = output.system[0] ?? ""
      if (!setup || !input.sessionID || hostAgents.some((start) => head.startsWith(start))) return
      const own = [...setup.identities].find(([identity]) => head.startsWith(identity))?.[1]
      if (!own) return
      const known = await roleOf(link, input.sessionID)
      // Where the engine does not say it in time, what it said last holds.
      if (known.capped ?? capped.has(input.sessionID)) {
        capped.add(input.sessionID)
        const system = output.system.join("").length + (roles.get(own)?.instructions.length ?? 0) + known.card.length
        sizes.set(input.sessionID, (sizes.get(input.sessionID) ?? 0) + 2 * system)
      } else {
        capped.delete(input.sessionID)
      }
      const name = known.role === "none" || known.role === "commander" ? own : known.role
      if (!setup.replacedPrompts.has(name)) output.system.push(roles.get(name)?.instructions ?? "")
      if (known.card) output.system.push(`What you are doing (the conversation before was compacted):\n${known.card}`)
    },

    // The host would otherwise declare every argument required.
    "tool.definition": async (/** @type {any} */ input, /** @type {any} */ output) => {
      const tool = missionTools[input.toolID]
      if (tool) output.jsonSchema = tool.schema
    },

    "tool.execute.before": async (/** @type {any} */ input, /** @type {any} */ output) => {
      if (!link.watches(input.sessionID)) return
      if (host.worktree && !(input.tool in missionTools)) memory.running.begin(input.sessionID, input.callID, host.worktree)
      if (input.tool === "bash") {
        // The command begins when the engine has seen the files that it is to prove something of.
        await link.ask({ type: "command_asked", session: input.sessionID, call: input.callID ?? "", command: String(output.args?.command ?? "").slice(0, commandMax) }, { deadlineMs: answerMs }).answer
      }
      if (!writers.has(input.tool)) return
      const paths = writtenPaths(output.args)
      if (paths.length === 0) throw new Error(`Write refused: no file is named in this call of ${input.tool}.`)
      const { answer } = link.ask(
        {
          type: "write_asked",
          session: input.sessionID,
          paths,
          child: memory.children.has(input.sessionID),
        },
        { deadlineMs: answerMs },
      )
      const { ok, text } = await answer
      if (!ok) throw new Error(text)
    },

    "tool.execute.after": async (/** @type {any} */ input, /** @type {any} */ output) => {
      try {
        if (link.watches(input.sessionID)) await afterTool(link, input, output)
      } finally {
        memory.running.end(input.sessionID, input.callID)
      }
    },

    // In `run` mode the process ends when the Commander goes idle. This hook is awaited while it is still busy, and a
    // message stored now keeps its loop going without a gap (host contract 5).
    "experimental.text.complete": async (/** @type {any} */ input) => {
      const session = input.sessionID
      if (mode !== "run" || !link.watches(session) || memory.children.has(session)) return
      if (turns.usesTools(input.messageID)) return
      const { answer } = link.ask({ type: "turn_ending", session })
      const { text } = await answer
      if (!text) return
      const body = { noReply: true, agent: memory.names.get("commander") ?? "commander", parts: [ourPart(text)] }
      const { error } = await host.client.session.prompt({ path: { id: session }, body })
      if (error) throw new Error(`the mission could not go on: ${JSON.stringify(error)}`)
    },

    tool: Object.fromEntries(Object.keys(missionTools).map((name) => [name, toolFor(host, name)])),

    dispose: host.dispose,
  }
}

/** @param {HookHost["link"]} link @param {any} input @param {any} output */
async function afterTool(link, input, output) {
  const args = input.args ?? {}
  if (writers.has(input.tool)) {
    const said = await shadowCheck(link, input.sessionID, writtenPaths(args))
    if (said && typeof output.output === "string") output.output += said
  }
  if (input.tool === "bash") {
    const exit = output.metadata?.exit
    link.tell({
      type: "command_ran",
      session: input.sessionID,
      call: input.callID ?? "",
      command: args.command ?? "",
      workdir: args.workdir ?? "",
      exit_code: Number.isInteger(exit) ? exit : -1, // killed or timed out: nobody's success
      output: String(output.output ?? "").slice(0, outputMax),
    })
  }
}

/** @param {HookHost} host @param {any} input @returns {Promise<{ok: boolean, text: string}>} */
async function commandAnswer({ link, mode }, input) {
  const message = { session: input.sessionID, arguments: input.arguments ?? "", mode }
  const limit = { deadlineMs: 15_000, fallback: { ok: false, text: "The orchestrator's engine did not answer; try again." } }
  switch (input.command) {
    case "task":
      return link.ask({ type: "mission_requested", ...message }, limit).answer
    case "extreme-mission":
      return link.ask({ type: "mission_requested", ...message, extreme: true }, limit).answer
    case "resume":
      return link.ask({ type: "resume_requested", ...message }, limit).answer
    case "stop":
    case "cancel":
      return told(await link.ask({ type: "stop_requested", ...message }, limit).answer, "The user stopped the mission.")
    default:
      return told(await link.ask({ type: "status_asked" }, limit).answer, "The user asks for the mission's state.")
  }
}

/** @param {{ok: boolean, text: string}} answer @param {string} head What is left to the model: to say it. */
function told(answer, head) {
  if (!answer.ok) return answer
  return { ok: true, text: `${head}\n\n${answer.text}\n\nTell the user this in a few words. Call no tool, and end your turn.` }
}

/** Words by which the host takes an error for a provider's passing trouble, and tries again for a minute. */
const retried =
  /429|500|502|503|504|524|rate(?= increased|[ _-]limit)|too[ _]many[ _]requests|overloaded|unavailable|exhausted|(?:internal|server|connection|network)[ _-](?=error)|provider[ _-]returned[ _-]error|terminated|failed to fetch|fetch failed|upstream connect|connection (?=refused|lost)|socket (?=connection was closed|hang up)|reset before headers|getaddrinfo|enotfound|eai_again|econn|etimedout|^timeout$|time(?:d )?[ -]?out|(?:try|retry) your request|try again|at capacity/gi

/** The same words to a reader, with an invisible joiner in those that the host looks for. @param {string} text */
const notForRetry = (text) => text.replace(retried, (found) => `${found[0]}\u2060${found.slice(1)}`)

/**
 * A mission with a budget pays each answer in advance: the engine says how long it may be at most, lets it wait until
 * other answers have cost less than they might have, or refuses it. No deadline: another answer may take minutes. Without
 * leave nothing is asked for, also where the engine has failed or cannot write.
 * @param {HookHost} host @param {any} input @param {any} output @param {number} bytes
 */
async function payInAdvance({ link }, input, output, bytes) {
  const { cost = {}, limit = {} } = input.model ?? {}
  const { answer } = link.ask({
    type: "request_asked",
    session: input.sessionID,
    model: `${input.model?.providerID}/${input.model?.id}`,
    bytes,
    output_max: Math.max(0, Math.floor(output.maxOutputTokens ?? limit.output ?? 0)),
    input_usd: Math.max(0, cost.input ?? 0, cost.cache?.write ?? 0),
    output_usd: Math.max(0, cost.output ?? 0),
  })
  const { ok, text } = await answer
  if (!ok) throw new Error(notForRetry(text))
  if (!text) return
  const { output_max } = JSON.parse(text)
  if (output_max > 0) output.maxOutputTokens = Math.min(output.maxOutputTokens ?? output_max, output_max)
}

/** @param {any[]} messages @returns {number} UTF-8 bytes of their texts, calls and results */
function bytesOf(messages) {
  let bytes = 0
  for (const { parts } of messages) {
    for (const part of parts ?? []) {
      if (typeof part.text === "string") bytes += Buffer.byteLength(part.text)
      if (part.type !== "tool") continue
      bytes += 100 + Buffer.byteLength(JSON.stringify(part.state?.input ?? {}))
      bytes += Buffer.byteLength(String(part.state?.output ?? part.state?.error ?? ""))
    }
  }
  return bytes
}

/** @param {any} args @returns {string[]} */
function writtenPaths(args) {
  if (typeof args?.filePath === "string") return [args.filePath]
  const patch = args?.patchText ?? args?.patch
  if (typeof patch !== "string") return []
  return [...patch.matchAll(/^\*\*\* (?:Add|Update|Delete) File:(.*)$|^\*\*\* Move to:(.*)$/gm)]
    .map((m) => String(m[1] ?? m[2]).trim())
    .filter((path) => path !== "")
}

/**
 * What the engine finds broken in files that a session has just written, in words for the tool's own output.
 * @param {import("./link.js").Link | import("./link.js").BorrowedLink} link @param {string} session @param {string[]} paths @returns {Promise<string>}
 */
async function shadowCheck(link, session, paths) {
  if (paths.length === 0) return ""
  const { answer } = link.ask({ type: "check_asked", session, paths }, { deadlineMs: checkMs, fallback: { ok: true, text: "" } })
  return (await answer).text
}

/**
 * @param {import("./link.js").Link | import("./link.js").BorrowedLink} link @param {string} session
 * @returns {Promise<{role: string, card: string, capped?: boolean, stopped?: string}>}
 */
async function roleOf(link, session) {
  const standing = link.standing(session)
  if (standing !== undefined) return JSON.parse(standing)
  const { answer } = link.ask(
    { type: "role_asked", session },
    { deadlineMs: answerMs, fallback: { ok: false, text: "" } },
  )
  const { ok, text } = await answer
  return ok ? JSON.parse(text) : { role: "none", card: "" }
}

/** @param {HookHost} host @param {string} name */
function toolFor({ client, link, memory: { calls } }, name) {
  const tool = /** @type {import("./tools.js").MissionTool} */ (missionTools[name])
  return {
    description: tool.description,
    args: tool.schema.properties,
    /** @param {any} args @param {any} context */
    async execute(args, context) {
      const session = context.sessionID
      const { request, answer } = link.ask({ type: tool.event, session, args: JSON.stringify(args ?? {}) })
      let waiting = true
      // It also fires after a normal end (host contract A.20): then nobody waits any more.
      const aborted = () => {
        if (!waiting) return
        calls.delete(request) // the host is about to end its part, which is patched no more
        link.tell({ type: "call_aborted", request, session })
        link.abandon(request)
      }
      context.abort?.addEventListener("abort", aborted)
      /** @type {import("./effects.js").WaitingCall} */
      const call = { session, message: context.messageID }
      calls.set(request, call)
      try {
        const { ok, text } = await answer
        calls.delete(request)
        await clearProgress(client, call).catch(() => {})
        if (!ok) throw new Error(text)
        return text
      } finally {
        waiting = false
        calls.delete(request)
        context.abort?.removeEventListener("abort", aborted)
      }
    },
  }
}
