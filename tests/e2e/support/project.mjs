// What every end-to-end test starts from: a project of its own with the plugin of this checkout, gone when the
// test is over, and its state in the message when something is waited for in vain.

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
  t.after(() => project.stop({ keep: Boolean(process.env.REHEARSAL_KEEP) }))
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

/** @param {Project} project @param {any} mission */
function describe(project, mission) {
  const tasks = (mission?.tasks ?? []).map((/** @type {any} */ t) => `${t.id} ${t.status}`).join(", ")
  const asked = project.model.requests.slice(-6).map((r) => `${r.role} ${r.task ?? ""}: ${r.fault ?? r.answer}`)
  return `phase ${mission?.phase ?? "none"} (${mission?.reason ?? ""}), tasks ${tasks || "none"}; model: ${asked.join(" | ") || "not asked"}`
}
