// Carries out the engine's effects through the host and reports their results to the engine.

import { disown, own } from "./directory-state.js"

/** A host kills a command some seconds after its abort. */
const toolsMs = 5_000
/** Time limit for the end of a worktree's instance; after it the host ends the instance on its own. */
const closeMs = 10_000
/** How long the host may take to bring up an instance; the first session there waits for the rest. */
const openMs = 30_000
const errorMax = 500
const submissions = ["submit_plan", "submit_work", "submit_review"]

/**
 * @typedef {object} EffectContext
 * @property {import("../host/host.js").Host} host
 * @property {import("./directory-state.js").DirectoryState} state
 * @property {(message: object) => void} tell  to the newest link: a reload may come between an effect and its end
 */

/**
 * @template T
 * @param {Promise<T>} promise @param {number} ms @returns {Promise<T | undefined>} undefined: not in this time
 */
const within = (promise, ms) => Promise.race([promise, new Promise((resolve) => void setTimeout(resolve, ms).unref())])

/** @param {EffectContext} context @param {any} effect */
async function createSession({ host, state, tell }, effect) {
  const { parent, title, mission, role, task, attempt } = effect
  const directory = effect.directory || undefined
  if (directory) own(state, directory)
  const mark = { mission, role, task, attempt, effect: effect.effect }
  const session = await host.createSession({ parent, title, directory, mark })
  state.children.add(session)
  if (directory) state.places.set(session, directory)
  tell({ type: "session_created", effect: effect.effect, session })
}

/** @param {EffectContext} context @param {any} effect */
async function promptSession({ host, tell }, effect) {
  const { session, agent: role, model, text, no_reply: stored } = effect
  await host.promptSession({ session, role, model: model || undefined, text, effect: effect.effect, stored })
  tell({ type: "prompt_accepted", effect: effect.effect })
}

/** @param {EffectContext} context @param {any} effect */
async function stopSession({ host }, effect) {
  await host.stopSession(effect.session)
}

/** @param {EffectContext} context @param {any} effect */
async function inspectSession({ host, state, tell }, effect) {
  const { session } = effect
  const { exists, ...look } = await host.inspectSession(session, state.places.get(session))
  tell({ type: "session_inspected", effect: effect.effect, session, exists, ...(exists ? look : {}) })
}

/** @param {EffectContext} context @param {any} effect */
async function findSessions({ host, state, tell }, effect) {
  const { mission, parents, known } = effect
  const found = await host.findSessions({ mission, parents, known, submissions })
  for (const [session, worktree] of found.worktrees) {
    state.places.set(session, worktree)
    own(state, worktree)
  }
  for (const { session } of found.sessions) state.children.add(session)
  // Submissions and deletions that no process has reported go before the answer: the mission goes on upon the answer.
  for (const call of found.unanswered) tell(harvested(call))
  for (const session of found.deleted) tell({ type: "session_deleted", session })
  tell({ type: "sessions_found", effect: effect.effect, sessions: found.sessions })
}

/** The message of a submission that the engine may not have received. @param {import("../host/host.js").UnansweredCall} call */
function harvested({ session, tool, id, args, prompt }) {
  return { type: tool, session, request: `harvest-${id}`, args: JSON.stringify(args), harvested: true, prompt }
}

/** @param {EffectContext} context @param {any} effect */
async function rejectPermission({ host, state }, effect) {
  const { permission, session, message } = effect
  await host.rejectPermission({ permission, session, directory: state.places.get(session), message })
}

/** @param {EffectContext} context @param {any} effect */
async function openDirectory({ host, state, tell }, effect) {
  const { directory } = effect
  own(state, directory)
  const stop = new AbortController()
  const asked = host.openDirectory(directory, stop.signal)
  const over = asked.then(() => true, () => false)
  state.opening.set(directory, { stop, over })
  const opened = await within(over, openMs)
  tell({ type: "directory_opened", effect: effect.effect, opened: opened === true })
}

/**
 * Lets the host end its instance of a worktree, first what still runs there: a tool's end, or the answer to `openDirectory`,
 * would start another instance, which would recreate the directory.
 * @param {EffectContext} context @param {any} effect
 */
async function closeDirectory({ host, state, tell }, effect) {
  const { directory } = effect
  if (state.instances.has(directory)) {
    const opening = state.opening.get(directory)
    state.opening.delete(directory)
    opening?.stop.abort()
    if (opening) await within(opening.over, closeMs)
    await state.running.over(directory, toolsMs)
    await within(host.closeDirectory(directory).catch(() => {}), closeMs)
    disown(state, directory)
  }
  for (const [session, place] of state.places) if (place === directory) state.places.delete(session)
  tell({ type: "directory_disposed", effect: effect.effect })
}

/** @param {EffectContext} context @param {any} effect */
async function showProgress({ state }, { request, title, text }) {
  await state.calls.get(request)?.show({ title, text })
}

/** @param {EffectContext} context @param {any} effect */
async function notify({ host }, { variant, text }) {
  await host.notify({ variant, text })
}

/** Answers an unknown effect of a newer engine, which must not wait for ever. @param {EffectContext} _ @param {any} effect */
async function unknown(_, effect) {
  throw new Error(`${effect.type}: not known to this version of the plugin`)
}

/** The engine's name of an effect -> what carries it out. @type {Record<string, (context: EffectContext, effect: any) => Promise<void>>} */
const actions = {
  create_session: createSession,
  prompt_session: promptSession,
  abort_session: stopSession,
  inspect_session: inspectSession,
  find_sessions: findSessions,
  reject_permission: rejectPermission,
  open_directory: openDirectory,
  dispose_directory: closeDirectory,
  show_progress: showProgress,
  show_toast: notify,
}

/**
 * @param {{host: import("../host/host.js").Host, state: import("./directory-state.js").DirectoryState}} instance
 * @returns {(effect: any) => void}
 */
export function effectRunner({ host, state }) {
  /** @type {EffectContext} */
  const context = { host, state, tell: (message) => void state.link?.tell(message) }
  return (effect) => {
    const action = actions[effect.type] ?? unknown
    action(context, effect).catch((error) => {
      if (!effect.effect) return
      const text = String(error?.message ?? error).slice(0, errorMax)
      context.tell({ type: "effect_failed", effect: effect.effect, error: text })
    })
  }
}
