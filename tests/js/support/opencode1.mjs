// The adapter for OpenCode 1.18 over a link and a client of the test's own.

import { adapterStateOf } from "../../../js/host/opencode1/adapter-state.js"
import { hooks } from "../../../js/host/opencode1/hooks.js"
import { traitsOf } from "../../../js/host/opencode1/host-mode.js"
import { OpenCodeHost } from "../../../js/host/opencode1/operations.js"
import { newDirectoryState } from "../../../js/plugin/directory-state.js"
import { effectRunner } from "../../../js/plugin/effects.js"
import { orchestratorOf } from "../../../js/plugin/plugin.js"

/** @typedef {import("../../../js/plugin/directory-state.js").DirectoryState} DirectoryState */

/** @param {any} client @param {DirectoryState} state @param {"run" | "serve" | "tui"} [mode] */
const hostOver = (client, state, mode = "serve") =>
  new OpenCodeHost({ client, state: adapterStateOf(state), traits: traitsOf(mode) })

/**
 * OpenCode's hooks, with an engine of the test's own behind them.
 * @param {{link: any, client?: any, mode?: "run" | "serve" | "tui", state?: DirectoryState, worktree?: string}} options
 */
export function hooksOver({ link, client = {}, mode = "serve", state = newDirectoryState(), worktree }) {
  const host = hostOver(client, state, mode)
  const life = { close: () => {}, isNewest: () => true, reloading: () => {} }
  const orchestrator = orchestratorOf({ link, state, traits: host.traits, worktree }, life)
  return hooks({ orchestrator, host, state: adapterStateOf(state), inWorktree: worktree !== undefined })
}

/** Carries out effects with a client of the test's own. @param {any} client @param {DirectoryState} state */
export const effectsOver = (client, state) => effectRunner({ host: hostOver(client, state), state })
