// Rows of the native benchmarks (tests/bench/*.cc), which measure what no Node program could without measuring itself.

import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { cmakeBuild, root } from "../dev/setup.mjs"

/** @typedef {import("./table.mjs").Row} Row */
/** @typedef {{n: number, median_ns: number, p90_ns: number, p99_ns: number, max_ns: number}} Cost */
/** @typedef {{events: number, events_per_s: number, effects: number, phase: string}} Replay */
/** @typedef {{step: {tasks: number, all: Cost, kinds: Record<string, Cost>}, replay: Record<string, Replay>}} StepFigures */

const targets = { stepNs: 5_000, eventsPerS: 1_000_000 }

/** @param {string} name a file of tests/bench, without its ending @returns {any} what it printed */
export function runNative(name) {
  cmakeBuild("release", [name])
  const done = spawnSync(join(root, "build/cmake/release", name), { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })
  if (done.status !== 0) throw new Error(`${name} ended with ${done.status ?? done.signal}`)
  return JSON.parse(done.stdout)
}

/** @param {number} ns */
const micros = (ns) => `${(ns / 1000).toFixed(ns < 10_000 ? 2 : 1)} µs`

/** @param {StepFigures} figures @returns {Row[]} */
export function stepRows({ step, replay }) {
  const group = `One step of a ${step.tasks}-task mission, by event (median; p90, p99, most)`
  const line = (/** @type {string} */ name, /** @type {Cost} */ cost, /** @type {boolean} */ aims) => ({
    group,
    name,
    figure: `${micros(cost.median_ns)}; ${micros(cost.p90_ns)}, ${micros(cost.p99_ns)}, ${micros(cost.max_ns)}`,
    beside: `n ${cost.n}`,
    target: aims ? `median < ${micros(targets.stepNs)}` : "",
    met: aims ? cost.median_ns < targets.stepNs : null,
  })
  const often = Object.entries(step.kinds).sort(([, a], [, b]) => b.n - a.n)
  /** @type {Row[]} */
  const rows = [line("all events", step.all, true), ...often.slice(0, 9).map(([kind, cost]) => line(kind, cost, false))]
  for (const [tasks, { events, events_per_s, phase }] of Object.entries(replay)) {
    const aims = Number(tasks) <= 20 // what users run; a large plan is shown beside it
    rows.push({
      group: "Stepping alone, from recorded events to the same state",
      name: `${tasks} tasks`,
      figure: `${(events_per_s / 1e6).toFixed(2)} M events/s`,
      beside: `${events} events, ${phase}`,
      target: aims ? `≥ ${targets.eventsPerS / 1e6} M events/s` : "",
      met: aims ? events_per_s >= targets.eventsPerS : null,
    })
  }
  return rows
}
