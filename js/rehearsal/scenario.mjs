// What a scenario file may say, where scenarios are found, and what is wrong with a bad one.

import { readdir, readFile } from "node:fs/promises"
import { dirname, isAbsolute, join, resolve } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

/** @typedef {import("./goals.mjs").Goal} Goal */
/** @typedef {{file?: string, line?: number, severity: "error"|"warning"|"note", message: string}} Finding */
/**
 * @typedef {object} Work  what a worker does before it submits
 * @property {Record<string, string>} [files]    written with `write`, path in the project -> content
 * @property {{path: string, old: string, new: string}[]} [edits]  made with `edit`, after the files
 * @property {Goal[]} [calls]                    any other tool calls, after the edits; tried once each
 * @property {string[]} [commands]               run with `bash`, last
 * @property {string} [summary]
 * @property {string[]} [claims]                 `files` of submit_work, if not those it wrote
 * @property {any[]} [follow_ups]
 * @property {boolean} [one_by_one]              one tool call an answer
 * @property {boolean} [forgets_to_submit]       ends its first turn with text instead of submit_work
 * @property {Work|Work[]} [rework]              the first, second… rework; the last entry repeats
 * @property {Record<string, Work>} [strategies] of a raced task: what the Worker with each strategy does instead
 */
/**
 * @typedef {object} Review
 * @property {"pass"|"reject"} verdict
 * @property {Finding[]} [findings]
 * @property {"always"|"failing"} [when]  of a rejection: "failing" = only if a verify command fails
 * @property {boolean} [skip_verify]      submits first without having run anything
 * @property {boolean} [insists]          passes although a verify command fails
 * @property {string[]} [commands]        run besides the verify commands
 */
/**
 * @typedef {object} Plan
 * @property {string} summary
 * @property {string[]} verify
 * @property {string} [verify_reason]
 * @property {{id: string, title: string, description: string, agent?: string, files?: string[],
 *   deps?: string[], accept?: string[], verify?: string[], race?: string[]}[]} tasks
 * @property {string[]} [decisions]
 */
/**
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} title
 * @property {string} objective
 * @property {{phase: string, files?: string[]}} expect  how the mission ends; files that must be there then,
 *   by default all that the workers' first scripts and the fixes write
 * @property {Plan} plan
 * @property {Record<string, Work>} [workers]     by task id
 * @property {Record<string, Review[]>} [reviews] by task id: the first, second… review; then it passes
 * @property {Review[]} [master]
 * @property {(Work & {match: string, verify?: string[], reviews?: Review[]})[]} [fixes]
 *   tasks that the engine makes (from findings): `match` is a part of their title or prompt
 * @property {{early_stops?: number, says?: string, calls?: Goal[], plans_itself?: boolean,
 *   mission_run?: any, mission_run_again?: any, max_runs?: number, final?: string,
 *   reactions?: {match: string, calls: Goal[], ends?: boolean}[]}} [commander]
 *   a reaction: the calls made, once, when a report of mission_run matches; then mission_run again, unless it `ends`
 * @property {{explore?: Goal[]}} [planner]
 * @property {string[]} [goes_on]  roles that hand in the same again and again after it was taken
 * @property {any} [bad_plan]  one plan, or several, that are sent before the good one
 * @property {{match: string, text: string, calls?: Goal[]}[]} [chat]
 * @property {import("./faults.mjs").FaultOptions} [faults]
 * @property {Record<string, string>} [seed]      files that the project has before the mission
 * @property {string} [flags]                     flags of `/task`, before the objective
 * @property {string} [test]                      run in the built project; exit 0 = the work is good
 */

const kDirectory = join(dirname(fileURLToPath(import.meta.url)), "scenarios")

/** @returns {Promise<string[]>} names of the scenarios that ship with the program */
export async function scenarioNames() {
  const files = await readdir(kDirectory)
  return files
    .filter((f) => /\.(json|mjs)$/.test(f))
    .map((f) => f.replace(/\.\w+$/, ""))
    .sort()
}

/**
 * @param {string|Scenario} which a shipped name, the path of a .json or .mjs file, or a scenario itself
 * @returns {Promise<Scenario>}
 */
export async function loadScenario(which) {
  if (typeof which !== "string") return checked(which, which.name)
  if (/\.(json|mjs)$/.test(which)) {
    const path = isAbsolute(which) ? which : resolve(which)
    return checked(await readScenario(path), path)
  }
  const names = await scenarioNames()
  if (!names.includes(which)) {
    throw new ScenarioError(`no scenario "${which}"; there are: ${names.join(", ")}`)
  }
  const found = (await readdir(kDirectory)).find((f) => f.replace(/\.\w+$/, "") === which) ?? ""
  return checked(await readScenario(join(kDirectory, found)), which)
}

export class ScenarioError extends Error {}

/** @param {string} path @returns {Promise<any>} */
async function readScenario(path) {
  try {
    if (path.endsWith(".mjs")) return (await import(pathToFileURL(path).href)).default
    return JSON.parse(await readFile(path, "utf8"))
  } catch (error) {
    throw new ScenarioError(`scenario ${path}: ${/** @type {Error} */ (error).message}`)
  }
}

/** @param {any} scenario @param {string} where @returns {Scenario} */
function checked(scenario, where) {
  /** @type {string[]} */
  const wrong = []
  for (const key of ["name", "title", "objective"]) {
    if (typeof scenario?.[key] !== "string" || !scenario[key]) wrong.push(`"${key}" must be a text`)
  }
  if (!scenario?.plan || !Array.isArray(scenario.plan.tasks)) wrong.push('"plan.tasks" must be a list')
  if (!scenario?.expect?.phase) wrong.push('"expect.phase" must name a phase')
  const ids = new Set((scenario?.plan?.tasks ?? []).map((/** @type {any} */ t) => t.id))
  for (const part of ["workers", "reviews"]) {
    for (const id of Object.keys(scenario?.[part] ?? {})) {
      if (!ids.has(id)) wrong.push(`"${part}.${id}": the plan has no task ${id}`)
    }
  }
  if (wrong.length) throw new ScenarioError(`scenario ${where}: ${wrong.join("; ")}`)
  return scenario
}
