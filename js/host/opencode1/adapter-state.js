// What the adapter keeps of a directory, shared by all OpenCode instances of it and of its worktrees.

import { turnMemory } from "./host-events.js"

/**
 * @typedef {object} AdapterState
 * @property {Map<string, Promise<any[]>>} rules  what children inherit, by root session; forgotten when that one changes
 * @property {Map<string, string>} names  role -> OpenCode's name of its agent, which may be the user's own "Worker"
 * @property {Set<string>} commands  the commands that are the plugin's, not the user's
 * @property {import("./host-events.js").TurnMemory} turns
 * @property {boolean} unchecked  after a reload, until the plugin has checked that OpenCode has its agents and commands
 * @property {number} repairs  reloads in a row that were to bring these back
 */

/** @returns {AdapterState} */
export function newAdapterState() {
  return { rules: new Map(), names: new Map(), commands: new Set(), turns: turnMemory(), unchecked: false, repairs: 0 }
}

/** @param {import("../../plugin/directory-state.js").DirectoryState} directory @returns {AdapterState} */
export const adapterStateOf = (directory) => (directory.adapter ??= newAdapterState())
