// What durability costs: tests/bench/store_bench.cc on the disk that holds this checkout.

import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { cmakeBuild, ensureBuildModules, ensureSystem } from "../dev/setup.mjs"
import { units } from "./stats.mjs"

/**
 * @typedef {object} StoreFigures
 * @property {number} bare_us   a write and fdatasync of the same bytes by bare system calls
 * @property {number} one_us    an event that is durable by itself
 * @property {number} group_us  an event of 64 that are made durable together
 * @property {number} replay_events
 * @property {number} replay_per_s       from the files: checksum, decode, step, witness, hashes
 * @property {number} decode_step_per_s
 * @property {number} step_per_s
 * @property {number} recovery_events
 * @property {number} recovery_ms
 * @property {{events: number, bytes: number}[]} growth of the log
 */

/** @param {string} root @returns {StoreFigures} */
export function measureStore(root) {
  ensureSystem()
  ensureBuildModules()
  cmakeBuild("release", ["store_bench"])
  mkdirSync(join(root, "build"), { recursive: true })
  const dir = mkdtempSync(join(root, "build", "bench-store-"))
  try {
    return JSON.parse(execFileSync(join(root, "build/cmake/release/store_bench"), [dir], { encoding: "utf8" }))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const millions = (/** @type {number} */ perSecond) => `${(perSecond / 1e6).toFixed(2)} M/s`

/** @param {StoreFigures} f @returns {import("./table.mjs").Row[]} */
export function storeRows(f) {
  const group = "The log and recovery (disk: wall, median of 15 turns; replay: processor time)"
  const us = /** @type {(v: number) => string} */ (units.us)
  const one = f.bare_us / f.one_us
  const batch = f.bare_us / f.group_us
  const perEvent = f.growth.map(({ events, bytes }) => bytes / events)
  const growth = Math.max(...perEvent) / Math.min(...perEvent)
  return [
    {
      group,
      name: "durable append, one event at a time ÷ bare write+fdatasync",
      figure: `${one.toFixed(2)}×`,
      beside: `${us(f.one_us)} an event, bare ${us(f.bare_us)}`,
      target: "≥ 0.9×",
      met: one >= 0.9,
    },
    {
      group,
      name: "group commit of 64 ÷ bare write+fdatasync",
      figure: `${batch.toFixed(0)}×`,
      beside: `${us(f.group_us)} an event`,
      target: "≥ 10×",
      met: batch >= 10,
    },
    {
      group,
      name: "replay of a mission's log, events proved",
      figure: millions(f.replay_per_s),
      beside: `${f.replay_events} events; decode and step alone ${millions(f.decode_step_per_s)}, step ${millions(f.step_per_s)}`,
      target: "≥ 1.00 M/s",
      met: f.replay_per_s >= 1e6,
    },
    {
      group,
      name: `recovery of a mission of ${f.recovery_events} events, 500 tasks`,
      figure: `${f.recovery_ms.toFixed(0)} ms`,
      beside: "lock, snapshot, what the log has after it",
      target: "< 200 ms",
      met: f.recovery_ms < 200,
    },
    {
      group,
      name: `log bytes an event at ${f.growth.map(({ events }) => events).join(", ")} events`,
      figure: perEvent.map((bytes) => bytes.toFixed(0)).join(", "),
      beside: `most ÷ least ${growth.toFixed(2)}`,
      target: "≤ 1.2 (linear)",
      met: growth <= 1.2,
    },
  ]
}
