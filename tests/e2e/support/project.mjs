// What every end-to-end test starts from: a project of its own with the plugin of this checkout, gone when the
// test is over. A test that fails prints the state of its project: the mission, the model's last requests, the log's end.

import { spawnSync } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { createProject } from "../../../js/rehearsal/host.mjs"

/** @typedef {import("../../../js/rehearsal/host.mjs").Project} Project */

/** The checkout, which is a loadable plugin once it is built. */
export const kCheckout = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))

/**
 * What each test's OpenCode is given. More than half of its start in a directory would be the catalogue of all models, of
 * which none is used (docs/design/racing.md).
 */
export const kHost = { plugin: kCheckout, env: { OPENCODE_MODELS_PATH: join(kCheckout, "js/rehearsal/no-models.json") } }

/**
 * @param {import("node:test").TestContext} t
 * @param {import("../../../js/rehearsal/host.mjs").ProjectOptions} options `plugin` is this checkout, if not given
 * @returns {Promise<Project>}
 */
export async function projectFor(t, options) {
  const project = await createProject({ ...kHost, ...options })
  t.after(async () => {
    if (/** @type {any} */ (t).passed === false) console.error(await stateOf(project))
    await project.stop({ keep: Boolean(process.env.REHEARSAL_KEEP) })
  })
  return project
}

/**
 * Looks at the mission's snapshot until the predicate takes it.
 * @param {Project} project @param {(mission: any) => boolean} predicate @param {{timeoutMs?: number}} [options]
 * @returns {Promise<any>} that snapshot
 */
export async function missionWhere(project, predicate, { timeoutMs = 60_000 } = {}) {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const mission = await project.mission()
    if (mission && predicate(mission)) return mission
    if (performance.now() > deadline)
      throw new Error(`the mission did not get there in ${timeoutMs} ms: ${describe(project, mission)}`)
    await new Promise((wake) => setTimeout(wake, 25))
  }
}

/** @param {Project} project */
async function stateOf(project) {
  const requests = project.model.requests.slice(-15).map((r) => {
    const end = r.ended_at === null ? "not answered" : r.aborted ? "aborted" : `${Math.round(r.ended_at - r.at)} ms`
    return `  ${new Date(r.at).toISOString()} ${r.session} ${r.role} ${r.task ?? ""}: ${r.fault ?? r.answer} (${end})`
  })
  const dir = join(project.dir, ".opencode/orchestrator")
  const logs = existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith(".wal")) : []
  const replays = logs.map((name) => replayed(join(dir, name)))
  return [describe(project, await project.mission()), ...requests, ...replays].join("\n")
}

/** @param {string} wal */
function replayed(wal) {
  const { stdout, stderr } = spawnSync(process.execPath, [join(kCheckout, "js/cli/main.mjs"), "replay", wal], { encoding: "utf8" })
  return `${wal}\n${stderr}${stdout.split("\n").slice(-60).join("\n")}`
}

/** @param {Project} project @param {any} mission */
function describe(project, mission) {
  const tasks = (mission?.tasks ?? []).map((/** @type {any} */ t) => `${t.id} ${t.status}`).join(", ")
  const asked = project.model.requests.slice(-6).map((r) => `${r.role} ${r.task ?? ""}: ${r.fault ?? r.answer}`)
  return `phase ${mission?.phase ?? "none"} (${mission?.reason ?? ""}), tasks ${tasks || "none"}; model: ${asked.join(" | ") || "not asked"}`
}
