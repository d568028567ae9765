// OpenCode's hooks: each asks a gate or reports a fact.

import { bytesOf, commandEnd, hostCall, missionTools } from "./tool-calls.js"
import { log } from "./client-calls.js"
import { configure } from "./configuration.js"
import { HostEvents } from "./host-events.js"
import { isOurs, ourPart } from "./part-marks.js"
import { notForRetry } from "./retry-words.js"

const spokenMax = 2_000
/** The first words of the system prompts of OpenCode's own helpers, whose requests carry the main session's id. */
const hostAgents = ["You are a title generator", "You are a context summarization agent"]

/**
 * @typedef {object} HookContext
 * @property {import("../host.js").Orchestrator} orchestrator
 * @property {import("./operations.js").OpenCodeHost} host
 * @property {import("./adapter-state.js").AdapterState} state
 * @property {HostEvents} events
 * @property {boolean} inWorktree
 * @property {ReturnType<typeof configure>} [setup]  what was registered; undefined until OpenCode has asked
 * @property {Map<string, string>} refusals  session -> why its command was refused; its next model request becomes that error
 * @property {Map<string, number>} sizes     session -> bytes of its newest request
 */

/** @param {HookContext} context @param {any} config */
async function configHook(context, config) {
  const { orchestrator, host, state } = context
  const setup = (context.setup = configure(config, { interactive: host.traits.interactive }))
  if (context.inWorktree) {
    config.snapshot = false // no person undoes anything there, and a snapshot costs each step a second (host contract A.23)
    return
  }
  for (const [role, name] of setup.names) state.names.set(role, name)
  state.commands = setup.ownCommands
  if ((await orchestrator.gates.settings()).snapshots === "off") config.snapshot = false
}

/** OpenCode does not await this hook; a throw would fail a request (host contract A.9). @param {HookContext} context @param {{event: any}} input */
async function eventHook({ orchestrator, host, state, events, refusals }, { event }) {
  try {
    if (event.type === "session.idle") refusals.delete(event.properties.sessionID)
    if (event.type === "session.updated") state.rules.delete(event.properties.info?.id)
    if (event.type === "message.part.updated") toolEnded(orchestrator, event.properties.part)
    events.see(event)
  } catch (error) {
    log(host.client, "error", `event ${event?.type}: ${error}`).catch(() => {})
  }
}

/**
 * Reports the end of a failed call, for which OpenCode runs no `tool.execute.after`. A call that an abort marked as failed may
 * still run.
 * @param {import("../host.js").Orchestrator} orchestrator @param {any} part
 */
function toolEnded(orchestrator, part) {
  if (part?.state?.status === "error" && !part.state.metadata?.interrupted) orchestrator.toolEnded(part.sessionID, part.callID)
}

/** @param {HookContext} context @param {any} input @param {any} output */
async function commandBefore({ orchestrator, setup, events, refusals }, { command: name, sessionID: session, arguments: text = "" }, output) {
  if (!setup?.ownCommands.has(name)) return
  refusals.delete(session)
  const answer = await orchestrator.gates.command({ session, name, text })
  // An error would end a running turn; in that case the refusal is put into the message, where the model reads it.
  if (!answer.ok && !events.isBusy(session)) refusals.set(session, notForRetry(answer.text))
  output.parts.splice(0, output.parts.length, ourPart(answer.text))
}

/**
 * Fails the request of a refused command with the refusal's text, so that it costs no model call. Every request of that turn
 * fails.
 * @param {HookContext} context @param {any} input @param {any} output
 */
async function requestParams({ orchestrator, refusals, sizes }, input, output) {
  const session = input.sessionID
  const auxiliary = (typeof input.agent === "string" ? input.agent : input.agent?.name) === "title"
  const refusal = refusals.get(session)
  if (refusal !== undefined && !auxiliary) throw new Error(refusal)
  const request = { ...modelRequest(input.model, output), session, auxiliary, bytes: sizes.get(session) ?? 0 }
  const { refused, outputMax } = await orchestrator.gates.request(request)
  if (refused !== undefined) throw new Error(notForRetry(refused))
  if (outputMax) output.maxOutputTokens = Math.min(output.maxOutputTokens ?? outputMax, outputMax)
}

/** @param {any} model @param {any} output of chat.params */
function modelRequest(model, { maxOutputTokens }) {
  const { providerID, id, cost = {}, limit = {} } = model ?? {}
  return {
    model: `${providerID}/${id}`,
    outputMax: Math.max(0, Math.floor(maxOutputTokens ?? limit.output ?? 0)),
    inputUsd: Math.max(0, cost.input ?? 0, cost.cache?.write ?? 0),
    outputUsd: Math.max(0, cost.output ?? 0),
  }
}

