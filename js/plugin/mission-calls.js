// A model's calls of mission tools: each waits for the engine's answer, as long as a mission if need be.

/**
 * @param {{link: import("./gates.js").Link, state: import("./directory-state.js").DirectoryState}} instance
 * @param {import("../host/host.js").MissionCall} call
 * @returns {Promise<string>} the answer's text @throws {Error} the refusal
 */
export async function callTool({ link, state: { calls } }, { tool, session, args, signal, display }) {
  const { request, answer } = link.ask({ type: tool, session, args: JSON.stringify(args ?? {}) })
  let waiting = true
  // The host's signal also fires after a normal end (host contract A.20): then nothing waits any more.
  const aborted = () => {
    if (!waiting) return
    calls.delete(request)
    display?.abandon()
    link.tell({ type: "call_aborted", request, session })
    link.abandon(request)
  }
  signal?.addEventListener("abort", aborted)
  if (display) calls.set(request, display)
  try {
    const { ok, text } = await answer
    calls.delete(request)
    await display?.clear().catch(() => {})
    if (!ok) throw new Error(text)
    return text
  } finally {
    waiting = false
    calls.delete(request)
    signal?.removeEventListener("abort", aborted)
  }
}
