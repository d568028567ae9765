// The line that describes the machine of the figures.

import { execFileSync } from "node:child_process"
import { cpus, loadavg, totalmem } from "node:os"
import { opencodeBinary } from "../dev/opencode.mjs"

/** @typedef {{cores: number, model: string, memory_gb: number, load: number, node: string, opencode: string}} Machine */

/** @returns {Machine} */
export function machine() {
  const cores = cpus()
  return {
    cores: cores.length,
    model: (cores[0]?.model ?? "unknown processor").replace(/\s+/g, " ").trim(),
    memory_gb: Math.round(totalmem() / 2 ** 30),
    load: loadavg()[0] ?? 0,
    node: process.versions.node,
    opencode: execFileSync(opencodeBinary(), ["--version"], { encoding: "utf8" }).trim(),
  }
}

/** @param {Machine} m @param {number} loadAfter */
export function machineLine(m, loadAfter) {
  const load = `load ${m.load.toFixed(1)} before, ${loadAfter.toFixed(1)} after`
  return `${m.cores} cores (${m.model}), ${m.memory_gb} GB, ${load}; Node ${m.node}, OpenCode ${m.opencode}`
}