/** Measures the visible part of a request, which bounds the cost of the answer. @param {HookContext} context @param {any} _ @param {any} output */
async function messagesTransform({ orchestrator, sizes }, _, { messages }) {
  const session = messages[0]?.info?.sessionID
  if (session && orchestrator.watches(session)) sizes.set(session, bytesOf(messages))
}

/** @param {HookContext} context @param {any} input @param {any} output */
async function systemTransform({ orchestrator, setup, sizes }, { sessionID: session }, { system }) {
  const head = system[0] ?? ""
  if (!setup || !session || hostAgents.some((start) => head.startsWith(start))) return
  const agentRole = [...setup.identities].find(([identity]) => head.startsWith(identity))?.[1]
  if (!agentRole) return
  const { role, instructions, card, capped } = await orchestrator.gates.system({ session, role: agentRole })
  if (capped) {
    const characters = system.join("").length + instructions.length + card.length
    sizes.set(session, (sizes.get(session) ?? 0) + 2 * characters)
  }
  if (!setup.replacedPrompts.has(role)) system.push(instructions)
  if (card) system.push(card)
}

/** @param {HookContext} context @param {any} input @param {any} output */
async function chatMessage({ orchestrator }, { sessionID: session }, { parts }) {
  if (!orchestrator.watches(session) || orchestrator.owns(session)) return
  const texts = parts.filter((/** @type {any} */ part) => part.type === "text" && !part.synthetic)
  if (parts.some(isOurs) || texts.length === 0) return
  const text = texts.map((/** @type {any} */ part) => part.text).join("\n")
  orchestrator.tell({ type: "user_spoke", session, text: text.slice(0, spokenMax) })
}

/** Restores the optional arguments: OpenCode declares every argument required. @param {HookContext} context @param {any} input @param {any} output */
async function toolDefinition({ orchestrator }, { toolID }, output) {
  const tool = orchestrator.contribution.tools[toolID]
  if (tool) output.jsonSchema = tool.schema
}

/** Asks the gate before a tool call. A throw refuses the call; the model's turn goes on. @param {HookContext} context @param {any} input @param {any} output */
async function toolBefore({ orchestrator }, input, { args }) {
  if (!orchestrator.watches(input.sessionID) || input.tool in orchestrator.contribution.tools) return
  const refusal = await orchestrator.gates.beforeTool(hostCall(input, args))
  if (refusal !== undefined) throw new Error(refusal)
}

/** @param {HookContext} context @param {any} input @param {any} output */
async function toolAfter({ orchestrator }, input, output) {
  const { sessionID: session, callID, args } = input
  if (!orchestrator.watches(session)) return orchestrator.toolEnded(session, callID)
  const call = hostCall(input, args)
  const ran = call.kind === "command" ? commandEnd(args, output) : undefined
  const addition = await orchestrator.gates.afterTool({ ...call, ran })
  if (addition && typeof output.output === "string") output.output += addition
}

/**
 * In `run` mode the process ends when the Commander goes idle. OpenCode awaits this hook while the session is still busy, and
 * a message stored now keeps its loop going without a gap (host contract 5).
 * @param {HookContext} context @param {any} input
 */
async function textComplete({ orchestrator, host, events }, { sessionID: session, messageID }) {
  if (!host.traits.endsWhenIdle || !orchestrator.watches(session) || events.usesTools(messageID)) return
  const text = await orchestrator.gates.turnEnding(session)
  if (text) await host.appendToTurn(session, "commander", text)
}

/** OpenCode's name of a hook -> its handler. @type {Record<string, (context: HookContext, input: any, output: any) => Promise<void>>} */
const handlers = {
  config: configHook,
  event: eventHook,
  "command.execute.before": commandBefore,
  "chat.params": requestParams,
  "experimental.chat.messages.transform": messagesTransform,
  "chat.message": chatMessage,
  "experimental.chat.system.transform": systemTransform,
  "tool.definition": toolDefinition,
  "tool.execute.before": toolBefore,
  "tool.execute.after": toolAfter,
  "experimental.text.complete": textComplete,
}

/**
 * @param {Pick<HookContext, "orchestrator" | "host" | "state" | "inWorktree">} instance
 * @returns {Record<string, any>} what OpenCode takes from a plugin, but its `dispose`
 */
export function hooks(instance) {
  const events = new HostEvents(instance.orchestrator, instance.state.turns)
  /** @type {HookContext} */
  const context = { ...instance, events, refusals: new Map(), sizes: new Map() }
  /** @type {Record<string, any>} */
  const bound = {}
  for (const [name, handler] of Object.entries(handlers)) {
    bound[name] = (/** @type {any} */ input, /** @type {any} */ output) => handler(context, input, output)
  }
  return { ...bound, tool: missionTools(instance.orchestrator, instance.host.client) }
}
