// Support for the stories on the fake host: a project directory, scripted roles, and the mission's own file.

import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, writeFileSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { FakeHost } from "./fake_host.mjs"

/** @typedef {import("./fake_host.mjs").Answer} Answer */
/** @typedef {import("./fake_host.mjs").Model} Model */
/** @typedef {import("./fake_host.mjs").Turn} Turn */

const patienceMs = 20_000

/** @param {string} tool @param {any} [args] @returns {Answer} */
export const call = (tool, args = {}) => ({ calls: [{ tool, args }] })
/** @param {string} text @returns {Answer} */
export const say = (text) => ({ text })

/** @param {string} id @param {object} [more] a task that writes one file, which proves it */
export const task = (id, more = {}) => ({
  id,
  title: `File ${id}`,
  description: `Write ${id}.txt`,
  files: [`${id}.txt`],
  verify: [`test -s ${id}.txt`],
  ...more,
})

/** @param {any[]} tasks */
export const plan = (tasks) => ({ summary: "One file for each task.", verify: tasks.flatMap((t) => t.verify), tasks })

/** @param {any[]} tasks @returns {Model} */
export const planner = (tasks) =>
  function* () {
    yield call("submit_plan", plan(tasks))
    yield say("The plan is ready.")
  }

/** Runs the mission to its end, again where it is asked to. @type {Model} */
export function* commander() {
  for (let i = 0; i < 5; i++) {
    const report = yield call("mission_run")
    if (/ is (sealed|cancelled|paused|blocked)/.test(report)) break
  }
  yield say("That is all.")
}

/** The file of a task, also where the task is an entrant of a race ("T1.2"). @param {string} id */
const fileOf = (id) => `${id.replace(/\..*/, "")}.txt`

/** @type {Model} */
export function* worker({ task: id }) {
  const file = fileOf(id)
  yield call("write", { path: file, content: `${id}\n` })
  yield call("bash", { command: `test -s ${file}` })
  const evidence = [{ command: `test -s ${file}`, exit_code: 0 }]
  yield call("submit_work", { task: id, summary: `Built ${id}`, files: [file], evidence })
  yield say("Submitted.")
}

/** @param {string} id @param {string[]} commands that were green @param {any} [verdict] */
const review = (id, commands, verdict = { verdict: "pass", findings: [] }) =>
  call("submit_review", { task: id, evidence: commands.map((command) => ({ command, exit_code: 0 })), ...verdict })

/** @param {string} message */
export const rejected = (message) => ({ verdict: "reject", findings: [{ severity: "error", message }] })

/** A Reviewer that rejects a task with these words, one for each review of it, and then passes it. @param {Record<string, string[]>} [findings] @returns {Model} */
export const reviewer = (findings = {}) =>
  function* ({ task: id }) {
    const command = `test -s ${fileOf(id)}`
    yield call("bash", { command })
    const finding = findings[id]?.shift()
    yield review(id, [command], finding && rejected(finding))
    yield say("Judged.")
  }

/** @param {any[]} tasks @returns {Model} */
export const masterReviewer = (tasks) =>
  function* () {
    const commands = tasks.flatMap((t) => t.verify)
    for (const command of commands) yield call("bash", { command })
    yield review("mission", commands)
    yield say("Judged.")
  }

/** @param {any[]} tasks @returns {Record<string, Model>} */
export const rolesFor = (tasks) => ({
  commander,
  planner: planner(tasks),
  worker,
  reviewer: reviewer(),
  "master-reviewer": masterReviewer(tasks),
})

/** Makes the directory a git repository with one commit. @param {string} directory */
function repository(directory) {
  const git = (/** @type {string[]} */ ...args) => execFileSync("git", args, { cwd: directory, stdio: "ignore" })
  writeFileSync(join(directory, "README"), "A project.\n")
  git("init", "-q")
  git("add", "README")
  git("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "One")
}

/**
 * `git`: the project is a repository.
 * @param {import("node:test").TestContext} t
 * @param {{tasks?: any[], models?: Record<string, Model>, orchestrator?: object, git?: boolean} & Omit<ConstructorParameters<typeof FakeHost>[1], "models">} [options]
 */
export function stage(t, { tasks = [task("T1")], models = {}, orchestrator, git = false, ...options } = {}) {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "orch-seam-")))
  if (orchestrator) {
    mkdirSync(join(directory, ".opencode"))
    writeFileSync(join(directory, ".opencode/orchestrator.json"), JSON.stringify(orchestrator))
  }
  if (git) repository(directory)
  const host = new FakeHost(directory, { models: { ...rolesFor(tasks), ...models }, ...options })
  t.after(async () => {
    await host.close()
    await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  })
  return { host, directory, session: host.openSession() }
}

/** @param {string} directory @returns {any} the mission as its file has it; null: there is none */
export function missionIn(directory) {
  try {
    return JSON.parse(readFileSync(join(directory, ".opencode/mission_loop.json"), "utf8"))
  } catch {
    return null
  }
}

/**
 * @template T
 * @param {() => T} look @param {string} what
 * @returns {Promise<NonNullable<T>>} the first result that is true
 */
export async function until(look, what) {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const found = look()
    if (found) return /** @type {NonNullable<T>} */ (found)
    assert.ok(performance.now() < deadline, `waited in vain for: ${what}`)
    await new Promise((wake) => setTimeout(wake, 2))
  }
}

/** @param {string} directory @param {string} phase */
export const ended = (directory, phase) =>
  until(() => {
    const mission = missionIn(directory)
    return mission?.phase === phase ? mission : undefined
  }, `${phase}; the mission: ${JSON.stringify(missionIn(directory))?.slice(0, 400)}`)
