// SIGKILL, a hundred times over (KILLS), spread over whole missions: what is finished is never done again, and the end is
// the same as without a kill. KILL_SEED chooses the points.

import assert from "node:assert/strict"
import { test } from "node:test"
import { course, expectTheSame } from "../e2e/support/kill.mjs"

/** @typedef {import("../e2e/support/kill.mjs").Point} Point */
/** @typedef {import("../e2e/support/kill.mjs").Course} Course */

const kills = Number(process.env.KILLS ?? 100)
const seed = Number(process.env.KILL_SEED ?? 1)

/** A small generator of numbers in [0, 1), the same for the same seed. @param {number} state */
function random(state) {
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32
    return state / 2 ** 32
  }
}

/** Points without end; a process makes from none to four requests before it dies. @param {() => number} next @returns {Generator<Point>} */
function* points(next) {
  const whens = /** @type {const} */ (["asked", "answered", "logged"])
  for (;;) {
    const when = whens[Math.floor(next() * whens.length)] ?? "asked"
    yield { nth: 1 + Math.floor(next() * 5), when }
  }
}

/** @param {Generator<Point>} from @param {number} count */
function* limited(from, count) {
  while (count-- > 0) yield /** @type {Point} */ (from.next().value)
}

test(`${kills} kills in run and serve, at points spread over the whole course (seed ${seed})`, async () => {
  const next = random(seed)
  const courses = [
    { scenario: "library", mode: /** @type {const} */ ("serve") },
    { scenario: "chain-6", mode: /** @type {const} */ ("run") },
    { scenario: "chain-6", mode: /** @type {const} */ ("serve") },
    { scenario: "library", mode: /** @type {const} */ ("run") },
  ]
  /** @type {Map<string, Course>} */
  const alone = new Map()
  for (const { scenario } of courses.slice(0, 2)) alone.set(scenario, await course({ scenario, mode: "serve", points: [] }))
  const head = ["mission", "mode", "kills", "resumed", "repeated", "requests more per kill", "seconds"]
  const row = (/** @type {(string | number)[]} */ cells) =>
    console.log(cells.map((cell, i) => String(cell).padEnd(head[i]?.length ?? 0)).join("  "))
  row(head)
  let total = 0
  let resumed = 0
  for (let i = 0; total < kills; i++) {
    const { scenario, mode } = /** @type {typeof courses[number]} */ (courses[i % courses.length])
    const killed = await course({ scenario, mode, points: limited(points(next), kills - total) })
    const quiet = /** @type {Course} */ (alone.get(scenario))
    expectTheSame(killed, quiet)
    total += killed.kills
    resumed += killed.resumed
    const superfluous = killed.kills ? (killed.requests - quiet.requests) / killed.kills : 0
    row([scenario, mode, killed.kills, killed.resumed, killed.repeated, superfluous.toFixed(2), (killed.ms / 1000).toFixed(0)])
  }
  console.log(`${total} kills, ${resumed} resumed`)
  assert.equal(resumed, total, "each killed mission was taken up again")
})
