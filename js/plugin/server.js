// The plugin as OpenCode loads it: host words in, engine words out. Holds no mission state.

import { loadAddon } from "../native.mjs"
import { configure } from "./configure.js"
import { effectRunner } from "./effects.js"
import { Link } from "./link.js"
import { hooks } from "./hooks.js"

const id = "opencode-orchestrator-native"

/** @type {Record<string, "run" | "serve" | undefined>} */
const verbs = { run: "run", serve: "serve", web: "serve", acp: "serve", agent: undefined, session: undefined, export: undefined }

/**
 * How the host was started (host contract 9). Undefined: a short command such as `agent list`, for which nothing is
 * loaded.
 * @param {string[]} argv
 * @returns {"run" | "serve" | "tui" | undefined}
 */
export function hostMode(argv) {
  const words = argv.slice(1)
  if (words.some((word) => /cli\/tui\/worker\.[jt]s$/.test(word))) return "tui"
  // argv is [program, perhaps its script inside the program, verb, …]; options, and their values, may stand before it.
  const verb = words.find((word) => Object.hasOwn(verbs, word))
  return verb === undefined ? undefined : verbs[verb]
}

/** @type {boolean} */
let complained = false

/**
 * Says once why the plugin is not there; OpenCode goes on without it.
 * @param {any} client @param {unknown} error @param {string | undefined} mode
 */
async function complain(client, error, mode) {
  if (complained) return
  complained = true
  const message = `opencode-orchestrator-native is off: ${error instanceof Error ? error.message : error}`
  if (mode !== "tui") console.error(message) // the TUI owns the terminal, and shows the toast
  await Promise.allSettled([
    client.app.log({ body: { service: "orchestrator", level: "error", message } }),
    client.tui.showToast({ body: { message, variant: "error" } }),
  ])
}

/** @param {any} input @param {any} [options] */
async function server(input, options) {
  const mode = hostMode(process.argv)
  /** @type {Link | undefined} */
  let link
  try {
    const addon = loadAddon()
    /** @type {Set<string>} */
    const children = new Set()
    /** @type {Map<string, import("./effects.js").WaitingCall>} */
    const calls = new Map()
    /** @type {Map<string, Promise<any[]>>} */
    const rules = new Map()
    /** @type {Map<string, string>} */
    const names = new Map()
    const run = effectRunner({
      client: input.client,
      tell: (message) => link?.tell(message),
      children,
      calls,
      rules,
      names,
    })
    link = new Link(addon, {
      directory: input.directory,
      options: { options: options ?? {}, agents: ["worker"] },
      onEffect: run,
    })
    if (mode) link.tell({ type: "hello", mode })
    return hooks({ client: input.client, link, mode: mode ?? "serve", children, calls, rules, names, configure })
  } catch (error) {
    // Not awaited: the host waits for init, and a server that is just starting may not answer yet (A.14, A.17).
    complain(input.client, error, mode).catch(() => {})
    return {}
  }
}

export default { id, server }
