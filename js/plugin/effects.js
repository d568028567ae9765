// Carries out the engine's effects with OpenCode's client, and tells the engine what became of them.

import { ourPart, result, words } from "./client.js"
import { findSessions } from "./find.js"
import { disown, own } from "./memory.js"

/** The host kills a command three seconds after its abort. */
const toolsMs = 5_000
/** A worktree's instance that does not end in this time is left to the host. */
const disposeMs = 10_000

/** So long the host may take to bring up an instance; whoever works there first waits for the rest. */
const openMs = 30_000

/**
 * @template T
 * @param {Promise<T>} promise @param {number} ms @returns {Promise<T | undefined>} undefined: not in this time
 */
const within = (promise, ms) => Promise.race([promise, new Promise((resolve) => void setTimeout(resolve, ms).unref())])

/** @param {string} model */
function modelOf(model) {
  const slash = model.indexOf("/")
  return { providerID: model.slice(0, slash), modelID: model.slice(slash + 1) }
}

/**
 * Replaces a tool part that runs; what works where `ctx.metadata()` does nothing (host contract A.2).
 * @param {any} client
 * @param {any} part  as it is stored, with another state
 */
async function patchPart(client, part) {
  await client._client.patch({
    url: `/session/${part.sessionID}/message/${part.messageID}/part/${part.id}`,
    body: part,
    headers: { "Content-Type": "application/json" },
  })
}

/**
 * A tool call that waits for its mission. `shown`: its part as it was before progress was put into it; `patching`: a
 * patch on its way, which must not arrive after the call's end.
 * @typedef {{session: string, message: string, shown?: any, patching?: Promise<void>}} WaitingCall
 */

/**
 * The progress stood among the arguments, where the TUI shows it; the model's history must not keep it.
 * @param {any} client
 * @param {WaitingCall} call
 */
export async function clearProgress(client, call) {
  await call.patching?.catch(() => {})
  if (call.shown) await patchPart(client, call.shown)
}

/**
 * @param {{client: any, memory: import("./memory.js").Memory}} host
 *   What became of an effect is told by the newest link: a reload may have come between.
 */
