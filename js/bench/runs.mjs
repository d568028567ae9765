// One run of a scenario in a fresh project and a fresh host (`opencode serve`, or `opencode run` for a mission): as a mission of the plugin, or driven by the
// oracle, which has no plugin and no orchestrator but is notified at once when an answer has ended.

import { readFileSync } from "node:fs"
import { roles } from "../plugin/roles.js"
import { hostTools } from "../plugin/tools.js"
import { createProject } from "../rehearsal/host.mjs"
import { loadScenario } from "../rehearsal/scenario.mjs"
import { marksOf, submits } from "./marks.mjs"

/** @typedef {import("../rehearsal/record.mjs").ModelRequest} ModelRequest */
/** @typedef {import("../rehearsal/scenario.mjs").Scenario} Scenario */
/** @typedef {import("../rehearsal/host.mjs").Project} Project */
/** @typedef {Awaited<ReturnType<Project["startServe"]>>} Serve */
/**
 * @typedef {object} RunOptions
 * @property {string|Scenario} scenario
 * @property {boolean} snapshot
 * @property {number|Record<string, number>} latencyMs
 * @property {string} plugin       absolute path of what is loaded in missions
 * @property {Record<string, string>} [env]
 * @property {boolean} [keepBodies]
 * @property {"ahead"|"late"} [sessions]  when the oracle creates its sessions; default ahead
 * @property {Record<string, string>} [files] more files in the project
 * @property {number} [parallel]   sessions that the mission may have at once
 * @property {string} [command]    that starts the mission; default "task"
 * @property {number} [settleMs]   wait after the mission, before the host is ended
 * @property {"serve"|"run"} [host] what the mission runs in: `opencode serve` (default), or a process of \`opencode run\`
 *   that lives as long as the mission
 */

/** More than both need at any time: twelve Workers that end their turn, and their twelve Reviewers. */
const parallel = 40
const runLimitMs = 240_000

/** @param {RunOptions} options @param {any} config @param {string|null} plugin */
async function freshProject(options, config, plugin) {
  const { scenario, snapshot, latencyMs, env, keepBodies, files } = options
  return createProject({ scenario, plugin, latencyMs, snapshot, config, env, keepBodies, files })
}

/** @typedef {{marks: import("./marks.mjs").RunMarks, requests: ModelRequest[], cpu_ms: number, peak_bytes: number}} Run  peak_bytes: the host's resident memory, at most */

/**
 * Processor time of the host and of what it has run, from the accepted plan to the Master's verdict: the figure that
 * neighbours on the machine disturb least. NaN where the system does not report it.
 * @param {Project} project @param {{pid?: number}} host its process
 */
function cpuWatch(project, host) {
  let begin = NaN
  let end = NaN
  project.model.subscribe((kind, request) => {
    if (kind !== "end" || !submits(request)) return
    if (request.role === "planner") begin = cpuOf(host.pid)
    if (request.role === "master") end = cpuOf(host.pid)
  })
  return () => end - begin
}

/** @param {number|undefined} pid */
function cpuOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").replace(/^.*\) /s, "").split(" ")
    const ticks = fields.slice(11, 15).reduce((sum, n) => sum + Number(n), 0)
    return ticks * 10 // 100 ticks a second on every Linux that we know
  } catch {
    return NaN
  }
}

/** @param {number|undefined} pid */
function peakOf(pid) {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) * 1024
  } catch {
    return NaN
  }
}

/** @param {RunOptions} options @returns {Promise<Run>} */
export async function missionRun(options) {
  const scenario = await loadScenario(options.scenario)
  const project = await freshProject(options, {}, options.plugin)
  const line = `--parallel ${options.parallel ?? parallel} ${scenario.flags ?? ""} ${scenario.objective}`
  try {
    const drive = options.host === "run" ? missionInRun : missionInServe
    const figures = await drive(project, scenario, line, options)
    return { marks: marksOf(project.model.requests, scenario.plan), requests: project.model.requests, ...figures }
  } finally {
    await project.stop()
  }
}

/** @param {Project} project @param {Scenario} scenario @param {string} line @param {RunOptions} options */
async function missionInServe(project, scenario, line, options) {
  const serve = await project.startServe()
  const cpu = cpuWatch(project, serve.process)
  const root = await serve.createSession({ title: scenario.title })
  await limited(serve.command(root.id, options.command ?? "task", line), "the Commander's turn")
  await expectPhase(project, scenario)
  if (options.settleMs) await new Promise((wake) => setTimeout(wake, options.settleMs))
  const peak_bytes = peakOf(serve.process.pid)
  await serve.stop()
  return { cpu_ms: cpu(), peak_bytes }
}

/** The process ends with the mission, so that its peak of memory cannot be read. @param {Project} project @param {Scenario} scenario @param {string} line @param {RunOptions} options */
async function missionInRun(project, scenario, line, options) {
  const args = ["run", "--print-logs", "--log-level", "WARN", "--command", options.command ?? "task", "--", line]
  const run = project.spawnOpencode({ args, timeoutMs: runLimitMs })
  const cpu = cpuWatch(project, run)
  const ended = await run.ended
  if (ended.code !== 0) throw new Error(`opencode run ended with ${ended.timedOut ? "its time limit" : ended.code}: ${ended.stderr.slice(-500)}`)
  await expectPhase(project, scenario)
  return { cpu_ms: cpu(), peak_bytes: NaN }
}

/** @param {Project} project @param {Scenario} scenario */
async function expectPhase(project, scenario) {
  const phase = (await project.mission())?.phase
  if (phase !== scenario.expect.phase) throw new Error(`${scenario.name}: the mission ended as ${phase}`)
}

