// The OpenAI chat-completions wire format, as much of it as OpenCode's openai-compatible provider reads.

/**
 * @typedef {{name: string, args: any, raw?: string}} CallOut  `raw` replaces the JSON of `args`
 * @typedef {{text?: string, calls?: CallOut[]}} Answer
 */

/** @param {Answer} answer */
const finishReason = (answer) => (answer.calls?.length ? "tool_calls" : "stop")

/** @param {CallOut} call @param {number} index @param {string} id */
function callOnWire(call, index, id) {
  return {
    index,
    id: `call_${id}_${index}`,
    type: "function",
    function: { name: call.name, arguments: call.raw ?? JSON.stringify(call.args) },
  }
}

/** @param {number} bytes @param {Answer} answer */
function usage(bytes, answer) {
  const said = (answer.text?.length ?? 0) + JSON.stringify(answer.calls ?? []).length
  const prompt_tokens = Math.ceil(bytes / 4)
  const completion_tokens = Math.max(1, Math.ceil(said / 4))
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
}

/**
 * The events of a streamed answer, one string each, the closing `[DONE]` included.
 * @param {string} id @param {string} model @param {Answer} answer @param {number} requestBytes
 */
export function streamEvents(id, model, answer, requestBytes) {
  const created = Math.floor(Date.now() / 1000)
  const head = { id: `chatcmpl-${id}`, object: "chat.completion.chunk", created, model }
  /** @param {any} delta @param {string|null} finish_reason */
  const chunk = (delta, finish_reason = null) =>
    `data: ${JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason }] })}\n\n`
  const events = [chunk({ role: "assistant", content: answer.text ?? "" })]
  ;(answer.calls ?? []).forEach((call, index) => {
    events.push(chunk({ tool_calls: [callOnWire(call, index, id)] }))
  })
  events.push(chunk({}, finishReason(answer)))
  events.push(`data: ${JSON.stringify({ ...head, choices: [], usage: usage(requestBytes, answer) })}\n\n`)
  events.push("data: [DONE]\n\n")
  return events
}

/** @param {string} id @param {string} model @param {Answer} answer @param {number} requestBytes */
export function wholeAnswer(id, model, answer, requestBytes) {
  const tool_calls = (answer.calls ?? []).map((call, i) => {
    const { index: _index, ...rest } = callOnWire(call, i, id)
    return rest
  })
  return {
    id: `chatcmpl-${id}`,
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: answer.text ?? null,
          ...(tool_calls.length ? { tool_calls } : {}),
        },
        finish_reason: finishReason(answer),
      },
    ],
    usage: usage(requestBytes, answer),
  }
}

/** One line for the record: what the model answered. @param {Answer} answer */
export function summarise(answer) {
  const parts = (answer.calls ?? []).map((c) => {
    const a = c.args ?? {}
    const what = a.filePath ?? a.command ?? a.verdict ?? a.task ?? (a.tasks ? `${a.tasks.length} tasks` : "")
    return `${c.name}(${String(what).slice(0, 60)})`
  })
  if (!parts.length) return answer.text ? `text: ${answer.text.split("\n", 1)[0].slice(0, 80)}` : "nothing"
  return parts.join(" ")
}
