// Three of ten answers are faulty, of every kind that a provider or a model knows: every mission seals. FAULT_MISSIONS (40)
// of them, FAULT_SEED the first seed.

import assert from "node:assert/strict"
import test, { after } from "node:test"
import { ended, small, Stage } from "../e2e/support/story.mjs"

const missions = Number(process.env.FAULT_MISSIONS ?? 40)
const first = Number(process.env.FAULT_SEED ?? 1)
const stage = new Stage()
after(() => stage.stop())

/** @type {import("../../js/rehearsal/faults.mjs").FaultKind[]} */
const kinds = ["rate-limit", "error-500", "error-503", "cut", "empty", "malformed", "stall"]

test(`${missions} missions with 30 % of faulty answers`, async (t) => {
  const rows = []
  let sealed = 0
  for (let seed = first; seed < first + missions; seed++) {
    const begin = performance.now()
    await t.test(`seed ${seed}`, async (one) => {
      const { project, client } = await stage.story(one, {
        scenario: small(["T1", "T2", "T3"]),
        faults: { p: 0.3, kinds, seed, retry_after_s: 1 },
        orchestrator: { timeouts: { stall_s: 5 } },
      })
      const session = await client.createSession()
      client.command(session.id, "task", "Write them").catch(() => {})
      const mission = await ended(project, "sealed", 600_000)
      sealed += 1
      const faults = project.model.requests.filter((r) => r.fault).length
      const { retries, slowdowns, trips, errors } = mission.metrics
      const attempts = mission.tasks.reduce((/** @type {number} */ n, /** @type {any} */ task) => n + task.attempt, 0)
      const cells = [seed, project.model.requests.length, faults, retries, slowdowns, trips, errors, mission.sessions.length, attempts]
      rows.push([...cells, ((performance.now() - begin) / 1000).toFixed(0)])
    })
  }
  const head = ["seed", "requests", "faulty", "retries", "slowdowns", "rests", "errors", "sessions", "attempts", "seconds"]
  for (const row of [head, ...rows]) console.log(row.map((cell, i) => String(cell).padStart(head[i]?.length ?? 0)).join("  "))
  console.log(`${sealed} of ${missions} sealed`)
  assert.equal(sealed, missions)
})
