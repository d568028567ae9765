// A host in miniature for the model's tests: it speaks HTTP as OpenCode's provider does (streamed SSE, the
// session headers), keeps the conversation, and hands tool calls to the test.

/** @typedef {(args: any, name: string) => string} Tool */

const tool = (/** @type {string} */ name) => ({
  type: "function",
  function: { name, description: name, parameters: { type: "object" } },
})

export const kHostTools = ["bash", "edit", "read", "todowrite", "write"]

/** @param {string} text @returns {{text: string, calls: any[], finish: string|null, done: boolean}} */
export function readStream(text) {
  const out = { text: "", calls: /** @type {any[]} */ ([]), finish: null, done: false }
  for (const event of text.split("\n\n")) {
    const data = event.replace(/^data: /, "").trim()
    if (!data) continue
    if (data === "[DONE]") {
      out.done = true
      continue
    }
    const choice = JSON.parse(data).choices[0]
    if (!choice) continue
    out.text += choice.delta.content ?? ""
    for (const c of choice.delta.tool_calls ?? []) out.calls[c.index] = c
    out.finish = choice.finish_reason ?? out.finish
  }
  return out
}

export class Session {
  /**
   * @param {{baseURL: string}} model
   * @param {{id?: string, parent?: string, tools?: string[], system?: string, exec?: Record<string, Tool>}} [options]
   */
  constructor(model, { id = "ses_1", parent, tools = [], system = "You are a role.", exec = {} } = {}) {
    this.model = model
    this.id = id
    this.parent = parent
    this.tools = [...kHostTools, ...tools]
    this.exec = exec
    /** @type {any[]} */
    this.messages = [{ role: "system", content: system }]
    /** @type {{name: string, args: any}[]} */
    this.made = []
  }

  /** One request to the model. @param {boolean} [stream] */
  request(stream = true) {
    /** @type {Record<string, string>} */
    const headers = { "content-type": "application/json", "x-session-id": this.id }
    if (this.parent) headers["x-parent-session-id"] = this.parent
    return fetch(`${this.model.baseURL}/chat/completions`, {
      method: "POST",
      headers,
      body: JSON.stringify({
        model: "scripted",
        messages: this.messages,
        tools: this.tools.map(tool),
        stream,
      }),
    })
  }

  /** One answer, its tools run. @returns {Promise<string|null>} the text if the turn ended with it */
  async step() {
    const response = await this.request()
    if (!response.ok) throw new Error(`HTTP ${response.status}`)
    const answer = readStream(await response.text())
    const message = { role: "assistant", content: answer.text }
    this.messages.push(answer.calls.length ? { ...message, tool_calls: answer.calls } : message)
    for (const call of answer.calls) {
      const { name } = call.function
      const args = JSON.parse(call.function.arguments)
      this.made.push({ name, args })
      const content = this.exec[name]?.(args, name) ?? kResults[name] ?? "ok"
      this.messages.push({ role: "tool", tool_call_id: call.id, content })
    }
    return answer.calls.length ? null : answer.text
  }

  /** A prompt and the whole turn that follows. @param {string} prompt */
  async turn(prompt) {
    this.messages.push({ role: "user", content: prompt })
    return this.finish()
  }

  async finish() {
    for (let i = 0; i < 80; i++) {
      const text = await this.step()
      if (text !== null) return text
    }
    throw new Error("the turn did not end")
  }

  /** Names of the tools called so far. */
  get names() {
    return this.made.map((c) => c.name)
  }
}

/** @type {Record<string, string>} */
const kResults = {
  write: "Wrote file successfully.",
  edit: "Edit applied successfully.",
  bash: "# tests 1\n# pass 1\n# fail 0\n",
  submit_plan: "Plan accepted: 2 tasks.",
  submit_work: "T1 submitted for review.",
  submit_review: "Review of T1 recorded.",
}
