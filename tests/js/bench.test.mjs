import assert from "node:assert/strict"
import { test } from "node:test"
import { costOf } from "../../js/bench/hook-cost.mjs"
import { readOptions } from "../../js/bench/main.mjs"
import { marksOf, submits } from "../../js/bench/marks.mjs"
import { sizeOf } from "../../js/bench/request-bytes.mjs"
import { oracleAgents } from "../../js/bench/runs.mjs"
import { spread, written } from "../../js/bench/stats.mjs"
import { conclusion, table } from "../../js/bench/table.mjs"

/** @type {any[]} */
let record = []
/** @param {string} role @param {string|null} task @param {string} answer @param {number} at @param {number} ended_at */
const said = (role, task, answer, at, ended_at) => record.push({ role, task, answer, at, ended_at, session: `${role}${task}` })

/** Two tasks, one after the other. @param {(tool: string) => string} tool the mission's, or the oracle's substitute */
function run(tool) {
  record = []
  said("planner", null, tool("submit_plan"), 0, 100)
  said("worker", "T1", "write(a.mjs)", 150, 200)
  said("worker", "T1", tool("submit_work"), 210, 300)
  said("reviewer", "T1", "bash(true)", 360, 400)
  said("worker", "T1", "text: T1: Built", 390, 450)
  said("reviewer", "T1", tool("submit_review"), 410, 500)
  said("worker", "T2", tool("submit_work"), 580, 600)
  said("reviewer", "T2", tool("submit_review"), 640, 700)
  said("master", "mission", tool("submit_review"), 790, 900)
  said("master", "mission", "text: mission: pass", 905, 990)
  return marksOf(record, { summary: "", verify: [], tasks: [task("T1"), { ...task("T2"), deps: ["T1"] }] })
}
const task = (/** @type {string} */ id) => ({ id, title: id, description: id })

test("wall and hand-overs are read from the record", () => {
  const marks = run((tool) => `${tool}(x)`)
  assert.equal(marks.wall_ms, 800)
  assert.deepEqual(marks.hand_overs, [
    { kind: "review", task: "T1", ms: 60 },
    { kind: "review", task: "T2", ms: 40 },
    { kind: "next task", task: "T2", ms: 80 },
    { kind: "master", task: "mission", ms: 90 },
  ])
  assert.equal(marks.answers, 8, "the Planner's and what comes after the verdict are not counted")
})

test("the oracle's substitute is read like the mission's own tools", () => {
  assert.deepEqual(run(() => "todowrite()"), run((tool) => `${tool}(x)`))
  assert.equal(submits(/** @type {any} */ ({ answer: "write(submit_work.md)" })), false)
})

test("a record without the verdict is an error that says what is missing", () => {
  assert.throws(() => marksOf([], { summary: "", verify: [], tasks: [] }), /no submission of planner/)
})

test("the oracle's agents have the plugin's tools and instructions, and a submission of their own", () => {
  const { worker, "master-reviewer": master } = /** @type {any} */ (oracleAgents())
  assert.deepEqual(Object.keys(worker.permission).sort(), ["*", "bash", "edit", "glob", "grep", "read", "todowrite"])
  assert.equal(worker.permission["*"], "deny")
  assert.match(worker.prompt, /submit_work/)
  assert.match(master.prompt, /rehearsal-role: master$/)
})

test("spreads", () => {
  assert.deepEqual(spread([3, 1, 2]), { n: 3, median: 2, min: 1, max: 3, p95: 2.9 })
  assert.equal(written(spread([1000, 2000]), "s"), "1.50 s (1.00 s … 2.00 s)")
  assert.equal(written(spread([12_345]), "kB"), "12.3 kB")
  assert.equal(written(spread([]), "ms"), "- ms")
})

test("the cost of events is listed by type, most frequent first", () => {
  const event = (/** @type {string} */ type) => ({ type, properties: {} })
  const cost = costOf([1, 2, 9].map((us, i) => ({ us, event: event(i < 2 ? "a" : "b") })))
  assert.equal(cost.all.median, 2)
  assert.deepEqual(Object.keys(cost.types), ["a", "b"])
})

test("the user's words are not part of a request's own size", () => {
  const body = { messages: [{ role: "system", content: "s" }, { role: "user", content: 'é"' }] }
  const request = /** @type {any} */ ({ bytes: 100, system_bytes: 1, tools_bytes: 0, body })
  assert.equal(sizeOf(request).own, 100 - 4)
})

test("an unmet target is in the table and in the last line", () => {
  const row = { group: "G", figure: "1", beside: "b", target: "< 1" }
  const rows = [{ ...row, name: "good", met: true }, { ...row, name: "bad", met: false }, { ...row, name: "free", met: null }]
  assert.match(table(rows), /bad +1 +< 1 +NOT met +b/)
  assert.equal(conclusion(rows), "1 of 2 targets are NOT met: bad.")
  assert.equal(conclusion(rows.slice(0, 1)), "All 1 targets are met.")
})

test("options", () => {
  const { fleet, ...others } = readOptions(["--only", "bytes,hooks", "--quick"])
  assert.deepEqual(others, { only: ["bytes", "hooks"], repeat: 1, longRepeat: 1, quick: true, json: false })
  assert.equal(fleet.length, 6)
  assert.deepEqual(readOptions(["--shape", "chain-10", "--snapshots", "off"]).fleet, [{ scenario: "chain-10", snapshot: false }])
  assert.throws(() => readOptions(["--shape", "ring"]), /there is no shape "ring"; there are: independent-50/)
  assert.throws(() => readOptions(["--snapshots", "yes"]), /there is no setting of the snapshots "yes"; there are: off, on/)
  assert.deepEqual([readOptions([]).repeat, readOptions([]).longRepeat, readOptions(["--repeat", "4"]).longRepeat], [5, 3, 4])
  assert.throws(() => readOptions(["--only", "speed"]), /there is no row "speed"; there are: wall, handover/)
  assert.throws(() => readOptions(["--repeat", "0"]), /--repeat must be a number/)
})
