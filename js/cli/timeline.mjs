// The live, readable account of a mission: the changes of its snapshot file, line by line, and the model's
// requests in between.

import { readFile, stat } from "node:fs/promises"

/** @typedef {{phase?: string, reason?: string, iteration?: number, tasks?: any[], sessions?: any[]}} Snapshot */

/**
 * The lines for a person about the changes from one snapshot to the next.
 * @param {Snapshot|null} before @param {Snapshot} after
 * @returns {string[]}
 */
export function changes(before, after) {
  /** @type {string[]} */
  const lines = []
  const was = new Map((before?.tasks ?? []).map((t) => [t.id, t]))
  if (before?.phase !== after.phase) {
    const done = (after.tasks ?? []).filter((t) => t.status === "done").length
    const count = after.tasks?.length ? ` (${done}/${after.tasks.length} tasks done)` : ""
    const why = after.reason ? `: ${after.reason}` : ""
    lines.push(`phase ${before?.phase ? `${before.phase} -> ` : ""}${after.phase}${count}${why}`)
  }
  if (before && before.iteration !== after.iteration) lines.push(`iteration ${after.iteration}`)
  for (const task of after.tasks ?? []) {
    const old = was.get(task.id)
    if (old?.status === task.status && old?.attempt === task.attempt) continue
    const again = task.attempt > 1 ? `, attempt ${task.attempt}` : ""
    lines.push(`${task.id.padEnd(4)} ${old ? `${old.status} -> ` : ""}${task.status}${again}  ${task.title}`)
  }
  return lines
}

/**
 * Watches a snapshot file that is replaced atomically and may not exist yet.
 * @param {string} path @param {(lines: string[]) => void} say
 * @returns {{look: () => Promise<void>, stop: () => void}}
 */
export function watchSnapshot(path, say, everyMs = 50) {
  /** @type {Snapshot|null} */
  let last = null
  let stamp = ""
  let looking = false
  const look = async () => {
    if (looking) return
    looking = true
    try {
      const { mtimeMs, ino, size } = await stat(path)
      const now = `${mtimeMs} ${ino} ${size}`
      if (now === stamp) return
      const next = JSON.parse(await readFile(path, "utf8"))
      stamp = now
      const lines = changes(last, next)
      last = next
      if (lines.length) say(lines)
    } catch {
      // Not there yet, or replaced between the two calls: the next look sees it.
    } finally {
      looking = false
    }
  }
  const timer = setInterval(look, everyMs)
  return { look, stop: () => clearInterval(timer) }
}

/** @param {import("../rehearsal/record.mjs").ModelRequest} r @param {string} root the project's directory */
export function requestLine(r, root) {
  const who = `${r.role} ${r.task ?? ""}`.trim()
  const what = r.fault ? `[${r.fault}]` : r.answer.replaceAll(`${root}/`, "")
  return `     . ${who.padEnd(16)} ${what}`
}
