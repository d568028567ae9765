// A plugin that reports the memory of the process it is loaded in, with its garbage collected first. For `--only memory`,
// in missions and in the oracle alike; it is asked by a file, so that no request is made for it.

import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"

const lookMs = 50
const samples = 8
const pauseMs = 250

/** @returns {number} bytes that are resident and that no other process shares */
function privateBytes() {
  const text = readFileSync("/proc/self/smaps_rollup", "latin1")
  const of = (/** @type {string} */ name) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(text)?.[1] ?? 0)
  return (of("Private_Clean") + of("Private_Dirty")) * 1024
}

/** @returns {number} resident bytes of the files whose name ends so */
function mappedBytes(/** @type {string} */ name) {
  let sum = 0
  let counted = false
  for (const line of readFileSync("/proc/self/smaps", "latin1").split("\n")) {
    const head = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+\s*(.*)$/.exec(line)
    if (head) counted = (head[1] ?? "").endsWith(name)
    else if (counted) sum += Number(/^Rss:\s+(\d+) kB/.exec(line)?.[1] ?? 0) * 1024
  }
  return sum
}

async function measure() {
  const runtime = /** @type {any} */ (globalThis).Bun
  const { heapStats } = await import(/** @type {any} */ ("bun:jsc"))
  const seen = []
  for (let i = 0; i < samples; i++) {
    runtime.gc(true)
    await new Promise((wake) => setTimeout(wake, pauseMs))
    seen.push(privateBytes())
  }
  return {
    private_bytes: Math.min(...seen),
    js_heap_bytes: heapStats().heapSize,
    addon_bytes: mappedBytes("orchestrator.node"),
    threads: readdirSync("/proc/self/task").length,
  }
}

/** @type {NodeJS.Timeout | undefined} one for the process, however many instances there are */
let timer

export default {
  id: "memory-probe",
  server: async () => {
    const file = process.env.ORCH_MEMORY_PROBE ?? ""
    timer ??= setInterval(async () => {
      if (!existsSync(`${file}.ask`)) return
      clearInterval(timer)
      writeFileSync(`${file}.new`, JSON.stringify(await measure()))
      renameSync(`${file}.new`, `${file}.said`)
    }, lookMs)
    return {}
  },
}
