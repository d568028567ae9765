// How much is sent to the model: each role's first request, bare OpenCode's, and whether the plugin changes the request
// of an agent that is not ours.

import { mkdtemp, realpath, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createProject } from "../rehearsal/host.mjs"
import { textOf } from "../rehearsal/conversation.mjs"
import { missionRun } from "./runs.mjs"

/** @typedef {import("../rehearsal/record.mjs").ModelRequest & {body?: any}} KeptRequest */
/** @typedef {{bytes: number, user: number, own: number, system: number, tools: number}} Size  own: all but the user's words */

/** @param {KeptRequest} request @returns {Size} */
export function sizeOf(request) {
  const said = (request.body?.messages ?? []).filter((/** @type {any} */ m) => m.role === "user")
  // Sizes in the JSON, escapes included.
  const user = said.reduce((/** @type {number} */ n, /** @type {any} */ m) => n + Buffer.byteLength(JSON.stringify(textOf(m.content))) - 2, 0)
  return { bytes: request.bytes, user, own: request.bytes - user, system: request.system_bytes, tools: request.tools_bytes }
}

/** @param {{root: string, latencyMs: number}} options @returns {Promise<Record<string, Size>>} by role */
export async function roleSizes({ root, latencyMs }) {
  const options = { scenario: "chain-6", snapshot: false, latencyMs, plugin: root, keepBodies: true }
  const { requests } = await missionRun(options)
  /** @type {Record<string, Size>} */
  const sizes = {}
  for (const role of ["commander", "planner", "worker", "reviewer", "master"]) {
    const first = requests.find((r) => r.role === role)
    if (first) sizes[role] = sizeOf(first)
  }
  return sizes
}

/**
 * "hi" to the `build` agent in one and the same directory, without and with the plugin.
 * @param {{root: string}} options
 * @returns {Promise<{bare: Size, withPlugin: Size, identical: boolean}>}
 */
export async function buildRequests({ root }) {
  const base = await realpath(await mkdtemp(join(tmpdir(), "oc-bench-hi-")))
  try {
    const bare = await sayHi(join(base, "project"), null)
    const loaded = await sayHi(join(base, "project"), root)
    const identical = JSON.stringify(bare.body) === JSON.stringify(loaded.body) && bare.bytes === loaded.bytes
    return { bare: sizeOf(bare), withPlugin: sizeOf(loaded), identical }
  } finally {
    await rm(base, { recursive: true, force: true })
  }
}

/** @param {string} dir @param {string|null} plugin @returns {Promise<KeptRequest>} */
async function sayHi(dir, plugin) {
  const project = await createProject({ scenario: "chain-6", dir, plugin, keepBodies: true })
  try {
    const serve = await project.startServe()
    const session = await serve.createSession({ title: "hi" })
    await serve.prompt(session.id, "hi", { agent: "build" })
    const request = project.model.requests.find((r) => r.session === session.id && r.role === "chat")
    if (!request) throw new Error("no request of the build agent was seen")
    await serve.stop()
    return request
  } finally {
    await project.stop()
    await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}
