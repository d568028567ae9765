// The real OpenCode in a project and a HOME of its own, with the rehearsal model as its only provider.
//
//   const project = await createProject({ scenario: "library", plugin: "/abs/checkout" });
//   const ended = await project.runOpencode({ args: ["run", "--command", "task", "…"] });
//   const serve = await project.startServe();      // or over HTTP
//   await project.stop();

import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, dirname, join, resolve } from "node:path"
import { promisify } from "node:util"
import { opencodeBinary } from "../dev/opencode.mjs"
import { HostClient } from "./client.mjs"
import { startModel } from "./model.mjs"
import { freePort, OpencodeProcess } from "./process.mjs"

const exec = promisify(execFile)

/** @typedef {import("./process.mjs").Ended} Ended */
/**
 * @typedef {object} ProjectOptions
 * @property {string|import("./scenario.mjs").Scenario} scenario
 * @property {string|null} [plugin]   absolute path of a plugin directory or file; null: bare OpenCode
 * @property {any} [pluginOptions]    its options in opencode.json
 * @property {string} [dir]           the project directory, empty or not there yet; default: a temporary one
 * @property {any} [config]           merged over opencode.json
 * @property {any} [orchestrator]     content of .opencode/orchestrator.json
 * @property {boolean} [snapshot]     the host's snapshots; default: the host's default, on
 * @property {Record<string, string>} [files] in the project besides the scenario's seed
 * @property {Record<string, string>} [env]
 * @property {number|Record<string, number>} [latencyMs]
 * @property {number|import("./faults.mjs").FaultOptions} [faults]
 * @property {number} [seed]
 * @property {number} [atOnce]
 * @property {boolean} [keepBodies]
 */

/** @param {ProjectOptions} options */
export async function createProject(options) {
  const base = await realpath(await mkdtemp(join(tmpdir(), "oc-rehearsal-")))
  const model = await startModel(options)
  try {
    const project = new Project(base, model, options)
    await project.prepare()
    return project
  } catch (error) {
    await model.stop()
    await rm(base, { recursive: true, force: true })
    throw error
  }
}

export class Project {
  /** @param {string} base @param {import("./model.mjs").RehearsalModel} model @param {ProjectOptions} options */
  constructor(base, model, options) {
    this.base = base
    this.model = model
    this.scenario = model.scenario
    this.options = options
    this.home = join(base, "home")
    this.dir = options.dir ? resolve(options.dir) : join(base, "project")
    this.env = { ...environment(this.home), ...options.env }
    /** @type {Set<OpencodeProcess>} */
    this.processes = new Set()
  }

  async prepare() {
    await mkdir(this.dir, { recursive: true })
    this.dir = await realpath(this.dir)
    const there = await readdir(this.dir)
    if (there.length)
      throw new Error(
        `${this.dir} is not empty (${there.slice(0, 3).join(", ")}): a rehearsal needs a directory of its own`,
      )
    for (const dir of [join(this.home, ".config/opencode"), join(this.dir, ".opencode")]) await settleDependencies(dir)
    await put(this.dir, { ...this.scenario.seed, ...this.options.files, "opencode.json": json(this.config()) })
    if (this.options.orchestrator)
      await put(this.dir, { ".opencode/orchestrator.json": json(this.options.orchestrator) })
    const git = (/** @type {string[]} */ ...args) => exec("git", args, { cwd: this.dir, env: this.env })
    await git("init", "--quiet")
    await git("add", "--all")
    await git("commit", "--quiet", "--message", "Before the mission")
  }

  config() {
    const { plugin, pluginOptions, snapshot, config } = this.options
    return {
      $schema: "https://opencode.ai/config.json",
      autoupdate: false,
      share: "disabled",
      model: "rehearsal/scripted",
      small_model: "rehearsal/scripted",
      provider: {
        rehearsal: {
          npm: "@ai-sdk/openai-compatible",
          name: "Rehearsal",
          options: { baseURL: this.model.baseURL, apiKey: "none" },
          models: { scripted: scripted("Scripted"), other: scripted("Another") },
        },
      },
      ...(plugin ? { plugin: [pluginOptions ? [plugin, pluginOptions] : plugin] } : {}),
      ...(snapshot === undefined ? {} : { snapshot }),
      ...config,
    }
  }

  /**
   * Starts OpenCode and returns at once.
   * @param {{args: string[], timeoutMs?: number, cwd?: string, env?: Record<string, string>,
   *   onOutput?: (text: string) => void}} options
   */
  spawnOpencode({ args, timeoutMs, cwd = this.dir, env, onOutput }) {
    const started = new OpencodeProcess(opencodeBinary(), args, {
      cwd,
      env: { ...this.env, PWD: cwd, ...env },
      timeoutMs,
      onOutput,
    })
    this.processes.add(started)
    const forget = () => void this.processes.delete(started)
    started.ended.then(forget, forget)
    return started
  }

  /**
   * Runs OpenCode to its end, or kills it at the time limit.
   * @param {Parameters<Project["spawnOpencode"]>[0]} options
   * @returns {Promise<Ended>}
   */
  runOpencode(options) {
    return this.spawnOpencode({ timeoutMs: 120_000, ...options }).ended
  }

  /**
   * `/task` in run mode, to its end. The log goes to stderr: OpenCode reports a plugin that does not load nowhere else,
   * and a run that fails leaves its log file empty.
   * @param {string} [objective] @param {{timeoutMs?: number, onOutput?: (text: string) => void}} [options]
   */
  runTask(objective = this.scenario.objective, options = {}) {
    const args = ["run", "--print-logs", "--log-level", "WARN", "--command", "task", objective]
    return this.runOpencode({ args, ...options })
  }

