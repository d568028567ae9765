// What the plugin's `event` hook costs in the JS thread: timed inside OpenCode (Bun) during a real mission, and the
// same events replayed in Node through the real hooks with the real addon and a mission that watches their sessions.

import { mkdtemp, readFile, realpath, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { adapterStateOf } from "../host/opencode1/adapter-state.js"
import { hooks } from "../host/opencode1/hooks.js"
import { traitsOf } from "../host/opencode1/host-mode.js"
import { OpenCodeHost } from "../host/opencode1/operations.js"
import { loadAddon } from "../native.mjs"
import { newDirectoryState } from "../plugin/directory-state.js"
import { EngineLink } from "../plugin/engine-link.js"
import { orchestratorOf } from "../plugin/plugin.js"
import { missionRun } from "./runs.mjs"
import { spread } from "./stats.mjs"

/** @typedef {{us: number, event: any}} Timed */
/** @typedef {import("./stats.mjs").Spread} Spread */
/** @typedef {{all: Spread, types: Record<string, Spread>, bytes: Spread}} Cost */

/** A real mission, recorded. @param {{latencyMs: number, recorder: string}} options @returns {Promise<Timed[]>} */
export async function recordEvents({ latencyMs, recorder }) {
  const dir = await mkdtemp(join(tmpdir(), "oc-bench-events-"))
  const file = join(dir, "events.jsonl")
  try {
    const options = { scenario: "independent-12", snapshot: false, latencyMs, plugin: recorder, env: { BENCH_EVENTS: file } }
    await missionRun({ ...options, settleMs: 300 })
    const text = await readFile(file, "utf8")
    return text.split("\n").filter(Boolean).map((line) => JSON.parse(line))
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** @param {any} event @returns {string|undefined} */
const sessionOf = (event) => event.properties?.sessionID ?? event.properties?.part?.sessionID ?? event.properties?.info?.sessionID

/** @param {Timed[]} timed @returns {Cost} */
export function costOf(timed) {
  /** @type {Map<string, number[]>} */
  const types = new Map()
  for (const { us, event } of timed) types.set(event.type, [...(types.get(event.type) ?? []), us])
  const byType = [...types].sort(([, a], [, b]) => b.length - a.length).map(([type, us]) => [type, spread(us)])
  const bytes = timed.map(({ event }) => Buffer.byteLength(JSON.stringify(event)))
  return { all: spread(timed.map(({ us }) => us)), types: Object.fromEntries(byType), bytes: spread(bytes) }
}

/** @param {Timed[]} recorded @param {number} passes @returns {Promise<Timed[]>} */
export async function replayInNode(recorded, passes) {
  /** @type {Timed[]} */
  const timed = []
  for (let pass = 0; pass < passes; pass++) timed.push(...(await replayOnce(recorded.map(({ event }) => event))))
  return timed
}

/** @param {any[]} events @returns {Promise<Timed[]>} */
async function replayOnce(events) {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "oc-bench-replay-")))
  const sessions = [...new Set(events.map(sessionOf))].filter((id) => id !== undefined)
  const mission = new WatchedMission(directory, sessions)
  try {
    await mission.start()
    const { event: hook } = hooksOver(mission.link, { ...newDirectoryState(), children: new Set(sessions) })
    /** @type {Timed[]} */
    const timed = []
    for (const [i, event] of events.entries()) {
      const begin = performance.now()
      const done = hook({ event })
      timed.push({ us: (performance.now() - begin) * 1000, event })
      await done
      // Lets the engine run, as between the host's own bursts.
      if (i % 16 === 15) await new Promise((wake) => setTimeout(wake, 1))
    }
    return timed
  } finally {
    mission.link.close()
    await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }
}

/** The real hooks, over a link of the bench's own. @param {EngineLink} link @param {import("../plugin/directory-state.js").DirectoryState} directory */
export function hooksOver(link, directory) {
  const traits = traitsOf("serve")
  const state = adapterStateOf(directory)
  const life = { close: () => {}, isNewest: () => true, reloading: () => {} }
  const orchestrator = orchestratorOf({ link, state: directory, traits }, life)
  return hooks({ orchestrator, host: new OpenCodeHost({ client: idleClient, state, traits }), state, inWorktree: false })
}

/** A client that takes everything and does nothing. @type {any} */
const idleClient = new Proxy(() => Promise.resolve({ data: {} }), {
  get: (target, key) => (key === "then" ? undefined : target[/** @type {"call"} */ (key)] ?? idleClient),
})

/** A real mission in the engine whose sessions are the recorded ones: each is given to one of its Workers. */
export class WatchedMission {
  /** @param {string} directory @param {string[]} sessions */
  constructor(directory, sessions) {
    this.sessions = sessions
    this.free = sessions.slice(1)
    this.planned = false
    const options = { options: { parallel: { initial: 50, max: 50 } }, agents: ["worker"] }
    this.link = new EngineLink(loadAddon(), { directory, options, onEffect: (effect) => this.take(effect) })
  }

  async start() {
    const [session] = this.sessions
    const limit = { deadlineMs: 5000, fallback: { ok: false, text: "no answer" } }
    const begun = this.link.ask({ type: "mission_requested", session, arguments: "--parallel 50 Replay", mode: "serve" }, limit)
    if (!(await begun.answer).ok) throw new Error(`the replay's mission: ${(await begun.answer).text}`)
    const tasks = this.free.slice(0, 45).map((_, i) => ({ id: `T${i}`, title: `Task ${i}`, description: "-", files: [`f${i}`] }))
    const args = { summary: "-", verify: [], verify_reason: "a replay", tasks }
    const planned = await this.link.ask({ type: "submit_plan", session, args }, limit).answer
    if (!planned.ok) throw new Error(`the replay's plan: ${planned.text}`)
    this.link.ask({ type: "mission_run", session, args: {} })
    const deadline = Date.now() + 5000
    const wanted = this.sessions.slice(0, 46)
    while (!wanted.every((id) => this.link.watches(id))) {
      if (Date.now() > deadline) throw new Error("the replay's mission does not watch all of its sessions")
      await new Promise((wake) => setTimeout(wake, 5))
    }
  }

  /** @param {any} effect */
  take(effect) {
    if (effect.type === "create_session") {
      const session = this.free.shift()
      if (session) this.link.tell({ type: "session_created", effect: effect.effect, session })
    } else if (effect.type === "prompt_session") this.link.tell({ type: "prompt_accepted", effect: effect.effect })
  }
}
