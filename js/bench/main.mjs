#!/usr/bin/env node
// `npm run bench`: one table of the figures that the product promises, each beside what it is compared with. What each
// row means is written in docs/lab/benchmarks.md.

import { loadavg } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { numberOption, parsed, UsageError } from "../cli/usage.mjs"
import { codeRows } from "./code.mjs"
import { coldStarts } from "./cold.mjs"
import { gateCost, parseCost } from "./gate-cost.mjs"
import { costOf, recordEvents, replayInNode } from "./hook-cost.mjs"
import { limitRun, limitTasks } from "./limit.mjs"
import { machine, machineLine } from "./machine.mjs"
import { memoryRun, sessions } from "./memory.mjs"
import { runNative, stepRows } from "./native.mjs"
import { buildRequests, roleSizes } from "./request-bytes.mjs"
import { missionRun, oracleRun } from "./runs.mjs"
import { race, shapes } from "./shapes.mjs"
import { spread, units, written } from "./stats.mjs"
import { measureStore, storeRows } from "./store.mjs"
import { conclusion, table } from "./table.mjs"

/** @typedef {import("./table.mjs").Row} Row */
/** @typedef {import("./marks.mjs").RunMarks} RunMarks */
/** @typedef {import("./marks.mjs").HandOverKind} HandOverKind */
/** @typedef {{mission: RunMarks, oracle: RunMarks, late?: RunMarks, cpu: {mission: number, oracle: number}}} Pair */
/** @typedef {{scenario: string, snapshot: boolean, late?: boolean, host?: "serve"|"run"}} Compared  late: also with an oracle that makes its sessions late */
/** @typedef {Compared & {pairs: Pair[]}} Comparison */

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const names = ["wall", "handover", "run", "fleet", "memory", "race", "hooks", "gates", "bytes", "step", "store", "code", "limit"]
const usage = `usage: npm run bench -- [--only ${names.join("|")}] [--repeat N] [--quick] [--json]
       of the fleet alone: [--shape ${Object.keys(shapes).join("|")}] [--snapshots on|off]`
const latencyMs = 300
const comparisons = [
  { scenario: "chain-6", snapshot: false },
  { scenario: "chain-6", snapshot: true },
  { scenario: "independent-12", snapshot: false },
  { scenario: "independent-12", snapshot: true },
]
/** The same tasks where most people start them: the oracle stays in `opencode serve`, since bare OpenCode runs one session there. */
const inRun = [{ scenario: "independent-12", snapshot: true, host: /** @type {const} */ ("run") }]
/** Fifty sessions at once is what a mission may have, and what the oracle is given. */
const fleetParallel = 50
/** Quoted from measurements of others on another machine: OpenCode alone, opencode-orchestrator, slim, oh-my-openagent. */
const quotedBytes = "quoted: bare 30.7, peers 42, 51, 90 kB"
const quotedHandOver = "peers, quoted: 0.4 … 10 s"
const targets = {
  ratio: 1.25,
  fleetRatio: 1.1,
  runRatio: 1.1,
  raceRatio: 1.15,
  addedBytes: 40_000_000,
  handOverMs: 100,
  hookUs: 20,
  parseUs: 1000,
  gateMs: 5,
  limitShare: 0.85,
  bytes: /** @type {Record<string, number>} */ ({ commander: 10_000, planner: 10_000, worker: 16_000, reviewer: 14_000, master: 14_000 }),
}

