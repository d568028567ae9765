// Support for the stories: missions small enough to take a second or two, gates that hold a Worker until the
// test has looked, and what the model was sent.

import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import test from "node:test"
import { readTurn, textOf } from "../../../js/rehearsal/conversation.mjs"
import { kHost, missionWhere, projectFor } from "./project.mjs"

/** @typedef {import("../../../js/rehearsal/host.mjs").Project} Project */
/** @typedef {import("../../../js/rehearsal/host.mjs").ProjectOptions} ProjectOptions */
/** @typedef {import("../../../js/rehearsal/scenario.mjs").Scenario} Scenario */
/** @typedef {import("../../../js/rehearsal/conversation.mjs").Turn} Turn */
/** @typedef {import("../../../js/rehearsal/wire.mjs").Answer} Answer */
/** @typedef {import("../../../js/rehearsal/record.mjs").ModelRequest & {body: any}} Request */
/** @typedef {Awaited<ReturnType<Project["startServe"]>>} Serve */

const longer = process.env.ORCH_LONG_STORIES ? false : "a longer one: npm run test:e2e"

/**
 * A story that `npm test` leaves out for its time, and says so; `npm run test:e2e`, `npm run test:long` and CI tell them all.
 * @param {string} name @param {(t: import("node:test").TestContext) => void | Promise<void>} story
 */
export const longTest = (name, story) => test(name, { skip: longer }, story)

/** Far above what any step takes on a busy machine; reached only where something is wrong. */
export const kPatienceMs = 60_000

/**
 * Tasks that write one file each and are proved by it, planned by the Commander itself: the shortest whole mission.
 * @param {string[]} ids @param {Partial<Scenario> & {verify?: string[]}} [more]
 * @returns {Scenario}
 */
export function small(ids, more = {}) {
  const { verify, ...rest } = more
  return {
    name: "small",
    title: "A small mission",
    objective: "Write the files.",
    expect: { phase: "sealed" },
    plan: {
      summary: "One file for each task.",
      verify: verify ?? ids.map((id) => `test -s ${id}.txt`),
      tasks: ids.map((id) => ({
        id,
        title: `File ${id}`,
        description: `Write ${id}.txt`,
        files: [`${id}.txt`],
        verify: [`test -s ${id}.txt`],
      })),
    },
    workers: Object.fromEntries(ids.map((id) => [id, { files: { [`${id}.txt`]: `${id}\n` } }])),
    commander: { plans_itself: true },
    ...rest,
  }
}

/**
 * A command that ends when the test opens the gate. @param {string} name
 * @param {string} [before] run before it waits
 */
export const gate = (name, before = "true") =>
  `${before}; touch ${name}.at; until test -e ${name}.open; do sleep 0.02; done`

/** @param {Project} project @param {string} name */
export const openGate = (project, name) => writeFileSync(join(project.dir, `${name}.open`), "")

/** Waits until a Worker has reached the gate. @param {Project} project @param {string} name */
export const atGate = (project, name) => until(() => existsSync(join(project.dir, `${name}.at`)), `a Worker at ${name}`)

/**
 * @template T
 * @param {() => T | Promise<T>} look @param {string} what @param {number} [timeoutMs]
 * @returns {Promise<NonNullable<T>>} the first result that is true
 */
