// Finds what OpenCode still has of a mission's sessions, for a process that takes the mission up: which sessions there are,
// which of them are busy, and which submissions never reached the engine.

import { existsSync } from "node:fs"
import { projectOf } from "../../plugin/directory-state.js"
import { result, unlessGone } from "./client-calls.js"
import { isOurs, promptOf } from "./part-marks.js"

/** Requests at one time: OpenCode handles them on the thread that its sessions need. */
const requestsMax = 8
/** How many messages back a prompt is looked for: a model takes many steps under one prompt, and OpenCode adds messages. */
const lookBack = [20, 500]
/** The texts by which OpenCode, and the plugin (`lostCall` in engine-link.js), mark a call that did not finish. */
const lost = /^(Tool execution (was )?(aborted|interrupted)|\[Tool execution was interrupted\]|This call was lost)/

/** @typedef {import("../host.js").FoundSession} FoundSession */
/** @typedef {import("../host.js").UnansweredCall} UnansweredCall */

/**
 * @template T, R
 * @param {T[]} items @param {(item: T) => Promise<R>} work
 * @returns {Promise<R[]>} in the items' order
 */
async function inParallel(items, work) {
  /** @type {R[]} */
  const results = []
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const i = next++
      results[i] = await work(/** @type {T} */ (items[i]))
    }
  }
  await Promise.all(Array.from({ length: Math.min(requestsMax, items.length) }, worker))
  return results
}

/** @param {any} statuses of `session.status`, which names only sessions that are not idle @param {string} session */
export const busyIn = (statuses, session) => statuses[session] !== undefined && statuses[session].type !== "idle"

/** The state of a session's turn, by its newest message. @param {any} newest */
export function turnOf(newest) {
  const { info, parts = [] } = newest ?? {}
  return {
    in_tool: parts.some((/** @type {any} */ part) => part.type === "tool" && part.state?.status === "running"),
    answered: info?.role === "assistant" && !!info.time?.completed && !info.error,
  }
}

/** Whether a submission has all its arguments and no answer. @param {any} part @param {string[]} submissions */
function isUnanswered(part, submissions) {
  if (part.type !== "tool" || !submissions.includes(part.tool)) return false
  const state = part.state ?? {}
  if (!state.input || Object.keys(state.input).length === 0) return false
  if (state.status === "error") return state.metadata?.interrupted === true || lost.test(String(state.error ?? ""))
  return state.status === "running" || state.status === "pending"
}

/**
 * The effect of the engine's prompt that a session's newest message answers; 0: there is none.
 * @param {any} client @param {string} id @param {any} newest
 */
async function promptBehind(client, id, newest) {
  const own = newest.info.role === "user" ? newest : undefined
  const asked = own ?? (await unlessGone(client.session.message({ path: { id, messageID: newest.info.parentID } })))
  if (asked?.parts?.some(isOurs)) return promptOf(asked)
  // The message answers a person, or OpenCode's own words after a compaction.
  for (const limit of lookBack) {
    const messages = (await unlessGone(client.session.messages({ path: { id }, query: { limit } }))) ?? []
    const ours = messages.findLast((/** @type {any} */ m) => m.info.role === "user" && m.parts.some(isOurs))
    if (ours) return promptOf(ours)
    if (messages.length < limit) break
  }
  return 0
}

/**
 * A family's sessions as OpenCode lists them, before any is inspected.
 * @typedef {object} Listed
 * @property {Map<string, number>} creations  session -> the effect that created it
 * @property {Map<string, string>} worktrees  session -> its worktree, for those that work in one
 * @property {string[]} deleted               parents that are not there any more
 */

/** @param {Listed} listed @param {any} session */
function list({ creations, worktrees }, session) {
  const directory = String(session.directory ?? "")
  if (projectOf(directory) !== undefined) {
    if (!existsSync(directory)) return // without it the session cannot go on
    worktrees.set(session.id, directory)
  }
  creations.set(session.id, session.metadata?.orchestrator?.effect ?? 0)
}

/** @param {any} client @param {import("../host.js").Family} family @returns {Promise<Listed>} */
async function listFamily(client, { mission, parents, known }) {
  /** @type {Listed} */
  const listed = { creations: new Map(), worktrees: new Map(), deleted: [] }
  await inParallel(parents, async (id) => {
    const children = await unlessGone(client.session.children({ path: { id } }))
    if (!children) listed.deleted.push(id)
    for (const child of children ?? []) if (child.metadata?.orchestrator?.mission === mission) list(listed, child)
  })
  const others = known.filter((id) => !listed.creations.has(id))
  await inParallel(others, async (id) => {
    const session = await unlessGone(client.session.get({ path: { id } }))
    if (session) list(listed, session)
  })
  return listed
}

/** The statuses of the project's sessions and of those in worktrees. @param {any} client @param {Iterable<string>} worktrees */
async function statusesOf(client, worktrees) {
  const statuses = (await result(client.session.status())) ?? {}
  await inParallel([...new Set(worktrees)], async (directory) => {
    Object.assign(statuses, await result(client.session.status({ query: { directory } })))
  })
  return statuses
}

/**
 * Inspects a session that the engine knows.
 * @param {any} client @param {FoundSession} found filled in @param {string[]} submissions
 * @returns {Promise<UnansweredCall[]>}
 */
async function lookAt(client, found, submissions) {
  const { session, busy } = found
  const newest = (await unlessGone(client.session.messages({ path: { id: session }, query: { limit: 1 } })))?.at(-1)
  if (!newest) return []
  const turn = turnOf(newest)
  found.in_tool = busy && turn.in_tool
  found.answered = turn.answered
  const prompt = (found.prompt = await promptBehind(client, session, newest))
  if (busy || newest.info.role !== "assistant" || prompt === 0) return []
  return newest.parts
    .filter((/** @type {any} */ part) => isUnanswered(part, submissions))
    .map((/** @type {any} */ { tool, id, state }) => ({ session, tool, id, args: state.input, prompt }))
}

/**
 * @param {any} client @param {import("../host.js").Family} family
 * @returns {Promise<import("../host.js").FoundFamily>}
 */
export async function findSessions(client, family) {
  const { creations, worktrees, deleted } = await listFamily(client, family)
  const statuses = await statusesOf(client, worktrees.values())
  const known = new Set(family.known)
  /** @type {UnansweredCall[]} */
  const unanswered = []
  const sessions = await inParallel([...creations], async ([session, creation]) => {
    const busy = busyIn(statuses, session)
    const found = { session, creation, busy, in_tool: false, answered: false, prompt: 0 }
    // Of a session that the engine has ended, or never knew, only `busy` matters.
    if (known.has(session)) unanswered.push(...(await lookAt(client, found, family.submissions)))
    return found
  })
  return { sessions, unanswered, deleted, worktrees }
}
