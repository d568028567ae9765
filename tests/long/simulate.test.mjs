// The simulator at length: SIM_RUNS seeds from SIM_SEED on, on all processors, and a mission that lives for a week.

import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { availableParallelism, cpus } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { fileURLToPath } from "node:url"

const program = join(fileURLToPath(new URL("../..", import.meta.url)), "js/cli/main.mjs")
const runs = Number(process.env.SIM_RUNS ?? 20_000)
const seed = Number(process.env.SIM_SEED ?? 1)

/** @param {string[]} args @returns {any} what it prints, also where it exits with 1 */
function simulate(args) {
  const call = [program, "simulate", "--seed", String(seed), "--json", ...args]
  try {
    return JSON.parse(execFileSync(process.execPath, call, { encoding: "utf8" }))
  } catch (error) {
    const { stdout } = /** @type {{stdout?: string}} */ (error)
    if (stdout) return JSON.parse(stdout)
    throw error
  }
}

test(`${runs} simulated runs with faults`, (t) => {
  const jobs = availableParallelism()
  const found = simulate(["--runs", String(runs), "--jobs", String(jobs)])
  t.diagnostic(
    `${found.missions} missions, ${found.faults} faults, ${found.processes} processes in ${found.seconds} s: ` +
      `${found.missions_per_s} missions per second, ${jobs} jobs on ${cpus()[0]?.model}`,
  )
  assert.deepEqual(found.failures, [])
  assert.equal(found.violations, 0)
})

test("a simulated week costs no memory", (t) => {
  const week = simulate(["--week"])
  for (const day of week.days) t.diagnostic(JSON.stringify(day))
  assert.equal(week.violations, 0)
  assert.equal(week.flat, true)
})
