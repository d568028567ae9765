// Missions of a given shape: each task writes one file and is proved by one quick command.

/** @typedef {import("../rehearsal/scenario.mjs").Scenario} Scenario */

/**
 * Tasks in levels; each depends on up to three of the level before.
 * @param {string} name @param {number[]} widths
 * @returns {Scenario}
 */
function levels(name, widths) {
  /** @type {{id: string, deps: string[]}[]} */
  const tasks = []
  /** @type {string[]} */
  let above = []
  for (const width of widths) {
    const level = Array.from({ length: width }, (_, i) => `T${tasks.length + i + 1}`)
    for (const [i, id] of level.entries()) {
      const deps = [...new Set([0, 1, 2].map((k) => above[(i + k) % above.length]))].filter((dep) => dep !== undefined)
      tasks.push({ id, deps })
    }
    above = level
  }
  const file = (/** @type {string} */ id) => `src/${id}.mjs`
  return {
    name,
    title: name,
    objective: `Write ${tasks.length} modules.`,
    expect: { phase: "sealed" },
    seed: {},
    planner: { explore: [] },
    plan: {
      summary: `${tasks.length} parts.`,
      verify: [`node --check ${file("T1")}`],
      tasks: tasks.map(({ id, deps }) => ({
        id,
        title: `Part ${id}`,
        description: `Export the constant ${id}.`,
        files: [file(id)],
        deps,
        verify: [`node --check ${file(id)}`],
      })),
    },
    workers: Object.fromEntries(tasks.map(({ id }) => [id, { files: { [file(id)]: `export const ${id} = 1;\n` } }])),
  }
}

/**
 * One task whose Worker writes file after file, an answer each; raced, it has two rivals that take four times as long.
 * @param {boolean} raced @param {number} fastAnswers  before the fast one submits
 * @returns {Scenario}
 */
export function race(raced, fastAnswers) {
  const scenario = levels(raced ? "race of 3" : "the fast one alone", [1])
  const [task] = scenario.plan.tasks
  const work = (/** @type {string} */ name, /** @type {number} */ answers) => ({
    one_by_one: true,
    files: Object.fromEntries(
      Array.from({ length: answers }, (_, i) => [`src/T1${i ? `.${i}` : ""}.mjs`, `export const T1 = ${JSON.stringify(name)};\n`]),
    ),
  })
  const fast = work("fast", fastAnswers)
  const slow = (/** @type {string} */ name) => work(name, 4 * fastAnswers)
  if (!raced) return { ...scenario, workers: { T1: fast } }
  const strategies = { slow: slow("slow"), fast, slower: slow("slower") }
  const plan = { ...scenario.plan, tasks: [{ ...task, files: ["src/**"], race: Object.keys(strategies) }] }
  return { ...scenario, plan: /** @type {any} */ (plan), workers: { T1: { strategies } } }
}

export const shapes = {
  "independent-50": levels("independent-50", [50]),
  "diamond-40": levels("diamond-40", [1, 4, 9, 12, 9, 4, 1]),
  "chain-10": levels("chain-10", Array.from({ length: 10 }, () => 1)),
}
