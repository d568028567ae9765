// A provider that answers a fixed number of requests at a time and refuses the rest: how near the limit that the limiter
// finds comes to the best fixed one.

import { createProject } from "../rehearsal/host.mjs"

/** @typedef {import("../rehearsal/scenario.mjs").Scenario} Scenario */

const tasks = 36
const runLimitMs = 300_000

/** @returns {Scenario} */
function independent() {
  const ids = Array.from({ length: tasks }, (_, i) => `T${i + 1}`)
  return {
    name: "limit",
    title: "Independent parts",
    objective: "Write the parts.",
    expect: { phase: "sealed" },
    commander: { plans_itself: true },
    plan: {
      summary: "All at once.",
      verify: ["test -s T1.txt"],
      tasks: ids.map((id) => ({
        id,
        title: `Part ${id}`,
        description: `Write ${id}.txt`,
        files: [`${id}.txt`],
        verify: [`test -s ${id}.txt`],
      })),
    },
    workers: Object.fromEntries(ids.map((id) => [id, { files: { [`${id}.txt`]: `${id}\n` }, one_by_one: true }])),
  }
}

/**
 * @param {{plugin: string, parallel: number, atOnce: number, latencyMs: number}} options
 * @returns {Promise<{wall_ms: number, refused: number}>} from the first Worker's request to the last verdict on a task
 */
export async function limitRun({ plugin, parallel, atOnce, latencyMs }) {
  const faults = { retry_after_s: 1 }
  const project = await createProject({ scenario: independent(), plugin, latencyMs, atOnce, faults, snapshot: false })
  try {
    const serve = await project.startServe()
    const root = await serve.createSession({ title: "limit" })
    const turn = serve.command(root.id, "task", `--parallel ${parallel} Write the parts.`)
    const late = new Promise((_, reject) => setTimeout(reject, runLimitMs, new Error("the mission took too long")).unref())
    await Promise.race([turn, late])
    const phase = (await project.mission())?.phase
    if (phase !== "sealed") throw new Error(`the mission ended as ${phase}`)
    const { requests } = project.model
    const begin = requests.find((r) => r.role === "worker")?.at ?? NaN
    const end = requests.findLast((r) => r.role === "reviewer")?.ended_at ?? NaN
    return { wall_ms: end - begin, refused: requests.filter((r) => r.fault === "rate-limit").length }
  } finally {
    await project.stop()
  }
}

export const limitTasks = tasks
