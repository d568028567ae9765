// Missions that are killed again and again: SIGKILL to the process group of one OpenCode, at a point that the mission
// itself reaches (the n-th request to the model, its answer, or what is logged after it), never after a time. Then the
// next process goes on, and in the end all is compared with the same mission left alone.

import assert from "node:assert/strict"
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs"
import { join } from "node:path"
import { createProject } from "../../../js/rehearsal/host.mjs"
import { kHost } from "./project.mjs"
import { asked, toolResults, until } from "./story.mjs"

/** @typedef {import("./story.mjs").Project} Project */
/** @typedef {import("../../../js/rehearsal/process.mjs").OpencodeProcess} OpencodeProcess */
/**
 * A point of a process's life: its `nth` request to the model that the filter takes, when it comes in, when its answer
 * is out, or when the log has grown after that.
 * @typedef {{nth: number, when: "asked" | "answered" | "logged", which?: (r: import("./story.mjs").Request) => boolean}} Point
 * @typedef {object} Course
 * @property {number} kills      of a mission that was not over yet
 * @property {number} resumed    processes that took the mission up after a kill
 * @property {number} repeated   finished tasks that were worked on again
 * @property {number} requests   to the model, in all
 * @property {number} ms
 * @property {Record<string, string>} tree
 */

const kProcessMs = 180_000

/** @param {string} dir @returns {Record<string, string>} every file that a mission may have made, with its content */
function treeOf(dir) {
  const names = /** @type {string[]} */ (readdirSync(dir, { recursive: true }))
  const ours = names.filter((name) => !/^(\.git|\.opencode|node_modules)(\/|$)/.test(name) && name !== "opencode.json")
  return Object.fromEntries(
    ours
      .filter((name) => statSync(join(dir, name)).isFile())
      .sort()
      .map((name) => [name, readFileSync(join(dir, name), "latin1")]),
  )
}

/** Processes whose working directory is still the project's directory. @param {Project} project @returns {string[]} */
function leftRunning(project) {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false
    try {
      return readlinkSync(`/proc/${pid}/cwd`).startsWith(project.dir)
    } catch {
      return false // it has ended, or is none of ours
    }
  })
}

/** The bytes of the mission's log. @param {Project} project */
function logged(project) {
  const dir = join(project.dir, ".opencode/orchestrator")
  const logs = readdirSync(dir).filter((name) => name.endsWith(".wal"))
  // A log that is put aside meanwhile is none of this moment.
  return logs.reduce((sum, name) => sum + (statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0), 0)
}

/**
 * Kills the process when it gets to the point. @param {Project} project @param {OpencodeProcess} host @param {Point} point
 * @returns {{killed: () => boolean, stop: () => void}}
 */
function armed(project, host, { nth, when, which = () => true }) {
  let left = nth
  let killed = false
  /** @type {NodeJS.Timeout | undefined} */
  let looking
  const kill = () => {
    clearInterval(looking)
    killed = host.running
    host.kill("SIGKILL")
  }
  const stop = project.model.subscribe((kind, request) => {
    if (killed || looking || request.role === "title") return
    if (kind !== (when === "asked" ? "start" : "end") || !which(/** @type {any} */ (request)) || --left > 0) return
    if (when !== "logged") return kill()
    const before = logged(project)
    looking = setInterval(() => logged(project) !== before && kill(), 1)
  })
  return {
    killed: () => killed,
    stop: () => {
      stop()
      clearInterval(looking)
    },
  }
}

/** @param {any} mission */
const isOver = (mission) => ["sealed", "failed", "cancelled"].includes(mission?.phase)
/** @param {any} mission */
const doneTasks = (mission) => (mission?.tasks ?? []).filter((/** @type {any} */ t) => t.status === "done").map((/** @type {any} */ t) => t.id)

/**
 * One process of the mission: from its start to its end, or to the kill.
 * @param {Project} project @param {"run" | "serve"} mode @param {boolean} first @param {Point | undefined} point
 * @returns {Promise<boolean>} whether it was killed
 */
async function live(project, mode, first, point) {
  if (mode === "run") {
    const command = first ? ["task", project.scenario.objective] : ["resume"]
    const host = project.spawnOpencode({ args: ["run", "--command", ...command], timeoutMs: kProcessMs })
    const trap = point && armed(project, host, point)
    const { timedOut, stdout, stderr } = await host.ended
    trap?.stop()
    assert.ok(!timedOut, `no progress: ${JSON.stringify(await project.mission())}\n${stdout}\n${stderr}`.slice(0, 6000))
    return trap?.killed() ?? false
  }
  // The start-up asks the server for its sessions; to resume, the mission needs nothing more.
  const before = project.processes
  const seen = new Set(before)
  const starting = project.startServe()
  const host = await until(() => [...project.processes].find((p) => !seen.has(p)), "a process")
  const trap = point && armed(project, host, point)
  const client = await starting.catch((error) => {
    if (!trap?.killed()) throw error
  })
  if (client && first) {
    const session = await client.createSession()
    client.command(session.id, "task", project.scenario.objective).catch(() => {})
  }
  await until(async () => !host.running || isOver(await project.mission()), "the seal, or the kill", kProcessMs)
  if (host.running) {
    // Its Commander, its Reviewers have the last word.
    await until(
      async () => !host.running || Object.keys((await client?.status().catch(() => ({}))) ?? {}).length === 0,
      "nothing runs any more",
    )
  }
  trap?.stop()
  if (host.running) await host.stop()
  else await host.ended
  return trap?.killed() ?? false
}

/**
 * @param {{scenario: string | import("./story.mjs").Scenario, mode: "run" | "serve", points: Iterable<Point>}} options a process for each point, and one
 *   more that is let live
 * @returns {Promise<Course>}
 */
export async function course({ scenario, mode, points }) {
  const project = await createProject({ ...kHost, scenario, keepBodies: true, snapshot: false })
  const begin = performance.now()
  try {
    let kills = 0
    let resumed = 0
    let repeated = 0
    let first = true
    const left = points[Symbol.iterator]()
    for (;;) {
      const before = asked(project).length
      const finished = new Set(doneTasks(await project.mission()))
      const { value: point } = left.next()
      const killed = await live(project, mode, first, point)
      const own = asked(project).slice(before)
      if (!first && (own.length > 0 || isOver(await project.mission()))) resumed++
      repeated += new Set(own.filter((r) => finished.has(r.task ?? "")).map((r) => r.task)).size
      first = false
      if (!killed || isOver(await project.mission())) break
      kills++
    }
    const mission = await project.mission()
    assert.equal(mission.phase, "sealed", `${mission.phase}: ${mission.reason}`)
    for (const task of mission.tasks) {
      const taken = toolResults(project, "submit_work", (r) => r.task === task.id && r.role === "worker")
      const workers = new Set(asked(project, (r) => r.role === "worker" && r.task === task.id).map((r) => r.session))
      const again = taken.filter((text) => text.startsWith("Taken")).length > 1 || workers.size > 1 || task.attempt > 1
      if (again) repeated++
    }
    assert.ok((await project.test()).ok)
    await until(() => leftRunning(project).length === 0, "no process left in the project's directory")
    const tree = treeOf(project.dir)
    return { kills, resumed, repeated, requests: asked(project).length, ms: performance.now() - begin, tree }
  } finally {
    await project.stop({ keep: Boolean(process.env.REHEARSAL_KEEP) })
  }
}

/** @param {Course} killed @param {Course} alone the same mission without a kill */
export function expectTheSame(killed, alone) {
  assert.equal(killed.repeated, 0, "a finished task was worked on again")
  assert.deepEqual(killed.tree, alone.tree)
}
