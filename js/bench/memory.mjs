// What the plugin adds to the host's memory while fifty sessions are in flight: the host's process in a mission whose
// fifty Workers all wait for an answer, against the same fifty sessions of bare OpenCode.

import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createProject } from "../rehearsal/host.mjs"
import { loadScenario } from "../rehearsal/scenario.mjs"
import { Oracle, oracleAgents } from "./runs.mjs"
import { shapes } from "./shapes.mjs"

export const sessions = 50
/** The model's latency: longer than the start of fifty sessions and a measurement. */
const answerMs = 60_000
const limitMs = 120_000

/** @typedef {{private_bytes: number, js_heap_bytes: number, addon_bytes: number, threads: number}} Memory */

/** @param {() => boolean} holds @param {string} what */
async function until(holds, what) {
  const end = performance.now() + limitMs
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${what}: not within ${limitMs / 1000} s`)
    await new Promise((wake) => setTimeout(wake, 50))
  }
}

/**
 * @param {string} root  of the checkout
 * @param {boolean} mission  else the oracle
 * @returns {Promise<Memory>}
 */
export async function memoryRun(root, mission) {
  const scenario = await loadScenario(shapes[`independent-${sessions}`])
  const probe = join(root, "js/bench/memory-probe.js")
  const project = await createProject({
    scenario,
    latencyMs: { worker: answerMs, default: 50 },
    snapshot: false,
    config: mission ? { plugin: [root, probe] } : { plugin: [probe], agent: oracleAgents() },
  })
  try {
    const file = join(project.base, "memory")
    const serve = await project.startServe({ env: { ORCH_MEMORY_PROBE: file } })
    const inFlight = () => project.model.requests.filter((r) => r.role === "worker" && !r.ended_at).length
    if (mission) {
      const made = await serve.createSession({ title: scenario.title })
      // It is cut off with the host.
      serve.command(made.id, "task", `--parallel ${sessions} ${scenario.objective}`).catch(() => {})
    } else {
      new Oracle(serve, project, scenario, "ahead", sessions).run().catch(() => {})
    }
    await until(() => inFlight() === sessions, `${sessions} sessions in flight`)
    writeFileSync(`${file}.ask`, "")
    await until(() => existsSync(`${file}.said`), "the probe's answer")
    if (inFlight() !== sessions) throw new Error("an answer ended while the memory was measured")
    return JSON.parse(readFileSync(`${file}.said`, "utf8"))
  } finally {
    await project.stop()
  }
}
