// Two Workers that want one file, in whatever order they come to it: what the host has written for one of them is never
// written over by the other. CLAIM_RUNS (20) of them, CLAIM_SEED the first seed.

import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import test, { after } from "node:test"
import { ended, improvise, small, Stage, toolResults } from "../e2e/support/story.mjs"

/** @typedef {import("../e2e/support/story.mjs").Answer} Answer */

const runs = Number(process.env.CLAIM_RUNS ?? 20)
const first = Number(process.env.CLAIM_SEED ?? 1)
const stage = new Stage()
after(() => stage.stop())

const file = "shared.txt"
const seeded = "from the start\n"

/** A number from 0 to 1 for each seed and place. @param {number} seed @param {number} n */
const noise = (seed, n) => ((Math.imul(seed * 97 + n + 1, 2654435761) >>> 0) % 1000) / 1000

/**
 * Reads the file, writes it with a line more, and begins again where that was refused.
 * @param {import("../../js/rehearsal/conversation.mjs").Turn} turn @param {string} path @param {(n: number) => number} wait
 * @returns {Answer | undefined}
 */
function adds(turn, path, wait) {
  const pause = (/** @type {number} */ s) => ({ calls: [{ name: "bash", args: { command: `sleep ${s.toFixed(3)}`, description: "Wait" } }] })
  const last = turn.calls.at(-1)
  const tries = turn.calls.filter((c) => c.name === "write" && c.args?.filePath === path)
  const written = tries.some((c) => /success/i.test(c.result ?? ""))
  if (written || tries.length > 60) return undefined
  if (!last) return pause(wait(0))
  if (last.name === "read") {
    const content = `${readFileSync(path, "utf8")}by ${turn.task}\n`
    return { calls: [{ name: "write", args: { filePath: path, content } }] }
  }
  if (last.name === "write") return pause(0.1 + wait(tries.length) / 2)
  return { calls: [{ name: "read", args: { filePath: path } }] }
}

test(`${runs} missions in which two Workers want one file`, async (t) => {
  let lost = 0
  let refused = 0
  for (let seed = first; seed < first + runs; seed++) {
    await t.test(`seed ${seed}`, async (one) => {
      const scenario = { ...small(["T1", "T2"]), seed: { [file]: seeded } }
      const { project, client } = await stage.story(one, { scenario })
      const path = join(project.dir, file)
      improvise(project, (turn) =>
        turn.role === "worker" ? adds(turn, path, (n) => noise(seed, n * 2 + (turn.task === "T1" ? 0 : 1)) * 0.4) : undefined,
      )
      const session = await client.createSession()
      await client.command(session.id, "task", scenario.objective)
      await ended(project, "sealed")
      const lines = readFileSync(path, "utf8").split("\n").filter(Boolean).sort()
      refused += toolResults(project, "write").filter((text) => text.includes("Write refused")).length
      const whole = ["by T1", "by T2", seeded.trim()]
      if (lines.join() !== whole.join()) lost += 1
      assert.deepEqual(lines, whole)
    })
  }
  console.log(`${runs} runs: ${refused} writes refused, ${lost} lost`)
  assert.equal(lost, 0)
  assert.ok(refused > 0, "no write was refused: the Workers did not meet")
})