export async function until(look, what, timeoutMs = kPatienceMs) {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const found = await look()
    if (found) return /** @type {NonNullable<T>} */ (found)
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`)
    await new Promise((wake) => setTimeout(wake, 20))
  }
}

/**
 * Answers of the test's own instead of the scenario's, where it has one.
 * @param {Project} project @param {(turn: Turn, session: string) => Answer | undefined} own
 */
export function improvise(project, own) {
  const { roles } = project.model
  const scripted = roles.answer.bind(roles)
  roles.answer = (turn, session) => own(turn, session) ?? scripted(turn, session)
}

/**
 * The model leaves requests of this role without an answer until the test lets it go on.
 * @param {Project} project @param {string} role @returns {{asked: Promise<void>, release: () => void}} asked: by the first
 */
export function hold(project, role) {
  const { model } = project
  const complete = model.complete.bind(model)
  const [asking, held] = [deferred(), deferred()]
  model.complete = (headers, raw, response) => {
    if (readTurn(JSON.parse(raw.toString("utf8"))).role !== role) return complete(headers, raw, response)
    asking.resolve()
    held.promise.then(() => complete(headers, raw, response))
  }
  return { asked: asking.promise, release: held.resolve }
}

function deferred() {
  /** @type {() => void} */
  let resolve = () => {}
  const promise = /** @type {Promise<void>} */ (new Promise((now) => (resolve = now)))
  return { promise, resolve }
}

/** @param {Project} project @param {(request: Request) => boolean} [which] @returns {Request[]} */
export function asked(project, which = () => true) {
  return /** @type {Request[]} */ (project.model.requests).filter((r) => r.role !== "title" && which(r))
}

/** @param {Request} request @returns {string[]} texts of its user messages */
export const userTexts = (request) =>
  request.body.messages
    .filter((/** @type {any} */ m) => m.role === "user")
    .map((/** @type {any} */ m) => textOf(m.content))

/** @param {Request} request */
export const systemText = (request) =>
  request.body.messages
    .filter((/** @type {any} */ m) => m.role === "system")
    .map((/** @type {any} */ m) => textOf(m.content))
    .join("\n")

/** @param {Request} request @returns {string[]} */
export const toolNames = (request) => (request.body.tools ?? []).map((/** @type {any} */ t) => t.function.name).sort()

/** Results of the tools, newest request of the session first seen. @param {Project} project @param {string} tool @param {(r: Request) => boolean} [which] @returns {string[]} */
export function toolResults(project, tool, which = () => true) {
  /** @type {Map<string, string>} */
  const results = new Map()
  for (const request of asked(project, which)) {
    /** @type {Map<string, string>} */
    const names = new Map()
    for (const m of request.body.messages) {
      for (const c of m.tool_calls ?? []) names.set(c.id, c.function.name)
      if (m.role === "tool" && names.get(m.tool_call_id) === tool) results.set(m.tool_call_id, textOf(m.content))
    }
  }
  return [...results.values()]
}

/**
 * Results of a tool as the host has stored them: no request shows that of an accepted submission, which ends its turn.
 * @param {any} client @param {any} mission @param {string} tool @param {string} role @returns {Promise<string[]>}
 */
export async function storedResults(client, mission, tool, role) {
  const results = []
  for (const session of mission.sessions.filter((/** @type {any} */ s) => s.role === role)) {
    for (const part of (await client.messages(session.id)).flatMap((/** @type {any} */ m) => m.parts)) {
      if (part.type === "tool" && part.tool === tool) results.push(part.state.output ?? part.state.error ?? "")
    }
  }
  return results
}

/** @param {Project} project */
export function todo(project) {
  const path = join(project.dir, ".opencode/todo.md")
  // One that was kept aside is away for a moment.
  return existsSync(path) ? readFileSync(path, "utf8") : ""
}

/** @param {Project} project @param {string} path */
export const there = (project, path) => existsSync(join(project.dir, path))

/** What OpenCode itself puts there. */
const kHostFiles = /^(node_modules\b|package\.json|package-lock\.json|bun\.lockb?|\.gitignore$)/

/** Every file of ours below `.opencode`, with its bytes. @param {Project} project @returns {Record<string, string>} */
export function ourFiles(project) {
  const top = join(project.dir, ".opencode")
  /** @type {Record<string, string>} */
  const files = {}
  const names = /** @type {string[]} */ (unlessGone(() => readdirSync(top, { recursive: true })) ?? [])
  for (const name of names.filter((name) => !kHostFiles.test(name)).sort()) {
    const bytes = unlessGone(() => readFileSync(join(top, name), "latin1"))
    if (bytes !== undefined) files[name] = bytes
  }
  return files
}

/**
 * What is read of a directory in which the engine writes: a temporary file that was renamed meanwhile is none, nor is a directory.
 * @template T
 * @param {() => T} read
 * @returns {T | undefined}
 */
function unlessGone(read) {
  try {
    return read()
  } catch (error) {
    if (!["ENOENT", "ENOTDIR", "EISDIR"].includes(/** @type {any} */ (error).code)) throw error
  }
}

/** The mission's end, read from disk. @param {Project} project @param {string} phase @param {number} [timeoutMs] */
export async function ended(project, phase, timeoutMs = kPatienceMs) {
  const mission = await missionWhere(project, (m) => m.phase === phase || isOver(m.phase), { timeoutMs })
  assert.equal(mission.phase, phase, `phase ${mission.phase}: ${mission.reason}`)
  return mission
}

/** @param {string} phase */
const isOver = (phase) => ["sealed", "blocked", "cancelled", "failed"].includes(phase)

/** Shown when a run did not do what it should. @param {import("../../../js/rehearsal/process.mjs").Ended} run */
export const said = (run) => `exit ${run.timedOut ? "by the time limit" : run.code}\n${run.stdout.slice(-3000)}\n${run.stderr.slice(-3000)}`

/** One server for the stories of a file; each story has a project directory and a model of its own. */
export class Stage {
  /** @type {Promise<{host: Project, serve: Serve}> | undefined} */
  #ready

  /** @param {Partial<ProjectOptions>} [options] of the project that the server starts in */
  constructor(options = {}) {
    this.options = options
  }

  async #start() {
    const { createProject } = await import("../../../js/rehearsal/host.mjs")
    const host = await createProject({ ...kHost, scenario: small(["T1"]), ...this.options })
    const serve = await host.startServe({ args: ["--print-logs", "--log-level", "WARN"] })
    return { host, serve }
  }

  /**
   * @param {import("node:test").TestContext} t @param {Omit<ProjectOptions, "plugin"> & {plugin?: string|null}} options
   * @returns {Promise<{project: Project, client: import("../../../js/rehearsal/client.mjs").HostClient}>}
   */
  async story(t, options) {
    const { serve } = await (this.#ready ??= this.#start())
    const project = await projectFor(t, { keepBodies: true, snapshot: false, ...options })
    const client = serve.at(project.dir)
    // The server's instance for a directory goes before the directory does.
    t.after(() => client.call("POST", "/instance/dispose", undefined, { timeoutMs: 10_000 }).catch(() => {}))
    return { project, client }
  }

  get log() {
    return this.#ready?.then(({ serve }) => serve.process.stderr)
  }

  async stop() {
    if (this.#ready) await (await this.#ready).host.stop()
  }
}
