// What the host still has of a mission's sessions, told to a process that has taken the mission up: which sessions
// there are, which of them are at work, and what was handed in and never reached the engine.

import { existsSync } from "node:fs"
import { isOurs, promptOf, result } from "./client.js"
import { projectOf } from "./memory.js"

/** Requests at one time: the host works them off on the thread that its sessions need. */
const requestsMax = 8
/** A model steps on under one prompt, and the host puts words of its own between: so far back a prompt is looked for. */
const lookBack = [20, 500]
const submissions = new Set(["submit_plan", "submit_work", "submit_review"])
/** How the host marks a call that did not come to its end; and how this plugin does (link.js). */
const lost = /^(Tool execution (was )?(aborted|interrupted)|\[Tool execution was interrupted\]|This call was lost)/

/**
 * @typedef {{session: string, creation: number, busy: boolean, in_tool: boolean, answered: boolean, prompt: number}} Found
 * @typedef {{type: string, session: string, request: string, args: string, harvested: true, prompt: number}} Harvested
 */

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

/** The host's answer, or nothing where it has no such session. @param {Promise<any>} call */
async function unlessGone(call) {
  const answer = await call
  if (answer.response?.status === 404 || answer.error?.name === "NotFoundError") return undefined
  return result(Promise.resolve(answer))
}

/** A call with all its arguments that was never answered. @param {any} part */
function isUnanswered(part) {
  if (part.type !== "tool" || !submissions.has(part.tool)) return false
  const state = part.state ?? {}
  if (!state.input || Object.keys(state.input).length === 0) return false
  if (state.status === "error") return state.metadata?.interrupted === true || lost.test(String(state.error ?? ""))
  return state.status === "running" || state.status === "pending"
}

/**
 * The prompt of ours behind a session's newest message, by the effect that sent it; 0: there is none.
 * @param {any} client @param {string} id @param {any} newest
 */
async function promptBehind(client, id, newest) {
  const own = newest.info.role === "user" ? newest : undefined
  const asked = own ?? (await unlessGone(client.session.message({ path: { id, messageID: newest.info.parentID } })))
  if (asked?.parts?.some(isOurs)) return promptOf(asked)
  // A person's words, or the host's own after a compaction.
  for (const limit of lookBack) {
    const messages = (await unlessGone(client.session.messages({ path: { id }, query: { limit } }))) ?? []
    const ours = messages.findLast((/** @type {any} */ m) => m.info.role === "user" && m.parts.some(isOurs))
    if (ours) return promptOf(ours)
    if (messages.length < limit) break
  }
  return 0
}

/**
 * @param {any} client
 * @param {{mission: string, parents: string[], known: string[]}} effect
 * @returns {Promise<{sessions: Found[], harvest: Harvested[], deleted: string[], worktrees: Map<string, string>}>}
 *   `harvest`: calls that the engine has perhaps never seen; `deleted`: parents that are not there any more; `worktrees`:
 *   of the sessions that work in one
 */
export async function findSessions(client, effect) {
  const statuses = (await result(client.session.status())) ?? {}
  /** @type {Map<string, number>} session -> the effect that created it */
  const there = new Map()
  /** @type {string[]} */
  const deleted = []
  /** @type {Map<string, string>} */
  const worktrees = new Map()
  const note = (/** @type {any} */ session) => {
    const directory = String(session.directory ?? "")
    if (projectOf(directory) !== undefined) {
      if (!existsSync(directory)) return // without it the session cannot go on
      worktrees.set(session.id, directory)
    }
    there.set(session.id, session.metadata?.orchestrator?.effect ?? 0)
  }
  await inParallel(effect.parents, async (id) => {
    const children = await unlessGone(client.session.children({ path: { id } }))
    if (!children) deleted.push(id)
    for (const child of children ?? []) {
      const ours = child.metadata?.orchestrator
      if (ours?.mission === effect.mission) note(child)
    }
  })
  await inParallel(
    effect.known.filter((id) => !there.has(id)),
    async (id) => {
      const session = await unlessGone(client.session.get({ path: { id } }))
      if (session) note(session)
    },
  )
  /** @type {Harvested[]} */
  const harvest = []
  const known = new Set(effect.known)
  await inParallel([...new Set(worktrees.values())], async (directory) => {
    Object.assign(statuses, await result(client.session.status({ query: { directory } })))
  })
  const sessions = await inParallel([...there], async ([session, creation]) => {
    const busy = statuses[session] !== undefined && statuses[session].type !== "idle"
    const found = { session, creation, busy, in_tool: false, answered: false, prompt: 0 }
    // Of one that the engine has ended, or never knew, nothing matters but whether it runs.
    if (!known.has(session)) return found
    const newest = (await unlessGone(client.session.messages({ path: { id: session }, query: { limit: 1 } })))?.at(-1)
    if (!newest) return found
    const { info, parts } = newest
    found.in_tool = busy && parts.some((/** @type {any} */ p) => p.type === "tool" && p.state?.status === "running")
    found.answered = info.role === "assistant" && !!info.time?.completed && !info.error
    found.prompt = await promptBehind(client, session, newest)
    if (busy || info.role !== "assistant" || found.prompt === 0) return found
    for (const part of parts.filter(isUnanswered)) {
      harvest.push({
        type: part.tool,
        session,
        request: `harvest-${part.id}`,
        args: JSON.stringify(part.state.input),
        harvested: true,
        prompt: found.prompt,
      })
    }
    return found
  })
  return { sessions, harvest, deleted, worktrees }
}