/** @param {RunOptions} options @returns {Promise<Run>} */
export async function oracleRun(options) {
  const scenario = await loadScenario(options.scenario)
  const project = await freshProject(options, { agent: oracleAgents() }, null)
  try {
    const serve = await project.startServe()
    const cpu = cpuWatch(project, serve.process)
    const oracle = new Oracle(serve, project, scenario, options.sessions ?? "ahead", options.parallel ?? parallel)
    await limited(oracle.run(), "the oracle")
    const peak_bytes = peakOf(serve.process.pid)
    await serve.stop()
    return { marks: marksOf(project.model.requests, scenario.plan), requests: project.model.requests, cpu_ms: cpu(), peak_bytes }
  } finally {
    await project.stop()
  }
}

/** @param {Promise<any>} work @param {string} what */
async function limited(work, what) {
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took over ${runLimitMs / 1000} s`)), runLimitMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Role names of the rehearsal model -> our agents. */
const agentOf = { commander: "commander", planner: "planner", worker: "worker", reviewer: "reviewer", master: "master-reviewer" }

/**
 * Agents like the plugin's: same instructions, same tools of the host; `todowrite` replaces tools of ours, which
 * bare OpenCode does not have, so that each submission is a tool call there, too.
 */
export function oracleAgents() {
  return Object.fromEntries(
    Object.entries(agentOf).map(([role, name]) => {
      const { identity, instructions } = /** @type {import("../plugin/roles.js").Role} */ (roles.get(name))
      const tools = hostTools[/** @type {keyof typeof hostTools} */ (name)].map((tool) => (tool === "write" ? "edit" : tool))
      const permission = Object.fromEntries([["*", "deny"], ...tools.map((tool) => [tool, "allow"]), ["todowrite", "allow"]])
      const prompt = `${identity}\n${instructions}\nrehearsal-role: ${role}`
      return [name, { description: name, mode: role === "commander" ? "primary" : "subagent", prompt, permission }]
    }),
  )
}

/** Drives the mission's sessions by the same rules, with the model server's own knowledge of when an answer ended. */
export class Oracle {
  /** @type {Map<string, Promise<string>>} what -> its session */
  #sessions = new Map()
  /** @type {Set<string>} */
  #done = new Set()
  /** @type {Set<string>} */
  #begun = new Set()

  /** @type {(() => void)[]} turns that wait for one that ends */
  #waiting = []

  /**
   * @param {Serve} serve @param {Project} project @param {Scenario} scenario @param {"ahead"|"late"} sessions
   * @param {number} free turns that may run at once: the same limit as the mission has
   */
  constructor(serve, project, scenario, sessions, free) {
    this.free = free
    this.serve = serve
    this.model = project.model
    this.scenario = scenario
    this.sessions = sessions
    this.root = ""
  }

  async run() {
    const { plan, objective, title } = this.scenario
    this.root = (await this.serve.createSession({ title })).id
    await this.serve.prompt(this.root, objective, { agent: "commander" })
    if (this.sessions === "ahead") {
      for (const { id } of plan.tasks) await Promise.all([this.session(`worker ${id}`), this.session(`reviewer ${id}`)])
      await Promise.all([this.session("planner"), this.session("master")])
    }
    await /** @type {Promise<void>} */ (
      new Promise((resolve, reject) => {
        const stop = this.model.subscribe((kind, request) => {
          if (kind !== "end") return
          if (!submits(request)) {
            if (request.last) this.turnEnded(request)
          } else if (request.role === "master") {
            stop()
            resolve()
          } else this.follow(request).catch(reject)
        })
        this.start("planner", `Plan: ${objective}\n`).catch(reject)
      })
    )
  }

  /** Called in the instant in which an answer that hands something in has ended. @param {ModelRequest} request */
  async follow(request) {
    const { plan, objective } = this.scenario
    if (request.role === "worker") {
      const task = plan.tasks.find((t) => t.id === request.task)
      return this.start(`reviewer ${request.task}`, this.card(task))
    }
    if (request.role === "reviewer") this.#done.add(request.task ?? "")
    if (this.#done.size === plan.tasks.length) return this.start("master", `Mission review: ${objective}\n`)
    const free = plan.tasks.filter((t) => (t.deps ?? []).every((dep) => this.#done.has(dep)))
    await Promise.all(free.map((task) => this.start(`worker ${task.id}`, this.card(task))))
  }

  /** @param {any} task */
  card(task) {
    return `Task ${task.id}: ${task.title}\n\n${task.description}\n\nFiles: ${task.files}\nVerify: ${task.verify}\n\n${this.scenario.objective}\n`
  }

  /** @param {string} what @returns {Promise<string>} */
  session(what) {
    const known = this.#sessions.get(what)
    if (known) return known
    const made = this.serve.createSession({ parentID: this.root, title: what, permission: [] }).then((s) => s.id)
    this.#sessions.set(what, made)
    return made
  }

  /** Gives the free place to the next turn that waits. @param {ModelRequest} request */
  turnEnded(request) {
    if (!["planner", "worker", "reviewer"].includes(request.role)) return
    const next = this.#waiting.shift()
    if (next) next()
    else this.free += 1
  }

  /** Once for each session. @param {string} what @param {string} text */
  async start(what, text) {
    if (this.#begun.has(what)) return
    this.#begun.add(what)
    const role = /** @type {keyof typeof agentOf} */ (what.split(" ", 1)[0])
    if (this.free > 0) this.free -= 1
    else await /** @type {Promise<void>} */ (new Promise((go) => this.#waiting.push(go)))
    await this.serve.promptAsync(await this.session(what), text, { agent: agentOf[role] })
  }
}
