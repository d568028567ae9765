// The start-up time of bare OpenCode, without a plugin, in a git worktree that is new to it.

import { execFile } from "node:child_process"
import { cp } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { HostClient } from "../rehearsal/client.mjs"
import { createProject } from "../rehearsal/host.mjs"
import { loadScenario } from "../rehearsal/scenario.mjs"
import { oracleAgents } from "./runs.mjs"
import { race } from "./shapes.mjs"

const exec = promisify(execFile)
const limitMs = 60_000

/**
 * @param {number} count  worktrees, one after the other
 * @param {Record<string, string>} [env]
 * @returns {Promise<number[]>} ms from the request for a session to the model's first request
 */
export async function coldStarts(count, env) {
  const scenario = await loadScenario(race(false, 1))
  const project = await createProject({ scenario, plugin: null, latencyMs: 10, snapshot: false, env, config: { agent: oracleAgents() } })
  try {
    const serve = await project.startServe()
    const first = await serve.createSession({ title: "first" })
    await serve.prompt(first.id, "hi", { agent: "worker" }) // the process itself is warm
    const took = []
    for (let i = 1; i <= count; i++) {
      const directory = join(project.base, `worktree-${i}`)
      await exec("git", ["worktree", "add", "--detach", "--quiet", directory], { cwd: project.dir, env: project.env })
      await cp(join(project.dir, ".opencode"), join(directory, ".opencode"), { recursive: true })
      const client = new HostClient(`http://127.0.0.1:${serve.port}`, directory)
      const begin = performance.now()
      const begun = new Promise((resolve, reject) => {
        setTimeout(reject, limitMs, new Error("no request from the worktree")).unref()
        const stop = project.model.subscribe((kind) => {
          if (kind !== "start") return
          stop()
          resolve(performance.now() - begin)
        })
      })
      const session = await client.createSession({ parentID: first.id, title: "apart" })
      await client.prompt(session.id, "hi", { agent: "worker" })
      took.push(/** @type {number} */ (await begun))
    }
    return took
  } finally {
    await project.stop()
  }
}
