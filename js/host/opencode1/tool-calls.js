// Translates OpenCode's own tool calls into the seam's types, and the mission tools into OpenCode's.

import { contribution } from "../../plugin/contribution.js"
import { ToolPart } from "./tool-part.js"

const writers = new Set(["write", "edit", "multiedit", "patch", "apply_patch"])

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
 * @param {any} input of the hooks around a tool call @param {any} args
 * @returns {import("../host.js").HostToolCall}
 */
export function hostCall({ tool, sessionID: session, callID }, args) {
  const call = { session, call: callID ?? "", tool }
  if (tool === "bash") return { ...call, kind: "command", command: String(args?.command ?? "") }
  if (writers.has(tool)) return { ...call, kind: "write", paths: writtenPaths(args) }
  return { ...call, kind: "other" }
}

/** The end of a command. Without an exit code it was killed or timed out. @param {any} args @param {any} output @returns {import("../host.js").CommandEnd} */
export function commandEnd(args, output) {
  const exit = output.metadata?.exit
  return {
    exitCode: Number.isInteger(exit) ? exit : -1,
    workdir: args?.workdir ?? "",
    output: String(output.output ?? ""),
  }
}

/** UTF-8 bytes of the texts, calls and results of messages. @param {any[]} messages @returns {number} */
export function bytesOf(messages) {
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

/**
 * @param {import("../host.js").Orchestrator} orchestrator @param {any} client
 * @returns {Record<string, any>} the mission tools as OpenCode registers them
 */
export function missionTools(orchestrator, client) {
  /** @type {Record<string, any>} */
  const tools = {}
  for (const [name, { description, schema }] of Object.entries(contribution.tools)) {
    const execute = (/** @type {any} */ args, /** @type {any} */ { sessionID: session, messageID, abort: signal }) =>
      orchestrator.callTool({ tool: name, session, args, signal, display: new ToolPart(client, session, messageID) })
    tools[name] = { description, args: schema.properties, execute }
  }
  return tools
}