export function effectRunner({ client, memory }) {
  const { children, calls, names, rules, places } = memory
  const tell = (/** @type {object} */ message) => void memory.link?.tell(message)

  /** Rules that take something away from the root session take it away from its children too. */
  async function rulesOf(/** @type {string} */ root) {
    const session = await result(client.session.get({ path: { id: root } }))
    return (session?.permission ?? []).filter((/** @type {any} */ rule) => rule.action !== "allow")
  }

  /** Kept, since asking the host again would stand between each submission and its successor. */
  function inheritedRules(/** @type {string} */ root) {
    const known = rules.get(root)
    if (known) return known
    const asked = rulesOf(root)
    rules.set(root, asked)
    asked.catch(() => rules.delete(root))
    return asked
  }

  /** What is kept by directory is asked of the session's own. */
  function placeOf(/** @type {string} */ session) {
    const directory = places.get(session)
    return directory === undefined ? {} : { query: { directory } }
  }

  /** Its tool part, once it runs: only then may it be patched (host contract A.2). */
  async function runningPart(/** @type {WaitingCall} */ call) {
    const path = { id: call.session, messageID: call.message }
    const message = await result(client.session.message({ path }))
    return message?.parts?.find(
      (/** @type {any} */ p) => p.type === "tool" && p.tool === "mission_run" && p.state?.status === "running",
    )
  }

  async function putProgress(/** @type {any} */ effect, /** @type {WaitingCall} */ call) {
    call.shown ??= await runningPart(call)
    const part = call.shown
    if (!part || !calls.has(effect.request)) return
    const state = {
      ...part.state,
      title: effect.title,
      input: { ...call.shown.state.input, progress: effect.title },
      metadata: { ...part.state.metadata, progress: effect.text },
    }
    await patchPart(client, { ...part, state })
  }

  /** An engine that is newer than this file must not wait for ever. */
  async function unknown(/** @type {any} */ effect) {
    throw new Error(`${effect.type}: not known to this version of the plugin`)
  }

  /** @type {Record<string, (effect: any) => Promise<void>>} */
  const run = {
    async create_session(effect) {
      const directory = effect.directory || undefined
      if (directory) own(memory, directory)
      const session = await result(
        client.session.create({
          ...(directory ? { query: { directory } } : {}),
          body: {
            parentID: effect.parent,
            title: effect.title,
            permission: await inheritedRules(effect.parent),
            metadata: {
              orchestrator: {
                mission: effect.mission,
                role: effect.role,
                task: effect.task,
                attempt: effect.attempt,
                effect: effect.effect,
              },
            },
          },
        }),
      )
      children.add(session.id)
      if (directory) places.set(session.id, directory)
      tell({ type: "session_created", effect: effect.effect, session: session.id })
    },

    async prompt_session(effect) {
      const body = {
        agent: names.get(effect.agent) ?? effect.agent,
        ...(effect.model ? { model: modelOf(effect.model) } : {}),
        ...(effect.no_reply ? { noReply: true } : {}),
        parts: [ourPart(effect.text, effect.effect)],
      }
      await result(client.session.promptAsync({ path: { id: effect.session }, body }))
      tell({ type: "prompt_accepted", effect: effect.effect })
    },

    async abort_session(effect) {
      await result(client.session.abort({ path: { id: effect.session } }))
    },

    async inspect_session(effect) {
      const id = effect.session
      const answer = { type: "session_inspected", effect: effect.effect, session: id }
      const messages = await client.session.messages({ path: { id }, query: { limit: 2 } })
      if (messages.error) return tell({ ...answer, exists: false })
      const statuses = await result(client.session.status(placeOf(id)))
      const newest = messages.data?.at(-1)
      tell({
        ...answer,
        exists: true,
        busy: statuses?.[id] !== undefined && statuses[id].type !== "idle",
        in_tool: (newest?.parts ?? []).some(
          (/** @type {any} */ part) => part.type === "tool" && part.state?.status === "running",
        ),
        answered: newest?.info?.role === "assistant" && !!newest.info.time?.completed && !newest.info.error,
      })
    },

    async find_sessions(effect) {
      const { sessions, harvest, deleted, worktrees } = await findSessions(client, effect)
      for (const [session, directory] of worktrees) {
        places.set(session, directory)
        own(memory, directory)
      }
      for (const found of sessions) children.add(found.session)
      for (const call of harvest) tell(call)
      // While no plugin was there to hear of it; before the answer, upon which the mission goes on.
      for (const session of deleted) tell({ type: "session_deleted", session })
      tell({ type: "sessions_found", effect: effect.effect, sessions })
    },

    // The plugin's client has no method for it; a plain reject would stop the session's loop without a word.
    async reject_permission(effect) {
      await result(
        client._client.post({
          url: `/permission/${effect.permission}/reply`,
          ...placeOf(effect.session),
          body: { reply: "reject", message: effect.message },
          headers: { "Content-Type": "application/json" },
        }),
      )
    },

    // Two questions that make the host bring up what a first turn there would wait for: its models, and its services for
    // the location, which hold the catalogue of models once more.
    async open_directory(effect) {
      const { directory } = effect
      own(memory, directory)
      const opening = { wanted: true, over: Promise.resolve(false) }
      const asked = async () => {
        await result(client.config.providers({ query: { directory } }))
        if (opening.wanted) await result(client.file.list({ query: { directory, path: "." } }))
        return opening.wanted
      }
      opening.over = asked().catch(() => false)
      memory.opening.set(directory, opening)
      const opened = await within(opening.over, openMs)
      tell({ type: "directory_opened", effect: effect.effect, opened: opened === true })
    },

    // The host's instance of a worktree ends before the directory does, and its tools before that: the end of one would
    // bring up another instance, which makes the directory anew.
    async dispose_directory(effect) {
      const { directory } = effect
      if (memory.instances.has(directory)) {
        // Nor may a question that opens it come after its end.
        const opening = memory.opening.get(directory)
        memory.opening.delete(directory)
        if (opening) {
          opening.wanted = false
          await within(opening.over, disposeMs)
        }
        await memory.running.over(directory, toolsMs)
        await within(Promise.resolve(client.instance.dispose({ query: { directory } })).catch(() => {}), disposeMs)
        disown(memory, directory)
      }
      for (const [session, place] of places) if (place === directory) places.delete(session)
      tell({ type: "directory_disposed", effect: effect.effect })
    },

    async show_progress(effect) {
      const call = calls.get(effect.request)
      if (!call) return
      call.patching = putProgress(effect, call)
      await call.patching
    },

    async show_toast(effect) {
      await client.tui.showToast({ body: { message: effect.text, variant: effect.variant } })
      const level = effect.variant === "error" ? "error" : effect.variant === "warning" ? "warn" : "info"
      await client.app.log({ body: { service: "orchestrator", level, message: effect.text } })
    },
  }

  return (/** @type {any} */ effect) => {
    const action = run[effect.type] ?? unknown
    action(effect).catch((error) => {
      if (effect.effect) tell({ type: "effect_failed", effect: effect.effect, error: words(error).slice(0, 500) })
    })
  }
}
