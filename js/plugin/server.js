// The plugin as OpenCode loads it: host words in, engine words out. Holds no mission state.

import { loadAddon } from "../native.mjs"
import { configure } from "./configure.js"
import { effectRunner } from "./effects.js"
import { hooks } from "./hooks.js"
import { BorrowedLink, Link } from "./link.js"
import { disown, memoryOf, own, ownerOf, projectOf } from "./memory.js"
import { mend, reload } from "./reload.js"

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

/**
 * The first words of a link to the engine.
 * @param {import("./memory.js").Memory} memory @param {Link} link @param {"run" | "serve" | "tui" | undefined} mode
 */
function begin(memory, link, mode) {
  memory.link = link
  if (memory.standIn !== link) memory.standIn?.close()
  if (!mode) return
  link.tell({ type: "hello", mode })
  if (!memory.reload) return
  memory.reload = undefined
  link.tell({ type: "host_reloaded", mode })
}

/**
 * The instance of a worktree has no engine of its own: it is eyes and hands of its project's.
 * @param {any} client @param {string} directory @param {string} project @param {"run" | "serve" | "tui"} mode
 */
function inWorktree(client, directory, project, mode) {
  const memory = ownerOf(directory, project)
  own(memory, directory)
  const dispose = async () => disown(memory, directory)
  return hooks({ client, link: new BorrowedLink(memory), mode, memory, dispose, configure, worktree: directory })
}

/** @param {any} input @param {any} [options] */
async function server(input, options) {
  const mode = hostMode(process.argv)
  try {
    const addon = loadAddon()
    const { client, directory } = input
    const project = projectOf(directory)
    if (project !== undefined) return inWorktree(client, directory, project, mode ?? "serve")
    const memory = memoryOf(directory)
    const instance = (memory.instance = {})
    const connect = () =>
      new Link(addon, {
        directory,
        options: { options: options ?? {}, agents: ["worker"] },
        onEffect: effectRunner({ client, memory }),
        onOpen: (link) => begin(memory, link, mode),
        after: memory.reload?.over,
      })
    const link = connect()
    // The host answers when this instance stands; nothing here waits for it.
    if (memory.unsure) mend(memory, client).catch(() => {})
    const dispose = async () => {
      link.close()
      // A run ends with its instance. One beside which a newer lives goes without a word.
      if (mode === undefined || mode === "run" || memory.instance !== instance) return
      await reload(memory, { client, directory, standIn: () => (memory.standIn = connect()) })
    }
    return hooks({ client, link, mode: mode ?? "serve", memory, dispose, configure })
  } catch (error) {
    // Not awaited: the host waits for init, and a server that is just starting may not answer yet (A.14, A.17).
    complain(input.client, error, mode).catch(() => {})
    return {}
  }
}

export default { id, server }
