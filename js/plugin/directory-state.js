// The state of a project directory in this process, shared by all instances of the plugin: the host makes a new instance
// after each reload, and sometimes two exist side by side (host contract A.13). Mission state is the engine's alone.

import { RunningTools } from "./running-tools.js"

/**
 * @typedef {object} DirectoryState
 * @property {Set<string>} children  sessions that a mission made, as far as this process has seen them
 * @property {Map<string, import("../host/host.js").CallDisplay>} calls  displays of the tool calls that wait, by request
 * @property {import("./engine-link.js").EngineLink} [link]  the newest: every fact and every answer goes through it
 * @property {import("./engine-link.js").EngineLink} [standIn]  of a disposed instance, until the next one is there
 * @property {object} [instance]  identifies the newest instance
 * @property {Map<string, string>} places  session -> the worktree that it works in, for those that do
 * @property {Set<string>} instances  worktrees in which the host has, or may have, an instance
 * @property {Map<string, {stop: AbortController, over: Promise<boolean>}>} opening  worktrees that the host was asked to open
 * @property {RunningTools} running  tool calls in worktrees
 * @property {import("../host/host.js").HostSettings} settings  what the engine last read of the configuration
 * @property {{over: Promise<void>}} [reload]  under way, or over and not yet reported to the engine
 * @property {any} [adapter]  what the host's adapter keeps of this directory
 */

/** @returns {DirectoryState} */
export function newDirectoryState() {
  return {
    children: new Set(),
    calls: new Map(),
    places: new Map(),
    instances: new Set(),
    opening: new Map(),
    running: new RunningTools(),
    settings: {},
  }
}

const states = /** @type {Map<string, DirectoryState>} */ (
  /** @type {any} */ (globalThis)[Symbol.for("opencode-orchestrator.directories")] ??= new Map()
)

/** worktree -> its project's state; the host may name the project's directory through links @type {Map<string, DirectoryState>} */
const owners = /** @type {any} */ (globalThis)[Symbol.for("opencode-orchestrator.worktrees")] ??= new Map()

/** The project of a worktree, by the worktree's path; undefined: no worktree of a mission. @param {string} directory */
export const projectOf = (directory) => /^(.+)\/\.opencode\/orchestrator\/worktrees\/[^/]+\/?$/.exec(directory)?.[1]

/** The host is about to have an instance in this worktree. @param {DirectoryState} state @param {string} worktree */
export function own(state, worktree) {
  owners.set(worktree, state)
  state.instances.add(worktree)
}

/** @param {DirectoryState} state @param {string} worktree */
export function disown(state, worktree) {
  owners.delete(worktree)
  state.instances.delete(worktree)
}

/** @param {string} worktree @param {string} project @returns {DirectoryState} */
export const ownerOf = (worktree, project) => owners.get(worktree) ?? stateOf(project)

/** @param {string} project @returns {DirectoryState} */
export function stateOf(project) {
  const known = states.get(project)
  if (known) return known
  const state = newDirectoryState()
  states.set(project, state)
  return state
}