/** @param {string[]} args */
export function readOptions(args) {
  const { values } = parsed({
    args,
    options: {
      only: { type: "string", multiple: true },
      repeat: { type: "string" },
      shape: { type: "string", multiple: true },
      snapshots: { type: "string" },
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  })
  /** @param {string[] | undefined} given @param {string} what @param {string[]} known */
  const some = (given, what, known) => {
    const asked = (given ?? []).flatMap((name) => name.split(","))
    const wrong = asked.find((name) => !known.includes(name))
    if (wrong !== undefined) throw new UsageError(`there is no ${what} "${wrong}"; there are: ${known.join(", ")}`)
    return asked.length ? asked : known
  }
  const only = some(values.only, "row", names)
  const chosen = some(values.shape, "shape", Object.keys(shapes)).flatMap((scenario) =>
    some(values.snapshots ? [values.snapshots] : [], "setting of the snapshots", ["off", "on"]).map((to) => ({ scenario, snapshot: to === "on" })),
  )
  const asked = numberOption(values.repeat, "repeat", { min: 1, max: 100 })
  const repeat = (/** @type {number} */ otherwise) => Math.floor(asked ?? (values.quick ? 1 : otherwise))
  return { only, fleet: chosen, repeat: repeat(5), longRepeat: repeat(3), quick: values.quick, json: values.json }
}

/**
 * Runs mission and oracle in turn, so that other load on the machine affects both.
 * @param {Compared[]} what @param {number} repeat @param {(line: string) => void} say
 * @param {number} [parallel]
 */
async function compare(what, repeat, say, parallel) {
  /** @type {Comparison[]} */
  const done = what.map((one) => ({ ...one, pairs: [] }))
  for (let round = 1; round <= repeat; round++) {
    for (const { scenario, snapshot, late: withLate, host, pairs } of done) {
      const shape = Object.entries(shapes).find(([name]) => name === scenario)?.[1]
      const options = { scenario: shape ?? scenario, snapshot, latencyMs, plugin: root, parallel }
      const { marks: mission, cpu_ms: missionCpu } = await missionRun({ ...options, host })
      const { marks: oracle, cpu_ms: oracleCpu } = await oracleRun(options)
      const late = withLate ? (await oracleRun({ ...options, sessions: "late" })).marks : undefined
      pairs.push({ mission, oracle, late, cpu: { mission: missionCpu, oracle: oracleCpu } })
      const walls = `mission ${units.s?.(mission.wall_ms)}, oracle ${units.s?.(oracle.wall_ms)}`
      say(`${round}/${repeat} ${titleOf({ scenario, snapshot, host })}: ${walls}, load ${loadavg()[0]?.toFixed(1)}`)
    }
  }
  return done
}

/** @param {Compared} what */
const titleOf = ({ scenario, snapshot, host }) => `${scenario}, snapshots ${snapshot ? "on" : "off"}${host === "run" ? ", in `opencode run`" : ""}`

/** @param {Comparison[]} done @param {number} target @returns {Row[]} */
function wallRows(done, target) {
  return done.map(({ pairs, ...what }) => {
    const ratio = spread(pairs.map(({ mission, oracle }) => mission.wall_ms / oracle.wall_ms))
    const mission = written(spread(pairs.map((p) => p.mission.wall_ms)), "s")
    const oracle = written(spread(pairs.map((p) => p.oracle.wall_ms)), "s")
    return {
      group: `Mission wall ÷ oracle, ${latencyMs} ms an answer, accepted plan -> Master's verdict`,
      name: titleOf(what),
      figure: written(ratio, "ratio"),
      beside: `mission ${mission}, oracle ${oracle}`,
      target: `≤ ${target}`,
      met: ratio.median <= target,
    }
  })
}

/** The cost that every orchestrator has in this stretch: a task's sessions cannot be made before there is a plan. @param {Comparison[]} done @returns {Row[]} */
function lateRows(done) {
  return done.flatMap(({ pairs, ...what }) => {
    const late = pairs.flatMap((pair) => (pair.late ? [{ ...pair, late: pair.late }] : []))
    if (!late.length) return []
    const wall = written(spread(late.map((p) => p.late.wall_ms)), "s")
    return {
      group: "Mission wall ÷ an oracle that makes each session when it is needed",
      name: titleOf(what),
      figure: written(spread(late.map((p) => p.mission.wall_ms / p.late.wall_ms)), "ratio"),
      beside: `that oracle ${wall}, ÷ the other ${written(spread(late.map((p) => p.late.wall_ms / p.oracle.wall_ms)), "ratio")}`,
      target: "",
      met: null,
    }
  })
}

/** Processor time, which other load disturbs least. @param {Comparison[]} done @returns {Row[]} */
function cpuRows(done) {
  return done.map(({ pairs, ...what }) => ({
    group: "Processor time of the host and its children ÷ oracle's, same stretch",
    name: titleOf(what),
    figure: written(spread(pairs.map(({ cpu }) => cpu.mission / cpu.oracle)), "ratio"),
    beside: `mission ${written(spread(pairs.map((p) => p.cpu.mission)), "s")}, oracle ${written(spread(pairs.map((p) => p.cpu.oracle)), "s")}`,
    target: "",
    met: null,
  }))
}

/** @param {RunMarks[]} marks @param {HandOverKind} kind */
const handOvers = (marks, kind) => spread(marks.flatMap((m) => m.hand_overs.filter((h) => h.kind === kind).map((h) => h.ms)))

/** @param {Comparison[]} done @returns {Row[]} */
function handOverRows(done) {
  /** @type {Row[]} */
  const rows = []
  const kinds = /** @type {Record<HandOverKind, string>} */ ({
    review: "Worker submits -> Reviewer",
    "next task": "verdict -> next Worker",
    master: "last verdict -> Master",
  })
  for (const { pairs, ...what } of done) {
    for (const kind of /** @type {HandOverKind[]} */ (["next task", "review", "master"])) {
      const ours = handOvers(pairs.map((p) => p.mission), kind)
      if (!ours.n) continue
      const oracle = handOvers(pairs.map((p) => p.oracle), kind)
      rows.push({
        group: `Hand-over: an answer's end -> its successor's first request (n of each; ${quotedHandOver})`,
        name: `${titleOf(what)}: ${kinds[kind]}`,
        figure: written(ours, "ms"),
        beside: `oracle ${written(oracle, "ms")}, n ${ours.n}`,
        target: `< ${targets.handOverMs} ms`,
        met: ours.median < targets.handOverMs,
      })
    }
  }
  return rows
}

/** @param {number} passes @returns {Promise<{rows: Row[], data: any}>} */
async function hookRows(passes) {
  const recorded = await recordEvents({ latencyMs: 50, recorder: join(root, "js/bench/recorder.js") })
  const inHost = costOf(recorded)
  const inNode = costOf(await replayInNode(recorded, passes))
  /** @param {string} where @param {import("./hook-cost.mjs").Cost} cost @returns {Row[]} */
  const rowsOf = (where, cost) => {
    const line = (/** @type {string} */ name, /** @type {import("./stats.mjs").Spread} */ s, /** @type {boolean} */ aims) => ({
      group: "Cost of the plugin's event hook in the JS thread, by event (median, p95)",
      name: `${where}: ${name}`,
      figure: `${units.us?.(s.median)}, p95 ${units.us?.(s.p95)}`,
      beside: `n ${s.n}`,
      target: aims ? `< ${targets.hookUs} µs` : "",
      met: aims ? s.median < targets.hookUs : null,
    })
    const types = Object.entries(cost.types).slice(0, 6)
    return [line("all events", cost.all, true), ...types.map(([type, s]) => line(type, s, false))]
  }
  return { rows: [...rowsOf("in OpenCode (Bun)", inHost), ...rowsOf("replay in Node", inNode)], data: { inHost, inNode } }
}

/** @param {number} writes @returns {Promise<{rows: Row[], data: any}>} */
async function gateRows(writes) {
  const parse = parseCost()
  const cost = await gateCost(writes)
  const us = /** @type {(v: number) => string} */ (units.us)
  const kB = /** @type {(v: number) => string} */ (units.kB)
  const rows = [
    {
      group: "Gate 1, the check of every write",
      name: `parse after an edit, ${kB(parse.bytes)} of TypeScript`,
      figure: `${us(parse.edit_median_us)}, p95 ${us(parse.edit_p95_us)}`,
      beside: `whole ${us(parse.whole_median_us)}; n ${parse.edits}; text and tree kept: ${kB(parse.kept_bytes)}`,
      target: `< ${targets.parseUs} µs`,
      met: parse.edit_median_us < targets.parseUs,
    },
    {
      group: "Gate 1, the check of every write",
      name: `added to a tool call that writes, ${kB(cost.bytes)} of TypeScript`,
      figure: written(cost.added, "ms"),
      beside: `n ${cost.added.n}, a tenth broken, of these reported ${cost.reported}; first write of the file ${units.ms?.(cost.first)}`,
      target: `< ${targets.gateMs} ms`,
      met: cost.added.median < targets.gateMs,
    },
  ]
  return { rows, data: { parse, cost } }
}

/** @returns {Promise<{rows: Row[], data: any}>} */
async function byteRows() {
  const build = await buildRequests({ root })
  const sizes = await roleSizes({ root, latencyMs: 10 })
  const group = "Bytes of the first request, the user's message aside"
  const kB = /** @type {(v: number) => string} */ (units.kB)
  /** @type {Row[]} */
  const rows = Object.entries(sizes).map(([role, size]) => {
    const target = targets.bytes[role] ?? 0
    return {
      group,
      name: role,
      figure: kB(size.own),
      beside: `system ${kB(size.system)}, tools ${kB(size.tools)}; message ${kB(size.user)}`,
      target: `≤ ${kB(target)}`,
      met: size.own <= target,
    }
  })
  rows.push({ group, name: 'bare OpenCode, "hi"', figure: kB(build.bare.own), beside: quotedBytes, target: "", met: null })
  rows.push({
    group,
    name: "build agent with the plugin",
    figure: kB(build.withPlugin.own),
    beside: `byte-identical to bare OpenCode: ${build.identical ? "yes" : "no"}`,
    target: "identical",
    met: build.identical,
  })
  return { rows, data: { build, sizes } }
}

/** @param {number} repeat @param {(line: string) => void} say */
async function memoryRows(repeat, say) {
  /** @type {{mission: import("./memory.mjs").Memory, oracle: import("./memory.mjs").Memory}[]} */
  const pairs = []
  for (let round = 1; round <= repeat; round++) {
    const pair = { mission: await memoryRun(root, true), oracle: await memoryRun(root, false) }
    pairs.push(pair)
    say(`${round}/${repeat} memory: mission ${units.MB?.(pair.mission.private_bytes)}, oracle ${units.MB?.(pair.oracle.private_bytes)}`)
  }
  const group = `Memory of OpenCode with ${sessions} sessions in flight, after a garbage collection`
  const added = spread(pairs.map(({ mission, oracle }) => mission.private_bytes - oracle.private_bytes))
  const of = (/** @type {"mission" | "oracle"} */ who, /** @type {keyof import("./memory.mjs").Memory} */ what) =>
    spread(pairs.map((p) => p[who][what]))
  /** @type {Row[]} */
  const rows = [
    {
      group,
      name: "that the plugin adds",
      figure: written(added, "MB"),
      beside: `mission ${written(of("mission", "private_bytes"), "MB")}, oracle ${written(of("oracle", "private_bytes"), "MB")}`,
      target: `< ${units.MB?.(targets.addedBytes)}`,
      met: added.median < targets.addedBytes,
    },
    {
      group,
      name: "  of it the JavaScript heap, and the addon's file",
      figure: written(spread(pairs.map(({ mission, oracle }) => mission.js_heap_bytes - oracle.js_heap_bytes)), "MB"),
      beside: `the addon's file ${written(of("mission", "addon_bytes"), "MB")}`,
      target: "",
      met: null,
    },
  ]
  return { rows, data: pairs }
}

/** The catalogue of a user who keeps only the used providers: here empty, since the configuration defines the rehearsal's. */
const smallCatalogue = { OPENCODE_MODELS_PATH: join(root, "js/rehearsal/no-models.json") }
/** @type {Record<string, string>} */
const wholeCatalogue = {}
/**
 * A short task, with either catalogue, and one of about a minute. The rehearsal model ends a turn after sixty answers. Where
 * racing is on from the start, the worktrees are opened while the Planner thinks: here for ten seconds, really for minutes.
 */
const races = [
  { command: "task", answers: 20, latencyMs: 300, env: wholeCatalogue, with: "" },
  { command: "task", answers: 20, latencyMs: 300, env: smallCatalogue, with: ", small catalogue of models" },
  { command: "task", answers: 14, latencyMs: 4_000, env: wholeCatalogue, with: "" },
  {
    command: "extreme-mission",
    answers: 20,
    latencyMs: { default: 300, planner: 10_000 },
    env: wholeCatalogue,
    with: ", both by /extreme-mission",
  },
]

/**
 * A race of three with one fast against that one alone, in turn; and what bare OpenCode takes to begin in a worktree.
 * @param {number} repeat @param {(line: string) => void} say
 */
async function raceRows(repeat, say) {
  /** @type {Row[]} */
  const rows = []
  const data = []
  const s = /** @type {(v: number) => string} */ (units.s)
  const colds = new Map()
  for (const { command, answers, latencyMs, env, with: how } of races) {
    const cold = colds.get(env) ?? spread(await coldStarts(5, env))
    colds.set(env, cold)
    say(`race${how}: bare OpenCode's first request in a fresh worktree after ${s(cold.median)}`)
    const wall = async (/** @type {boolean} */ raced, /** @type {string} */ flags) => {
      const scenario = { ...race(raced, answers), flags }
      return (await missionRun({ scenario, snapshot: false, latencyMs, env, plugin: root, command })).marks.wall_ms
    }
    const runs = []
    for (let round = 1; round <= repeat; round++) {
      const run = { raced: await wall(true, ""), alone: await wall(false, ""), apart: await wall(false, "--isolation worktree") }
      runs.push(run)
      say(`${round}/${repeat} race of ${answers} answers${how}: ${s(run.raced)}, alone ${s(run.alone)}, alone in a worktree ${s(run.apart)}`)
    }
    data.push({ command, answers, latencyMs, env, cold, runs })
    const against = spread(runs.map((r) => r.raced / r.alone))
    const apart = spread(runs.map((r) => r.raced / r.apart))
    const alone = spread(runs.map((r) => r.alone))
    const group = "Race of 3 with one fast, the others with 4 times as many answers: accepted plan -> Master's verdict"
    const answerMs = typeof latencyMs === "number" ? latencyMs : latencyMs.default
    const name = `${answers} answers of ${answerMs} ms${how}: wall ÷ the fast one alone`
    rows.push(
      {
        group,
        name,
        figure: written(against, "ratio"),
        beside: `race ${written(spread(runs.map((r) => r.raced)), "s")}, alone ${written(alone, "s")}`,
        target: `≤ ${targets.raceRatio}`,
        met: against.median <= targets.raceRatio,
      },
      {
        group,
        name: "  ÷ the fast one alone in a worktree",
        figure: written(apart, "ratio"),
        beside: `alone in a worktree ${written(spread(runs.map((r) => r.apart)), "s")}`,
        target: "",
        met: null,
      },
      {
        group,
        name: "  the least: alone, and one first start of the host in a worktree",
        figure: units.ratio?.((alone.median + cold.median) / alone.median) ?? "",
        beside: `bare OpenCode: ${written(cold, "s")} from the session to its first request`,
        target: "",
        met: null,
      },
    )
  }
  return { rows, data }
}

/** Sessions that a provider allows at once, and what an answer of it takes. */
const allowed = { atOnce: 6, latencyMs: 1_500 }

/** @param {(line: string) => void} say @returns {Promise<{rows: Row[], data: any}>} */
async function limitRows(say) {
  /** @type {{parallel: number, wall_ms: number, refused: number}[]} */
  const fixed = []
  for (const parallel of [allowed.atOnce - 1, allowed.atOnce, allowed.atOnce + 1]) {
    fixed.push({ parallel, ...(await limitRun({ plugin: root, parallel, ...allowed })) })
    say(`limit: fixed ${parallel}: ${units.s?.(fixed.at(-1)?.wall_ms ?? NaN)}`)
  }
  const own = await limitRun({ plugin: root, parallel: 20, ...allowed })
  const best = fixed.reduce((a, b) => (b.wall_ms < a.wall_ms ? b : a))
  const share = best.wall_ms / own.wall_ms
  /** @type {Row} */
  const row = {
    group: `A provider that answers ${allowed.atOnce} at once and 429 beyond, ${limitTasks} tasks, ${allowed.latencyMs} ms an answer`,
    name: "throughput ÷ best fixed limit",
    figure: share.toFixed(2),
    beside: `${units.s?.(own.wall_ms)}, ${own.refused} refused; best --parallel ${best.parallel}: ${units.s?.(best.wall_ms)}, ${best.refused} refused`,
    target: `≥ ${targets.limitShare}`,
    met: share >= targets.limitShare,
  }
  return { rows: [row], data: { fixed, own } }
}

/** @param {string[]} args @returns {Promise<number>} the exit code */
export async function main(args) {
  const options = readOptions(args)
  const wants = (/** @type {string} */ name) => options.only.includes(name)
  const here = machine()
  const say = (/** @type {string} */ line) => void process.stderr.write(`${line}\n`)
  /** @type {Row[]} */
  const rows = []
  /** @type {Record<string, any>} */
  const data = {}
  if (wants("wall") || wants("handover")) {
    const runs = (data.runs = await compare(comparisons, options.repeat, say))
    if (wants("wall")) rows.push(...wallRows(runs, targets.ratio), ...cpuRows(runs))
    if (wants("handover")) rows.push(...handOverRows(runs))
  }
  if (wants("run")) {
    const runs = (data.run = await compare(inRun, options.repeat, say))
    rows.push(...wallRows(runs, targets.runRatio), ...cpuRows(runs))
  }
  if (wants("fleet")) {
    const what = options.fleet.map((one) => ({ ...one, late: !one.snapshot }))
    const runs = (data.fleet = await compare(what, options.longRepeat, say, fleetParallel))
    rows.push(...wallRows(runs, targets.fleetRatio), ...lateRows(runs), ...cpuRows(runs))
  }
  if (wants("race")) {
    const races = await raceRows(options.longRepeat, say)
    rows.push(...races.rows)
    data.race = races.data
  }
  if (wants("hooks")) {
    say("hooks: recording a mission's events, and replaying them")
    const hooks = await hookRows(options.quick ? 1 : 5)
    rows.push(...hooks.rows)
    data.hooks = hooks.data
  }
  if (wants("memory")) {
    const memory = await memoryRows(options.repeat, say)
    rows.push(...memory.rows)
    data.memory = memory.data
  }
  if (wants("gates")) {
    say("gates: a parse after an edit, and a checked write")
    const gates = await gateRows(options.quick ? 50 : 300)
    rows.push(...gates.rows)
    data.gates = gates.data
  }
  if (wants("bytes")) {
    say("bytes: the first request of each role")
    const bytes = await byteRows()
    rows.push(...bytes.rows)
    data.bytes = bytes.data
  }
  if (wants("step")) {
    say("step: the core alone, in 6 to 500 tasks")
    data.step = runNative("core_bench")
    rows.push(...stepRows(data.step))
  }
  if (wants("store")) {
    say("store: the log on this disk")
    data.store = measureStore(root)
    rows.push(...storeRows(data.store))
  }
  if (wants("code")) {
    say("code: searching a tree of TypeScript, in turn with ast-grep")
    const code = await codeRows(options.repeat, say)
    rows.push(...code.rows)
    data.code = code.data
  }
  if (wants("limit")) {
    const limit = await limitRows(say)
    rows.push(...limit.rows)
    data.limit = limit.data
  }
  const loadAfter = loadavg()[0] ?? 0
  if (options.json) {
    const json = { machine: { ...here, load_after: loadAfter }, repeat: options.repeat, rows, data, conclusion: conclusion(rows) }
    process.stdout.write(`${JSON.stringify(json, null, 2)}\n`)
  } else {
    const runs = `${options.repeat} ${options.repeat === 1 ? "repetition" : "repetitions, interleaved"}; medians`
    process.stdout.write(`${machineLine(here, loadAfter)}; ${runs}\n\n${table(rows)}\n\n${conclusion(rows)}\n`)
  }
  return 0
}

if (process.argv[1] && fileURLToPath(import.meta.url) === process.argv[1]) {
  try {
    process.exitCode = await main(process.argv.slice(2))
  } catch (error) {
    const usageError = error instanceof UsageError
    process.stderr.write(`${usageError ? `${error.message}\n${usage}` : /** @type {Error} */ (error).stack}\n`)
    process.exitCode = usageError ? 2 : 1
  }
  // The replay's addon keeps a thread alive.
  process.exit()
}
