// What the process knows of a directory, whichever instance of the plugin asks. The host makes instances as it likes:
// anew after each reload, sometimes two side by side (host contract A.13). No mission state: that is the engine's.

import { RunningTools } from "./running.js"
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
 * @property {Map<string, string>} places  session -> the worktree that it works in, for those that do
 * @property {Set<string>} instances  worktrees in which the host has, or may have, an instance
 * @property {Map<string, {wanted: boolean, over: Promise<boolean>}>} opening  worktrees that the host was asked to open ahead
 * @property {RunningTools} running  tool calls in worktrees
 * @property {{snapshots?: string}} settings  what the engine last read of the configuration, for the host
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
    places: new Map(),
    instances: new Set(),
    opening: new Map(),
    running: new RunningTools(),
    settings: {},
  }
}

const memories = /** @type {Map<string, Memory>} */ (
  /** @type {any} */ (globalThis)[Symbol.for("opencode-orchestrator.directories")] ??= new Map()
)

/** The project whose worktree a directory is, by where it stands. @param {string} directory */
export const projectOf = (directory) => /^(.+)\/\.opencode\/orchestrator\/worktrees\/[^/]+\/?$/.exec(directory)?.[1]

/** worktree -> what is known of its project, whose directory the host may name through links @type {Map<string, Memory>} */
const owners = /** @type {any} */ (globalThis)[Symbol.for("opencode-orchestrator.worktrees")] ??= new Map()

/** The host is about to have an instance in this worktree. @param {Memory} memory @param {string} directory */
export function own(memory, directory) {
  owners.set(directory, memory)
  memory.instances.add(directory)
}

/** @param {Memory} memory @param {string} directory */
export function disown(memory, directory) {
  owners.delete(directory)
  memory.instances.delete(directory)
}

/** @param {string} directory of a worktree @param {string} project */
export const ownerOf = (directory, project) => owners.get(directory) ?? memoryOf(project)

/** @param {string} directory @returns {Memory} */
export function memoryOf(directory) {
  const known = memories.get(directory)
  if (known) return known
  const memory = newMemory()
  memories.set(directory, memory)
  return memory
}
