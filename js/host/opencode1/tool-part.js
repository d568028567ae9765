// The progress of a waiting `mission_run`, shown in its tool part.

import { patchPart, result } from "./client-calls.js"

/** @typedef {import("../host.js").CallDisplay} CallDisplay */

/** @implements {CallDisplay} */
export class ToolPart {
  /** the part as it was before progress was put into it @type {any} */
  #before
  /** a patch under way, which must not arrive after the call's end @type {Promise<void> | undefined} */
  #patching
  #over = false

  /** @param {any} client @param {string} session @param {string} message that contains the call */
  constructor(client, session, message) {
    this.client = client
    this.session = session
    this.message = message
  }

  /** @param {{title: string, text: string}} progress */
  async show(progress) {
    if (this.#over) return
    this.#patching = this.#put(progress)
    await this.#patching
  }

  /** @param {{title: string, text: string}} progress */
  async #put({ title, text }) {
    this.#before ??= await this.#runningPart()
    const part = this.#before
    if (!part || this.#over) return
    // The TUI shows the arguments of a running call.
    const input = { ...part.state.input, progress: title }
    const metadata = { ...part.state.metadata, progress: text }
    await patchPart(this.client, { ...part, state: { ...part.state, title, input, metadata } })
  }

  /** The call's part, once it runs: only then may it be patched (host contract A.2). */
  async #runningPart() {
    const path = { id: this.session, messageID: this.message }
    const message = await result(this.client.session.message({ path }))
    return message?.parts?.find(
      (/** @type {any} */ part) => part.type === "tool" && part.tool === "mission_run" && part.state?.status === "running",
    )
  }

  /** The model's history must not keep the progress among the arguments. */
  async clear() {
    this.#over = true
    await this.#patching?.catch(() => {})
    if (this.#before) await patchPart(this.client, this.#before)
  }

  abandon() {
    this.#over = true
  }
}
