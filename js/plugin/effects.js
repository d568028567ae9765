// Carries out the engine's effects with OpenCode's client, and tells the engine what became of them.

/** Stands on every message part of ours, so that it is not taken for the user's own words. */
export const ourMark = { orchestrator: true }

/** @param {string} text */
export function ourPart(text) {
  return { type: "text", text, metadata: ourMark }
}

/** @param {any} part */
export function isOurs(part) {
  return part?.metadata?.orchestrator === true
}

/** @param {any} error @returns {string} */
function words(error) {
  return String(error?.data?.message ?? error?.message ?? error?.name ?? JSON.stringify(error))
}

/** @param {Promise<any>} call The host's client answers `{error}` rather than throwing. */
async function result(call) {
  const { data, error } = await call
  if (error) throw new Error(words(error))
  return data
}

/** @param {string} model */
function modelOf(model) {
  const slash = model.indexOf("/")
  return { providerID: model.slice(0, slash), modelID: model.slice(slash + 1) }
}

/**
 * @typedef {object} EffectHost
 * @property {any} client
 * @property {(message: object) => void} tell
 * @property {Set<string>} children  sessions that this process made
 * @property {Map<string, {session: string, message: string}>} calls  waiting tool calls by request
 */

/** @param {EffectHost} host */
export function effectRunner(host) {
  const { client, tell, children, calls } = host

  /** Rules that take something away from the root session take it away from its children too. */
  async function inheritedRules(/** @type {string} */ root) {
    const session = await result(client.session.get({ path: { id: root } }))
    return (session?.permission ?? []).filter((/** @type {any} */ rule) => rule.action !== "allow")
  }

  /** @type {Record<string, (effect: any) => Promise<void>>} */
  const run = {
    async create_session(effect) {
      const session = await result(
        client.session.create({
          body: {
            parentID: effect.parent,
            title: effect.title,
            permission: await inheritedRules(effect.parent),
            metadata: {
              orchestrator: { mission: effect.mission, role: effect.role, task: effect.task, attempt: effect.attempt },
            },
          },
        }),
      )
      children.add(session.id)
      tell({ type: "session_created", effect: effect.effect, session: session.id })
    },

    async prompt_session(effect) {
      const body = {
        agent: effect.agent,
        ...(effect.model ? { model: modelOf(effect.model) } : {}),
        parts: [ourPart(effect.text)],
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
      const statuses = await result(client.session.status())
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

    /** Only a stored part that already runs may be patched (host contract A.2). */
    async show_progress(effect) {
      const call = calls.get(effect.request)
      if (!call) return
      const path = { id: call.session, messageID: call.message }
      const message = await result(client.session.message({ path }))
      const part = message?.parts?.find(
        (/** @type {any} */ p) => p.type === "tool" && p.tool === "mission_run" && p.state?.status === "running",
      )
      if (!part || !calls.has(effect.request)) return
      const state = { ...part.state, title: effect.title, metadata: { ...part.state.metadata, progress: effect.text } }
      await client._client.patch({
        url: `/session/${call.session}/message/${call.message}/part/${part.id}`,
        body: { ...part, state },
        headers: { "Content-Type": "application/json" },
      })
    },

    async show_toast(effect) {
      await client.tui.showToast({ body: { message: effect.text, variant: effect.variant } })
      const level = effect.variant === "error" ? "error" : effect.variant === "warning" ? "warn" : "info"
      await client.app.log({ body: { service: "orchestrator", level, message: effect.text } })
    },
  }

  return (/** @type {any} */ effect) => {
    const action = run[effect.type]
    if (!action) return
    action(effect).catch((error) => {
      if (effect.effect) tell({ type: "effect_failed", effect: effect.effect, error: words(error).slice(0, 500) })
    })
  }
}
