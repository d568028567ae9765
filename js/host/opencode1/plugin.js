// The plugin as OpenCode 1.18 loads it.

import { attach, locate } from "../../plugin/plugin.js"
import { adapterStateOf } from "./adapter-state.js"
import { log } from "./client-calls.js"
import { hooks } from "./hooks.js"
import { hostMode, traitsOf } from "./host-mode.js"
import { OpenCodeHost } from "./operations.js"
import { reload, repair } from "./reload.js"

const id = "opencode-orchestrator-native"

let complained = false

/**
 * Says once why the plugin is off; OpenCode goes on without it.
 * @param {any} client @param {unknown} error @param {string | undefined} mode
 */
async function complain(client, error, mode) {
  if (complained) return
  complained = true
  const message = `${id} is off: ${error instanceof Error ? error.message : error}`
  if (mode !== "tui") console.error(message) // the TUI owns the terminal, and shows the toast
  await Promise.allSettled([log(client, "error", message), client.tui.showToast({ body: { message, variant: "error" } })])
}

/** @param {any} input @param {any} [options] */
async function server({ client, directory }, options) {
  const mode = hostMode(process.argv)
  try {
    const place = locate(directory)
    const state = adapterStateOf(place.state)
    const host = new OpenCodeHost({ client, state, traits: traitsOf(mode) })
    const orchestrator = attach(place, host, options ?? {})
    const inWorktree = place.worktree !== undefined
    // OpenCode answers once this instance is initialised; nothing here waits for the answer.
    if (state.unchecked && !inWorktree) repair(state, client).catch(() => {})
    const dispose = async () => {
      orchestrator.close()
      // In run mode the process ends with its instance. A disposal while a newer instance exists is no reload.
      if (mode === undefined || mode === "run" || !orchestrator.isNewest()) return
      await reload(orchestrator, { client, directory, state })
    }
    return { ...hooks({ orchestrator, host, state, inWorktree }), dispose }
  } catch (error) {
    // Not awaited: OpenCode waits for init, and a server that is just starting may not answer yet (A.14, A.17).
    complain(client, error, mode).catch(() => {})
    return {}
  }
}

export default { id, server }
