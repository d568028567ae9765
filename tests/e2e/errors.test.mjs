// The error table (docs/design/concurrency.md) in the real OpenCode: what a provider or a model does wrong, and that the mission
// goes on as it should. OpenCode's own first retry takes 2 s.

import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { join } from "node:path"
import test, { after } from "node:test"
import { missionWhere } from "./support/project.mjs"
import { asked, ended, improvise, longTest, small, Stage, toolNames, toolResults, userTexts } from "./support/story.mjs"

const stage = new Stage()
after(() => stage.stop())

/** @typedef {import("../../js/rehearsal/faults.mjs").FaultKind} FaultKind */

/** @param {number[]} nths @param {FaultKind} kind */
const worker = (nths, kind) => ({ exactly: nths.map((nth) => ({ role: "worker", task: "T1", nth, kind })) })
/** @param {any} mission */
const workers = (mission) => mission.sessions.filter((/** @type {any} */ s) => s.role === "worker")

/**
 * @param {import("node:test").TestContext} t
 * @param {Omit<import("./support/story.mjs").ProjectOptions, "plugin" | "scenario"> & {scenario?: any, args?: string}} options
 */
async function sealed(t, { args = "", scenario = small(["T1"]), ...options }) {
  const { project, client } = await stage.story(t, { scenario, ...options })
  const session = await client.createSession()
  await client.command(session.id, "task", `${args} Write it`)
  return { project, client, session, mission: await ended(project, "sealed") }
}

test("429: the host waits and tries again, dispatch shrinks, nothing is repeated", async (t) => {
  const { mission } = await sealed(t, { faults: { ...worker([1], "rate-limit"), retry_after_s: 1 } })
  assert.equal(mission.metrics.retries, 1)
  assert.equal(mission.metrics.slowdowns, 1)
  assert.equal(mission.metrics.errors, 0)
  assert.equal(workers(mission).length, 1)
  const [load] = mission.limiter.models.filter((/** @type {any} */ m) => m.model === "rehearsal/scripted")
  assert.equal(load.breaker, "closed")
})

for (const kind of /** @type {FaultKind[]} */ (["error-500", "cut"])) {
  test(`${kind}: the host tries again; no limit is halved for it`, async (t) => {
    const { mission } = await sealed(t, { faults: worker([2], kind) })
    assert.ok(mission.metrics.retries >= 1, JSON.stringify(mission.metrics))
    assert.equal(mission.metrics.slowdowns, 0)
    assert.equal(mission.tasks[0].attempt, 1)
  })
}

test("an empty answer is asked for again in the same session, and costs no attempt", async (t) => {
  const { project, mission } = await sealed(t, { faults: worker([1, 2], "empty") })
  assert.equal(mission.tasks[0].attempt, 1)
  assert.equal(workers(mission).length, 1)
  assert.equal(workers(mission)[0].outcome, "ok")
  const last = asked(project, (r) => r.role === "worker").at(-1)
  assert.match(userTexts(/** @type {any} */ (last)).join("\n"), /empty answer/)
})

longTest("a third empty answer: a fresh session, which is no attempt", async (t) => {
  const { mission } = await sealed(t, { faults: worker([1, 2, 3], "empty") })
  assert.deepEqual(
    workers(mission).map((/** @type {any} */ s) => s.outcome),
    ["empty", "ok"],
  )
  assert.equal(mission.tasks[0].attempt, 1)
})

test("the same unreadable call three times running: a word that helps", async (t) => {
  const { project, mission } = await sealed(t, { faults: worker([1, 2, 3], "malformed") })
  const texts = asked(project, (r) => r.role === "worker").flatMap(userTexts)
  assert.ok(texts.some((text) => /three times running/.test(text)), texts.join("\n---\n"))
  const results = toolResults(project, "invalid")
  assert.equal(results.length, 3)
  for (const result of results) assert.match(result, /arguments provided to the tool are invalid: .*JSON/)
  assert.ok(!asked(project).some((request) => toolNames(request).includes("invalid")))
  assert.equal(workers(mission).length, 1)
})

test("a stream that has stopped is aborted and goes on in the same session", async (t) => {
  const { mission } = await sealed(t, { faults: worker([1], "stall"), orchestrator: { timeouts: { stall_s: 3 } } })
  assert.equal(workers(mission).length, 1)
  assert.equal(mission.tasks[0].attempt, 1)
})

test("a model that fails for good: its work goes to the fallback", async (t) => {
  const { project, mission } = await sealed(t, {
    faults: { models: { other: "unauthorized" } },
    orchestrator: { models: { worker: "rehearsal/other" }, fallback: { "rehearsal/other": "rehearsal/scripted" } },
  })
  assert.ok(mission.metrics.fallbacks > 0)
  assert.equal(workers(mission).at(-1).model_use.told, "rehearsal/scripted")
  assert.ok(existsSync(join(project.dir, "T1.txt")))
})

test("a model whose calls can never be parsed: its fallback goes on in the same session", async (t) => {
  const { mission } = await sealed(t, {
    faults: { models: { other: "malformed" } },
    orchestrator: { models: { worker: "rehearsal/other" }, fallback: { "rehearsal/other": "rehearsal/scripted" } },
  })
  assert.deepEqual([workers(mission).length, mission.tasks[0].attempt, mission.metrics.fallbacks], [1, 1, 1])
  assert.equal(workers(mission)[0].model_use.told, "rehearsal/scripted")
})

test("a provider that refuses, without a fallback: blocked with its error; fixed, /resume goes on", async (t) => {
  const { project, client } = await stage.story(t, {
    scenario: small(["T1"]),
    faults: { models: { other: "unauthorized" } },
    orchestrator: { models: { worker: "rehearsal/other" } },
  })
  const session = await client.createSession()
  await client.command(session.id, "task", "Write it")
  const blocked = await ended(project, "blocked")
  assert.match(blocked.reason, /rehearsal\/other: .*Invalid API key/)
  project.model.faults.options.models = {}
  await client.command(session.id, "resume")
  await missionWhere(project, (m) => m.phase === "sealed")
})

test("a Worker that stops without submitting is asked once, then judged by what it has changed", async (t) => {
  const scenario = small(["T1"])
  const { project, client } = await stage.story(t, { scenario })
  improvise(project, (turn) => {
    if (turn.role !== "worker") return undefined
    const written = turn.messages.some((m) => m.role === "tool")
    if (written) return { text: "I think that was it." }
    return { calls: [{ name: "write", args: { filePath: join(project.dir, "T1.txt"), content: "T1\n" } }] }
  })
  const session = await client.createSession()
  await client.command(session.id, "task", "Write it")
  const mission = await ended(project, "sealed")
  assert.equal(workers(mission).length, 1)
  const asking = asked(project, (r) => r.role === "worker").flatMap(userTexts)
  assert.ok(asking.some((text) => /What is missing\?/.test(text)))
  const review = asked(project, (r) => r.role === "reviewer")[0]
  assert.match(userTexts(/** @type {any} */ (review)).join("\n"), /ended its turn twice without calling submit_work/)
})

test("/extreme-mission is a mission with its preset", async (t) => {
  const { project, client } = await stage.story(t, { scenario: small(["T1", "T2"]) })
  const session = await client.createSession()
  await client.command(session.id, "extreme-mission", "--parallel 40 Write them")
  const mission = await ended(project, "sealed")
  assert.deepEqual([mission.extreme, mission.parallel_max, mission.options.limits.depth], [true, 40, 3])
  assert.equal(mission.objective, "Write them")
})
