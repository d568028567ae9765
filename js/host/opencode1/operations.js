// The operations of the seam (../host.js), with OpenCode 1.18's client.

import { errorText, log, rejectPermission, result } from "./client-calls.js"
import { ourPart } from "./part-marks.js"
import { busyIn, findSessions, turnOf } from "./session-discovery.js"

/** @param {string} model "provider/model" */
function modelOf(model) {
  const slash = model.indexOf("/")
  return { providerID: model.slice(0, slash), modelID: model.slice(slash + 1) }
}

/** @param {string | undefined} directory */
const inDirectory = (directory) => (directory === undefined ? {} : { query: { directory } })

const logLevels = { error: "error", warning: "warn", info: "info", success: "info" }

/** @typedef {import("../host.js").Host} Host */

/** @implements {Host} */
export class OpenCodeHost {
  /** @param {{client: any, state: import("./adapter-state.js").AdapterState, traits: import("../host.js").Traits}} instance */
  constructor({ client, state, traits }) {
    this.client = client
    this.state = state
    this.traits = traits
  }

  /** @param {import("../host.js").NewSession} wanted */
  async createSession({ parent, title, directory, mark }) {
    const permission = await this.#inheritedRules(parent)
    const body = { parentID: parent, title, permission, metadata: { orchestrator: mark } }
    const session = await result(this.client.session.create({ ...inDirectory(directory), body }))
    return session.id
  }

  /** Cached: otherwise each new session would wait for one more request to OpenCode. @param {string} root */
  #inheritedRules(root) {
    const known = this.state.rules.get(root)
    if (known) return known
    const asked = this.#denialsOf(root)
    this.state.rules.set(root, asked)
    asked.catch(() => this.state.rules.delete(root))
    return asked
  }

  /** The session's restricting rules. OpenCode does not pass rules on to children. @param {string} root */
  async #denialsOf(root) {
    const session = await result(this.client.session.get({ path: { id: root } }))
    return (session?.permission ?? []).filter((/** @type {any} */ rule) => rule.action !== "allow")
  }

  /** Names the agent in every prompt: OpenCode does not remember it (host contract A.10). @param {import("../host.js").Prompt} prompt */
  async promptSession({ session, role, model, text, effect, stored }) {
    const body = {
      agent: this.state.names.get(role) ?? role,
      ...(model ? { model: modelOf(model) } : {}),
      ...(stored ? { noReply: true } : {}),
      parts: [ourPart(text, effect)],
    }
    await result(this.client.session.promptAsync({ path: { id: session }, body }))
  }

  /** @param {string} session */
  async stopSession(session) {
    await result(this.client.session.abort({ path: { id: session } }))
  }

  /** @param {string} session @param {string} [directory] */
  async inspectSession(session, directory) {
    const messages = await this.client.session.messages({ path: { id: session }, query: { limit: 2 } })
    if (messages.error) return { exists: false, busy: false, in_tool: false, answered: false }
    const statuses = (await result(this.client.session.status(inDirectory(directory)))) ?? {}
    return { exists: true, busy: busyIn(statuses, session), ...turnOf(messages.data?.at(-1)) }
  }

  /** @param {import("../host.js").Family} family */
  findSessions(family) {
    return findSessions(this.client, family)
  }

  /**
   * Two requests make OpenCode load what a first turn in a directory would wait for: its models, and its services for the
   * location, which load the catalogue of models a second time.
   * @param {string} directory @param {AbortSignal} signal
   */
  async openDirectory(directory, signal) {
    await result(this.client.config.providers({ query: { directory } }))
    signal.throwIfAborted()
    await result(this.client.file.list({ query: { directory, path: "." } }))
    signal.throwIfAborted()
  }

  /** @param {string} directory */
  async closeDirectory(directory) {
    await this.client.instance.dispose({ query: { directory } })
  }

  /** @param {import("../host.js").PermissionRejection} rejection */
  async rejectPermission(rejection) {
    await rejectPermission(this.client, rejection)
  }

  /** @param {import("../host.js").Notice} notice */
  async notify({ variant, text }) {
    await this.client.tui.showToast({ body: { message: text, variant } })
    await log(this.client, logLevels[variant] ?? "info", text)
  }

  /**
   * Stores a message in a session whose turn is about to end, which keeps its loop going without a gap (host contract 5).
   * @param {string} session @param {string} role @param {string} text
   */
  async appendToTurn(session, role, text) {
    const body = { noReply: true, agent: this.state.names.get(role) ?? role, parts: [ourPart(text)] }
    const { error } = await this.client.session.prompt({ path: { id: session }, body })
    if (error) throw new Error(`the mission could not go on: ${errorText(error)}`)
  }
}
