// `rehearse`: a whole mission in the real OpenCode, on the scripted model. No key, no network.

import { realpathSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { createProject } from "../rehearsal/host.mjs"
import { loadScenario, ScenarioError, scenarioNames } from "../rehearsal/scenario.mjs"
import { requestLine, watchSnapshot } from "./timeline.mjs"
import { numberOption, parsed, UsageError } from "./usage.mjs"

const kRoot = realpathSync(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))

/**
 * @typedef {object} RehearseOptions
 * @property {string} [dir]        the project directory: empty or new, and never removed; default a temporary one
 * @property {string|import("../rehearsal/scenario.mjs").Scenario} [scenario] default "library"
 * @property {number} [latencyMs]
 * @property {number} [faults]     probability per answer
 * @property {number} [seed]       of the faults
 * @property {boolean} [keep]      leave the project, HOME and logs in place
 * @property {string|null} [plugin] default: this checkout
 * @property {number} [timeoutMs]
 * @property {(line: string) => void} [say]
 */
/**
 * @typedef {object} Outcome
 * @property {number} exit         the program's exit code
 * @property {boolean} ok
 * @property {string} scenario
 * @property {string|null} phase
 * @property {string} expected
 * @property {string|null} reason
 * @property {boolean} test_ok
 * @property {number|null} host_exit
 * @property {number} wall_ms
 * @property {number} mission_ms   from the first to the last request of the model
 * @property {number} sessions
 * @property {number} requests
 * @property {number} bytes
 * @property {number} faults
 * @property {string|null} kept    where the project is, if it was kept
 */

/** @param {string[]} args @returns {Promise<number>} */
export async function main(args) {
  const { values, positionals } = parsed({
    args,
    allowPositionals: true,
    options: {
      scenario: { type: "string", default: "library" },
      latency: { type: "string" },
      faults: { type: "string" },
      seed: { type: "string" },
      dir: { type: "string" },
      keep: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  })
  if (positionals.length > 1) throw new UsageError(`one directory, not ${positionals.length}`)
  if (values.list) return list()
  const options = {
    dir: positionals[0] ?? values.dir,
    scenario: values.scenario,
    latencyMs: numberOption(values.latency, "latency", { min: 0, max: 600_000 }),
    faults: numberOption(values.faults, "faults", { min: 0, max: 1 }),
    seed: numberOption(values.seed, "seed", { min: 0, max: Number.MAX_SAFE_INTEGER }),
    keep: values.keep,
  }
  const say = values.json ? () => {} : (/** @type {string} */ line) => void process.stdout.write(`${line}\n`)
  try {
    const outcome = await rehearse({ ...options, say })
    if (values.json) process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`)
    return outcome.exit
  } catch (error) {
    if (error instanceof ScenarioError) throw new UsageError(error.message)
    throw error
  }
}

async function list() {
  for (const name of await scenarioNames()) {
    const { plan, title } = await loadScenario(name)
    process.stdout.write(`${name.padEnd(22)} ${String(plan.tasks.length).padStart(2)} tasks  ${title}\n`)
  }
  return 0
}

/** @param {RehearseOptions} options @returns {Promise<Outcome>} */
export async function rehearse(options) {
  const { keep = false, plugin = kRoot, say = () => {}, timeoutMs = 15 * 60_000 } = options
  const scenario = await loadScenario(options.scenario ?? "library")
  const begin = performance.now()
  const line = (/** @type {string} */ text) =>
    say(`${((performance.now() - begin) / 1000).toFixed(1).padStart(6)} s  ${text}`)

  const project = await createProject({
    scenario,
    plugin,
    dir: options.dir,
    latencyMs: options.latencyMs,
    faults: options.faults,
    seed: options.seed,
  })
  const { dir, model } = project
  const watch = watchSnapshot(join(dir, ".opencode/mission_loop.json"), (lines) => lines.forEach(line))
  const unsubscribe = model.subscribe((kind, request) => {
    if (kind === "start" && request.role !== "title") line(requestLine(request, dir))
  })
  const stopped = () => void project.stop({ keep }).then(() => process.exit(1))
  process.once("SIGINT", stopped)
  process.once("SIGTERM", stopped)
  try {
    line(`${scenario.name}: ${scenario.title} (${scenario.plan.tasks.length} tasks) in ${dir}`)
    const objective = scenario.flags ? `${scenario.flags} ${scenario.objective}` : scenario.objective
    const host = await project.runTask(objective, { timeoutMs })
    await watch.look()
    const mission = await project.mission()
    const test = await project.test()
    const answered = model.requests
    const outcome = {
      ok: mission?.phase === scenario.expect.phase && test.ok && !host.timedOut,
      scenario: scenario.name,
      phase: mission?.phase ?? null,
      expected: scenario.expect.phase,
      reason: mission?.reason ?? null,
      test_ok: test.ok,
      host_exit: host.code,
      wall_ms: Math.round(performance.now() - begin),
      mission_ms: Math.round((answered.at(-1)?.ended_at ?? 0) - (answered[0]?.at ?? 0)),
      sessions: new Set(answered.map((r) => r.session)).size,
      requests: answered.length,
      bytes: answered.reduce((n, r) => n + r.bytes, 0),
      faults: answered.filter((r) => r.fault).length,
      kept: keep ? project.base : null,
    }
    const stuck = ["blocked", "paused"].includes(outcome.phase ?? "")
    const exit = outcome.ok ? 0 : stuck ? 4 : 1
    summary(outcome, { host, test, command: scenario.test ?? "true", say })
    return { exit, ...outcome }
  } finally {
    process.removeListener("SIGINT", stopped)
    process.removeListener("SIGTERM", stopped)
    unsubscribe()
    watch.stop()
    await project.stop({ keep })
    if (keep) say(`kept: ${dir} (HOME and logs in ${project.home})`)
  }
}

/**
 * @param {Omit<Outcome, "exit">} o
 * @param {{host: import("../rehearsal/process.mjs").Ended, test: {ok: boolean, output: string}, command: string,
 *   say: (line: string) => void}} more
 */
function summary(o, { host, test, command, say }) {
  const mark = (/** @type {boolean} */ good) => (good ? "ok    " : "FAILED")
  say("")
  if (o.phase === null) say(`${mark(false)} no mission was written: .opencode/mission_loop.json is not there`)
  else
    say(`${mark(o.phase === o.expected)} phase ${o.phase}${o.reason ? ` (${o.reason})` : ""}, expected ${o.expected}`)
  say(`${mark(test.ok)} ${command} in the built project`)
  if (!test.ok) say(tail(test.output, 30))
  if (host.timedOut) say(`${mark(false)} OpenCode was still running after ${seconds(host.ms)} and was ended`)
  if (!o.ok) say(`what OpenCode said (exit ${o.host_exit}):\n${tail(host.stdout + host.stderr, 30)}`)
  const faults = o.faults ? `, ${o.faults} faults` : ""
  say(
    `${seconds(o.wall_ms)} wall, ${seconds(o.mission_ms)} of it the mission; ${o.sessions} sessions, ` +
      `${o.requests} model requests, ${(o.bytes / 1000).toFixed(0)} kB sent${faults}`,
  )
}

const seconds = (/** @type {number} */ ms) => `${(ms / 1000).toFixed(1)} s`

/** @param {string} text @param {number} lines */
const tail = (text, lines) =>
  text
    .trimEnd()
    .split("\n")
    .slice(-lines)
    .map((l) => `       ${l}`)
    .join("\n")
