// Gate 1: what a parse after an edit costs (native), and what the check adds to a tool call that writes, measured from
// the host's side of the plugin's hooks with the real addon.

import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { newDirectoryState } from "../plugin/directory-state.js"
import { hooksOver, WatchedMission } from "./hook-cost.mjs"
import { runNative } from "./native.mjs"
import { spread } from "./stats.mjs"

/** @typedef {import("./stats.mjs").Spread} Spread */
/** @typedef {{bytes: number, edits: number, edit_median_us: number, edit_p95_us: number, whole_median_us: number, kept_bytes: number}} ParseCost */

/** @returns {ParseCost} */
export const parseCost = () => runNative("syntax_bench")

/** About 137 kB of TypeScript. */
export function largeSource() {
  let text = ""
  for (let i = 0; text.length < 137_000; i++) {
    text += `export function part${i}<T>(list: T[], limit = ${i}): T[] {\n  const kept = list.filter((x, at) => at < limit)\n  return [...kept, ...list.slice(limit)].map((x) => x)\n}\n\n`
  }
  return text
}

/**
 * Writes of one file by a mission session, as the host carries them out. `added`: what the two hooks take of the tool
 * call's time, in ms; `first`: of the first write, whose file has not been parsed before.
 * @param {number} writes @returns {Promise<{first: number, added: Spread, reported: number, bytes: number}>}
 */
export async function gateCost(writes) {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "oc-bench-gate-")))
  const session = "ses_worker"
  const mission = new WatchedMission(directory, ["ses_root", session])
  try {
    await mission.start()
    const state = { ...newDirectoryState(), children: new Set([session]) }
    const { "tool.execute.before": before, "tool.execute.after": after } = hooksOver(mission.link, state)
    const filePath = join(directory, "big.ts")
    const source = largeSource()
    await writeFile(filePath, source)
    /** @type {number[]} */
    const added = []
    let reported = 0
    for (let i = 0; i <= writes; i++) {
      const input = { tool: "edit", sessionID: session, callID: `call${i}`, args: { filePath } }
      const at = source.indexOf("\n", Math.floor((source.length * (i % 97)) / 100))
      // Every tenth edit is broken and must be reported.
      const broken = i % 10 === 9
      const line = broken ? `\nconst edit${i} = = 1` : `\n// edit ${i}`
      const begin = performance.now()
      await before(input, { args: input.args })
      const middle = performance.now()
      await writeFile(filePath, source.slice(0, at) + line + source.slice(at))
      const end = performance.now()
      const output = { output: "Edit applied." }
      await after(input, output)
      added.push(performance.now() - end + (middle - begin))
      const says = output.output.includes("does not parse")
      if (says && !broken) throw new Error(`write ${i}: ${output.output}`)
      if (says) reported++ // on a machine that is busy enough, the answer may come too late
    }
    return { first: added[0] ?? NaN, added: spread(added.slice(1)), reported, bytes: source.length }
  } finally {
    mission.link.close()
    await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }
}
