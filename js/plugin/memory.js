// What the process knows of a directory, whichever instance of the plugin asks. The host makes instances as it likes:
// anew after each reload, sometimes two side by side (host contract A.13). No mission state: that is the engine's.

import { turnMemory } from "./turns.js"

/**
 * @typedef {object} Memory
 * @property {Set<string>} children  sessions that a mission made, as far as this process has seen them
 * @property {Map<string, import("./effects.js").WaitingCall>} calls  waiting tool calls by request
 * @property {Map<string, Promise<any[]>>} rules  what children inherit, by root session; forgotten when that one changes
 * @property {Map<string, string>} names  role -> the host's name of its agent, which may be the user's own "Worker"
 * @property {Set<string>} commands  those that are ours
 * @property {import("./turns.js").TurnMemory} turns
 * @property {import("./link.js").Link} [link]  the newest: facts go through it, whoever learns them
 * @property {import("./link.js").Link} [standIn]  of a disposed instance, until the next one is there
 * @property {object} [instance]  stands for the newest instance
 * @property {boolean} unsure  nobody has looked yet whether the host has our agents and commands after a reload
 * @property {number} mends  reloads in a row that were to bring them back
 * @property {import("./reload.js").Reload} [reload]  under way, or not yet told to the engine
 */

/** @returns {Memory} */
export function newMemory() {
  return {
    children: new Set(),
    calls: new Map(),
    rules: new Map(),
    names: new Map(),
    commands: new Set(),
    turns: turnMemory(),
    unsure: false,
    mends: 0,
  }
}

const memories = /** @type {Map<string, Memory>} */ (
  /** @type {any} */ (globalThis)[Symbol.for("opencode-orchestrator.directories")] ??= new Map()
)

/** @param {string} directory @returns {Memory} */
export function memoryOf(directory) {
  const known = memories.get(directory)
  if (known) return known
  const memory = newMemory()
  memories.set(directory, memory)
  return memory
}