  /**
   * `opencode serve` on a free port, ready to take requests for the project's directory.
   * @param {{timeoutMs?: number, env?: Record<string, string>, args?: string[]}} [options]
   */
  async startServe({ timeoutMs = 60_000, env, args = [] } = {}) {
    const port = await freePort()
    const server = this.spawnOpencode({
      args: ["serve", "--hostname", "127.0.0.1", "--port", String(port), ...args],
      env,
    })
    const client = new HostClient(`http://127.0.0.1:${port}`, this.dir)
    const deadline = performance.now() + timeoutMs
    for (let patience = 500; ; patience = Math.min(patience * 1.5, 15_000)) {
      // A request that meets the start-up window is never answered: ask again rather than wait.
      const ready = server.stdout.includes("listening") && (await isReady(client, patience))
      if (ready) break
      if (!server.running || performance.now() > deadline) {
        await server.stop()
        throw new Error(`opencode serve did not get ready:\n${(server.stderr + server.stdout).slice(-2000)}`)
      }
      if (!server.stdout.includes("listening")) patience = 300
      await new Promise((wake) => setTimeout(wake, 20))
    }
    return Object.assign(client, { port, process: server, stop: () => server.stop() })
  }

  /** `.opencode/mission_loop.json`, or null while there is none. @returns {Promise<any>} */
  async mission() {
    try {
      return JSON.parse(await readFile(join(this.dir, ".opencode/mission_loop.json"), "utf8"))
    } catch {
      return null
    }
  }

  /**
   * The scenario's own test in the built project. What its workers write must be there: a test run that finds
   * no tests is green, too.
   * @returns {Promise<{ok: boolean, output: string}>}
   */
  async test() {
    const { expect, workers = {}, fixes = [] } = this.scenario
    const expected = expect.files ?? [...Object.values(workers), ...fixes].flatMap((w) => Object.keys(w.files ?? {}))
    const missing = expected.filter((file) => !existsSync(join(this.dir, file)))
    if (missing.length) return { ok: false, output: `not built: ${missing.join(", ")}` }
    const command = this.scenario.test ?? "true"
    try {
      const { stdout, stderr } = await exec("sh", ["-c", command], { cwd: this.dir, env: this.env })
      return { ok: true, output: stdout + stderr }
    } catch (error) {
      const { stdout = "", stderr = "", message } = /** @type {any} */ (error)
      return { ok: false, output: stdout + stderr || message }
    }
  }

  /** A new model server on the same port with the same counters, as after a crash of the provider. */
  async restartModel() {
    const { port, counters } = this.model
    await this.model.stop()
    this.model = await startModel({ ...this.options, port, counters })
    return this.model
  }

  /** Ends this project's own processes and its model; removes what is temporary. @param {{keep?: boolean}} [options] */
  async stop({ keep = false } = {}) {
    await Promise.all([...this.processes].map((p) => p.stop()))
    await this.model.stop()
    if (keep) return
    // A shell that a tool left behind may still be writing for a moment.
    await rm(this.base, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

/** @param {string} name */
const scripted = (name) => ({ name, tool_call: true, limit: { context: 200_000, output: 8192 } })

/** @param {HostClient} client @param {number} timeoutMs @returns {Promise<boolean>} */
const isReady = (client, timeoutMs) =>
  client.call("GET", "/session", undefined, { timeoutMs }).then(Array.isArray, () => false)

/**
 * An environment made from nothing: no configuration, identity or credential of the caller's, and none of the
 * network look-ups that OpenCode makes as it starts.
 * @param {string} home @returns {Record<string, string>}
 */
export function environment(home) {
  const path = [dirname(process.execPath), ...(process.env.PATH ?? "/usr/bin:/bin").split(delimiter)]
  return {
    PATH: [...new Set(path)].join(delimiter),
    HOME: home,
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_DATA_HOME: join(home, ".local/share"),
    XDG_STATE_HOME: join(home, ".local/state"),
    XDG_CACHE_HOME: join(home, ".cache"),
    TMPDIR: tmpdir(),
    LANG: "C.UTF-8",
    TERM: "dumb",
    NO_COLOR: "1",
    SHELL: "/bin/sh",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Rehearsal",
    GIT_AUTHOR_EMAIL: "rehearsal@localhost",
    GIT_COMMITTER_NAME: "Rehearsal",
    GIT_COMMITTER_EMAIL: "rehearsal@localhost",
    OPENCODE_DISABLE_MODELS_FETCH: "1",
    OPENCODE_DISABLE_AUTOUPDATE: "1",
    OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
    OPENCODE_DISABLE_DEFAULT_PLUGINS: "1",
    OPENCODE_DISABLE_CLAUDE_CODE: "1",
    OPENCODE_DISABLE_EXTERNAL_SKILLS: "1",
  }
}

/**
 * With a plugin configured, OpenCode installs `@opencode-ai/plugin` into every configuration directory and
 * waits for it, unless these two say that it is there. @param {string} dir
 */
async function settleDependencies(dir) {
  await mkdir(join(dir, "node_modules"), { recursive: true })
  const lock = { lockfileVersion: 3, packages: { "": { dependencies: { "@opencode-ai/plugin": "*" } } } }
  await writeFile(join(dir, "package-lock.json"), JSON.stringify(lock))
}

/** @param {string} dir @param {Record<string, string>} files */
async function put(dir, files) {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), content)
  }
}

/** @param {any} value */
const json = (value) => `${JSON.stringify(value, null, 2)}\n`
