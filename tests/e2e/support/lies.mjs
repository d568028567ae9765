// Real missions whose models lie: Workers that claim what they have not done, Reviewers that pass what they have not
// seen. The seed chooses the lies. However the mission goes, it may only seal on the truth.

import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { ended, improvise, small, storedResults } from "./story.mjs"

/** @typedef {import("./story.mjs").Project} Project */
/** @typedef {import("./story.mjs").Answer} Answer */

/** Green at its begin is green at its end, whatever happens meanwhile: what it read has long changed then. @param {string} id */
const verifyOf = (id) => `grep -qx good ${id}.txt || { echo "not ok ${id}"; exit 1; }; sleep 0.2`
/** @param {string} command */
const bash = (command) => ({ name: "bash", args: { command, description: "Run it" } })
/** @param {string} task @param {any[]} [evidence] */
const pass = (task, evidence = []) => ({ calls: [{ name: "submit_review", args: { task, verdict: "pass", findings: [], evidence } }] })

/** Each gives the answers of a Reviewer that ends with an undeserved pass. @type {Record<string, (task: string, project: Project) => (Answer | (() => Answer))[]>} */
const reviewerLies = {
  "passes without a run": (task) => [pass(task)],
  "claims a run": (task) => [pass(task, [{ command: verifyOf(task), exit_code: 0 }])],
  "passes a red run": (task) => [{ calls: [bash(`echo bad > ${task}.txt`)] }, { calls: [bash(verifyOf(task))] }, pass(task)],
  "runs something like it": (task) => [{ calls: [bash(`${verifyOf(task)} && true`)] }, pass(task)],
  "breaks it through the shell after the run": (task) => [
    { calls: [bash(verifyOf(task))] },
    { calls: [bash(`echo bad > ${task}.txt`)] },
    pass(task),
  ],
  "it is broken during the run": (task) => [
    { calls: [bash(verifyOf(task)), bash(`sleep 0.1; echo bad > ${task}.txt`)] },
    pass(task),
  ],
  "the user breaks it after the run": (task, project) => [
    { calls: [bash(verifyOf(task))] },
    () => (writeFileSync(join(project.dir, `${task}.txt`), "bad\n"), pass(task)),
  ],
}

/** @type {Record<string, (task: string, project: Project) => Answer[]>} */
const workerLies = {
  "submits nothing": (task) => [{ calls: [{ name: "submit_work", args: { task, summary: "all done", files: [] } }] }],
  "submits what is broken, and claims that it is tested": (task, project) => [
    { calls: [{ name: "write", args: { filePath: join(project.dir, `${task}.txt`), content: "bad\n" } }] },
    {
      calls: [
        {
          name: "submit_work",
          args: { task, summary: "all done", files: [`${task}.txt`], evidence: [{ command: verifyOf(task), exit_code: 0 }] },
        },
      ],
    },
    { calls: [{ name: "submit_work", args: { task, summary: "all done", files: [`${task}.txt`] } }] },
  ],
  honest: () => [],
}

/** @param {number} seed */
function dice(seed) {
  let state = BigInt(seed) * 2654435761n + 12345n
  return (/** @type {number} */ below) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n)
    return Number((state >> 33n) % BigInt(below))
  }
}

/**
 * One mission of two tasks. Every lie of a Reviewer must be refused, and what is sealed must be true.
 * @param {import("node:test").TestContext} t @param {import("./story.mjs").Stage} stage @param {number} seed
 */
export async function lyingMission(t, stage, seed) {
  const pick = dice(seed)
  const ids = ["T1", "T2"]
  const scenario = small(ids, { verify: ids.map(verifyOf) })
  for (const task of scenario.plan.tasks) task.verify = [verifyOf(task.id)]
  scenario.workers = Object.fromEntries(ids.map((id) => [id, { files: { [`${id}.txt`]: "good\n" } }]))
  const { project, client } = await stage.story(t, { scenario })
  /** @type {Map<string, (Answer | (() => Answer))[]>} */
  const scripts = new Map()
  /** @type {string[]} */
  const told = []
  for (const id of ids) {
    const lies = Object.keys(workerLies)
    const lie = /** @type {string} */ (lies[pick(lies.length)])
    scripts.set(`worker ${id}`, workerLies[lie]?.(id, project) ?? [])
    const names = Object.keys(reviewerLies)
    // Each mission has each Reviewer tell two lies, the seed says which.
    const chosen = [names[(seed * 2 + ids.indexOf(id)) % names.length], names[pick(names.length)]]
    scripts.set(`reviewer ${id}`, chosen.flatMap((name) => reviewerLies[/** @type {string} */ (name)]?.(id, project) ?? []))
    told.push(`${id}: Worker ${lie}; Reviewer ${chosen.join(", ")}`)
  }
  scripts.set("master mission", [pass("mission"), pass("mission", [{ command: verifyOf("T1"), exit_code: 0 }])])
  const passes = new Set(["submit_review"])
  let lies = 0
  improvise(project, (turn) => {
    if (turn.role === "title") return undefined
    const next = scripts.get(`${turn.role} ${turn.role === "master" ? "mission" : turn.task}`)?.shift()
    const answer = typeof next === "function" ? next() : next
    if (answer && turn.role !== "worker") lies += (answer.calls ?? []).filter((call) => passes.has(call.name)).length
    return answer
  })
  const session = await client.createSession()
  await client.command(session.id, "task", scenario.objective)
  const state = await ended(project, "sealed")
  const reviews = [
    ...(await storedResults(client, state, "submit_review", "reviewer")),
    ...(await storedResults(client, state, "submit_review", "master-reviewer")),
  ]
  const refused = reviews.filter((text) => /not accepted/.test(text))
  const story = `seed ${seed}\n${told.join("\n")}\n${reviews.join("\n")}`
  assert.ok(lies > 0 && refused.length >= lies, `${refused.length} of ${lies} lies were refused; ${story}`)
  assert.equal(reviews.filter((text) => /passed\./.test(text)).length, ids.length + 1, story)
  for (const id of ids) {
    const { status } = spawnSync("sh", ["-c", verifyOf(id)], { cwd: project.dir })
    assert.equal(status, 0, `a false seal: ${id}.txt; ${story}`)
  }
  for (const task of state.tasks) {
    assert.deepEqual(task.review.proofs.map((/** @type {any} */ p) => p.command), [verifyOf(task.id)])
    assert.match(task.review.proofs[0].receipt, /^[0-9a-f]{64}$/)
  }
  return { lies, refused: refused.length }
}
