// Joins one instance of a host's adapter with the engine of its project. Holds no mission state.

import { loadAddon } from "../native.mjs"
import { contribution } from "./contribution.js"
import { disown, own, ownerOf, projectOf, stateOf } from "./directory-state.js"
import { effectRunner } from "./effects.js"
import { EngineLink, ProjectLink } from "./engine-link.js"
import { gatesOf } from "./gates.js"
import { callTool } from "./mission-calls.js"

/** @typedef {import("./directory-state.js").DirectoryState} DirectoryState */
/** @typedef {{directory: string, state: DirectoryState, worktree?: string}} Place */

/**
 * A directory's state: a project's own; for a mission's worktree, that of its project.
 * @param {string} directory @returns {Place}
 */
export function locate(directory) {
  const project = projectOf(directory)
  if (project === undefined) return { directory, state: stateOf(directory) }
  const state = ownerOf(directory, project)
  own(state, directory)
  return { directory, state, worktree: directory }
}

/**
 * Greets the engine through a link that has opened, which is the newest from now on.
 * @param {DirectoryState} state @param {EngineLink} link @param {import("../host/host.js").Traits} traits
 */
function greet(state, link, { mode }) {
  state.link = link
  if (state.standIn !== link) state.standIn?.close()
  if (!mode) return
  link.tell({ type: "hello", mode })
  if (!state.reload) return
  state.reload = undefined
  link.tell({ type: "host_reloaded", mode })
}

/**
 * @param {{link: import("./gates.js").Link, state: DirectoryState, traits: import("../host/host.js").Traits,
 *   worktree?: string}} instance
 * @param {Pick<import("../host/host.js").Orchestrator, "close" | "isNewest" | "reloading">} life
 * @returns {import("../host/host.js").Orchestrator}
 */
export function orchestratorOf(instance, life) {
  const { link, state } = instance
  return {
    ...life,
    contribution,
    get open() {
      return link.open
    },
    watches: (session) => link.watches(session),
    owns: (session) => state.children.has(session),
    tell: (fact) => void link.tell(fact),
    gates: gatesOf(instance),
    callTool: (call) => callTool(instance, call),
    toolEnded: (session, call) => state.running.end(session, call),
  }
}

/**
 * An instance of a worktree has no engine of its own: it sends facts and questions to its project's engine.
 * @param {Place & {worktree: string}} place @param {import("../host/host.js").Host} host
 */
function attachWorktree({ state, worktree }, host) {
  const link = new ProjectLink(state)
  const life = { close: () => disown(state, worktree), isNewest: () => false, reloading: () => {} }
  return orchestratorOf({ link, state, traits: host.traits, worktree }, life)
}

/**
 * @param {Place} place  of `locate`
 * @param {import("../host/host.js").Host} host
 * @param {object} [options]  of the user, for the engine
 * @returns {import("../host/host.js").Orchestrator}
 * @throws {Error} The addon cannot be loaded, or the directory not opened.
 */
export function attach(place, host, options = {}) {
  const { directory, state, worktree } = place
  if (worktree !== undefined) return attachWorktree({ ...place, worktree }, host)
  const addon = loadAddon()
  const { traits } = host
  const connect = () =>
    new EngineLink(addon, {
      directory,
      options: { options, agents: ["worker"] },
      onEffect: effectRunner({ host, state }),
      onOpen: (link) => greet(state, link, traits),
      after: state.reload?.over,
    })
  const instance = (state.instance = {})
  const isNewest = () => state.instance === instance
  const link = connect()
  const reloading = (/** @type {Promise<void>} */ over) => {
    state.reload = { over }
    over.then(() => isNewest() && (state.standIn = connect()))
  }
  return orchestratorOf({ link, state, traits }, { close: () => link.close(), isNewest, reloading })
}
