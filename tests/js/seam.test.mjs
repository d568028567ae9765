// The stories of tests/e2e on the fake host: the plugin and the real engine, without OpenCode.

import assert from "node:assert/strict"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { call, ended, missionIn, planner, reviewer, say, stage, task, until, worker } from "./support/seam_story.mjs"

/** A Worker that waits at a gate before it works. @param {string} gate @param {string} [of] the task; default: all */
const heldAt = (gate, of) =>
  /** @type {import("./support/fake_host.mjs").Model} */
  (
    function* (turn) {
      if (of === undefined || turn.task === of) yield call("bash", { command: `gate ${gate}` })
      yield* /** @type {Generator<any, void, string>} */ (worker(turn))
    }
  )

/** @param {import("./support/fake_host.mjs").FakeHost} host @param {string} role */
const requestsOf = (host, role) => host.requests.filter((r) => r.role === role)

test("a mission: planned, built, rejected, reworked, passed, reviewed as a whole, sealed", async (t) => {
  const tasks = [task("T1"), task("T2", { deps: ["T1"] })]
  const models = { reviewer: reviewer({ T1: ["T1.txt has no second line"] }) }
  const { host, directory, session } = stage(t, { tasks, models })
  const { ok } = await host.command(session, "task", "Write them")
  assert.ok(ok)
  const mission = await ended(directory, "sealed")
  assert.deepEqual([mission.root_session, mission.objective], [session, "Write them"])
  assert.ok(existsSync(join(directory, "T1.txt")) && existsSync(join(directory, "T2.txt")))
  const made = host.asked.filter((a) => a.operation === "createSession").map((a) => `${a.role} ${a.task}`.trim())
  assert.equal(made[0], "planner")
  assert.equal(made.at(-1), "master-reviewer")
  const reworks = host.asked.filter((a) => a.operation === "promptSession" && /has no second line/.test(a.text))
  assert.equal(reworks.length, 1, "the finding reaches the Worker")
  assert.equal(requestsOf(host, "worker").find((r) => r.prompt === reworks[0]?.text)?.task, "T1")
  assert.ok(requestsOf(host, "worker").every((r) => /submit_work/.test(r.system)), "each role has its instructions")
  assert.match(host.notices.at(-1)?.text ?? "", /sealed/)
})

test("a reviewer's claim without a command of its own is refused, and the mission does not seal on it", async (t) => {
  let refusal = ""
  /** @type {import("./support/fake_host.mjs").Model} */
  const liar = function* ({ task: id }) {
    const args = { task: id, verdict: "pass", findings: [], evidence: [{ command: `test -s ${id}.txt`, exit_code: 0 }] }
    refusal = yield call("submit_review", args)
    yield call("bash", { command: `test -s ${id}.txt` })
    yield call("submit_review", args)
    yield say("Judged.")
  }
  const { host, directory, session } = stage(t, { models: { reviewer: liar } })
  await host.command(session, "task", "Write it")
  await ended(directory, "sealed")
  assert.match(refusal, /Error: .*no receipt of `test -s T1\.txt`/s)
})

test("a file that another task claims is not written", async (t) => {
  let refusal = ""
  /** @type {import("./support/fake_host.mjs").Model} */
  const stranger = function* (turn) {
    if (turn.task === "T1") {
      yield call("bash", { command: "gate both" })
      refusal = yield call("write", { path: "T2.txt", content: "mine\n" })
    } else {
      turn.host.gate("both").open()
      yield call("bash", { command: "gate written" })
    }
    yield* /** @type {Generator<any, void, string>} */ (worker(turn))
  }
  const { host, directory, session } = stage(t, { tasks: [task("T1"), task("T2")], models: { worker: stranger } })
  const whole = host.command(session, "task", "Write them")
  await until(() => refusal, "the refusal")
  assert.match(refusal, /^Error: .*T2/s)
  host.gate("written").open()
  await whole
  await ended(directory, "sealed")
})

test("/stop aborts what runs, and nothing begins after it", async (t) => {
  const { host, directory, session } = stage(t, { tasks: [task("T1"), task("T2")], models: { worker: heldAt("a") } })
  const whole = host.command(session, "task", "--parallel 1 Write them")
  await host.gate("a").at
  const [stuck] = [...host.sessions.values()].filter((s) => s.role === "worker")
  const other = host.openSession()
  const { ok, text } = await host.command(other, "stop")
  assert.ok(ok, text)
  const mission = await ended(directory, "cancelled")
  assert.match(mission.reason, /user/)
  await whole
  assert.ok(host.asked.some((a) => a.operation === "stopSession" && a.session === stuck?.id))
  assert.equal(requestsOf(host, "worker").length, 1)
  assert.ok(!existsSync(join(directory, "T1.txt")))
})

test("Esc pauses the mission; /resume goes on and seals it", async (t) => {
  const { host, directory, session } = stage(t, { models: { worker: heldAt("a") } })
  const whole = host.command(session, "task", "Write it")
  await host.gate("a").at
  await host.escape(session)
  await ended(directory, "paused")
  await whole
  host.gate("a").open()
  const { ok } = await host.command(session, "resume")
  assert.ok(ok)
  const mission = await ended(directory, "sealed")
  assert.equal(mission.root_session, session)
})

test("a permission request is shown, and a person's answer lets the Worker go on", async (t) => {
  const asks = (/** @type {string} */ command) => command === "gate open"
  const { host, directory, session } = stage(t, { models: { worker: heldAt("open") }, asks })
  const whole = host.command(session, "task", "Write it")
  const [id, asked] = await until(() => [...host.permissions][0], "a permission request")
  const shown = await until(() => missionIn(directory)?.permissions[0], "the request in the mission's file")
  assert.deepEqual([shown.session, shown.what], [asked.session, "gate open"])
  host.gate("open").open()
  host.answerPermission(id, true)
  await whole
  const mission = await ended(directory, "sealed")
  assert.deepEqual(mission.permissions, [])
})

test("a permission request that no person answers is rejected with words, and the Worker goes on", async (t) => {
  let result = ""
  /** @type {import("./support/fake_host.mjs").Model} */
  const asking = function* (turn) {
    result = yield call("bash", { command: "gate never" })
    yield* /** @type {Generator<any, void, string>} */ (worker(turn))
  }
  const asks = (/** @type {string} */ command) => command === "gate never"
  const options = { orchestrator: { timeouts: { permission_s: 1 } } }
  const { host, directory, session } = stage(t, { models: { worker: asking }, asks, ...options })
  await host.command(session, "task", "Write it")
  await ended(directory, "sealed")
  assert.match(result, /within 1 s/)
  assert.equal(host.asked.filter((a) => a.operation === "rejectPermission").length, 1)
})

test("a refused /task says why and asks no model", async (t) => {
  const { host, directory, session } = stage(t)
  const { ok, text } = await host.command(session, "task", "--paralel 3 Write it")
  assert.equal(ok, false)
  assert.match(text, /was not started.*--paralel/s)
  assert.deepEqual([host.requests, missionIn(directory)], [[], null])
  // The session is as good as before.
  assert.ok((await host.command(session, "task", "Write it")).ok)
  await ended(directory, "sealed")
})

test("a second /task is refused with what to do, and the first goes on", async (t) => {
  const { host, directory, session } = stage(t, { models: { worker: heldAt("a") } })
  const whole = host.command(session, "task", "Write it")
  await host.gate("a").at
  const { ok, text } = await host.command(host.openSession(), "task", "Something else")
  assert.equal(ok, false)
  assert.match(text, new RegExp(`in session ${session}.*/stop`, "s"))
  host.gate("a").open()
  await whole
  assert.equal((await ended(directory, "sealed")).objective, "Write it")
})

test("a budget that is spent pauses the mission before a request goes over it; /resume grants it once more", async (t) => {
  const answerTokens = 6_000
  const { host, directory, session } = stage(t, { answerTokens })
  await host.command(session, "task", "--budget 60ktok Write it")
  const mission = await ended(directory, "paused")
  assert.match(mission.reason, /budget is spent/)
  await host.idle()
  const spent = host.requests.length * answerTokens
  await until(() => missionIn(directory).budget.tokens === spent, `${spent} tokens in the mission's file`)
  assert.ok(spent > 0 && spent <= 60_000, `${spent}`)
  // Granted once more, and again where that does not do.
  for (let i = 0; i < 5 && missionIn(directory).phase === "paused"; i++) await host.command(session, "resume")
  await ended(directory, "sealed")
})

test("a Commander that goes on asking after its budget is spent is refused, and its turn ends", async (t) => {
  const answerTokens = 6_000
  /** @type {import("./support/fake_host.mjs").Model} */
  const endless = function* () {
    for (;;) yield call("mission_run")
  }
  const { host, directory, session } = stage(t, { answerTokens, models: { commander: endless } })
  await host.command(session, "task", "--budget 60ktok Write it")
  await ended(directory, "paused")
  const refused = host.refused.filter(({ role }) => role === "commander")
  assert.match(refused[0]?.text ?? "", /budget/i)
  assert.ok(host.requests.length * answerTokens <= 60_000, `${host.requests.length} requests`)
})

test("a reload in the middle: the mission goes on in the same sessions, and seals without a person", async (t) => {
  const tasks = [task("T1"), task("T2")]
  const { host, directory, session } = stage(t, { tasks, models: { worker: heldAt("a", "T1") } })
  const whole = host.command(session, "task", "Write them")
  await host.gate("a").at
  const running = await until(() => {
    const mission = missionIn(directory)
    return mission?.tasks[1].status === "done" ? mission : undefined
  }, "T2 is done")
  const before = host.requests.length
  host.gate("a").open()
  await host.reload()
  await whole
  const mission = await ended(directory, "sealed")
  assert.equal(mission.mission, running.mission)
  const later = host.requests.slice(before)
  assert.ok(later.every((r) => r.task !== "T2"), "what was done is not done again")
  const workers = new Set(later.filter((r) => r.role === "worker").map((r) => r.session))
  assert.deepEqual([...workers], [running.tasks[0].session], "the Worker goes on in its session")
  await until(() => host.requests.slice(before).some((r) => r.role === "commander"), "the Commander is woken")
})

test("a process that ends when it is idle: a Commander that stops early is kept going until the seal", async (t) => {
  let stops = 0
  /** @type {import("./support/fake_host.mjs").Model} */
  const hasty = function* () {
    if (stops++ === 0) return void (yield say("I shall begin shortly."))
    yield call("mission_run")
    yield say("That is all.")
  }
  const { host, directory, session } = stage(t, { mode: "run", models: { commander: hasty } })
  await host.command(session, "task", "Write it")
  // The command's turn is over only now: it never went idle before.
  assert.equal(missionIn(directory)?.phase, "sealed")
  assert.ok(stops >= 2)
})

test("a person who writes is heard at once, the Workers go on", async (t) => {
  /** @type {string[]} */
  const reports = []
  /** @type {import("./support/fake_host.mjs").Model} */
  const listening = function* () {
    for (let i = 0; i < 5; i++) {
      reports.push(yield call("mission_run"))
      if (/is sealed/.test(reports.at(-1) ?? "")) break
    }
    yield say("That is all.")
  }
  const { host, directory, session } = stage(t, { models: { worker: heldAt("a"), commander: listening } })
  const whole = host.command(session, "task", "Write it")
  await host.gate("a").at
  const said = host.say(session, "Please use tabs.")
  await until(() => reports.length > 0, "a report")
  assert.match(reports[0] ?? "", /The user wrote:\nPlease use tabs\./)
  host.gate("a").open()
  await Promise.all([whole, said])
  await ended(directory, "sealed")
})

test("Workers in worktrees of their own: an instance for each, merged into the project, closed in the end", async (t) => {
  const { host, directory, session } = stage(t, { tasks: [task("T1"), task("T2")], git: true, models: { worker: heldAt("a", "T1") } })
  const whole = host.command(session, "task", "--isolation worktree Write them")
  await host.gate("a").at
  const workers = () => [...host.sessions.values()].filter((s) => s.role === "worker")
  await until(() => workers().length === 2, "two Workers")
  const placed = workers().map((s) => s.directory)
  assert.equal(new Set(placed).size, 2)
  for (const place of placed) assert.match(place, /\.opencode\/orchestrator\/worktrees\//)
  host.gate("a").open()
  await whole
  await ended(directory, "sealed")
  assert.ok(existsSync(join(directory, "T1.txt")) && existsSync(join(directory, "T2.txt")))
  await until(() => host.instances.size === 1, "only the project's instance is left")
  const closed = host.asked.filter((a) => a.operation === "closeDirectory").map((a) => a.directory)
  assert.deepEqual(closed.filter((place) => placed.includes(place)).sort(), placed.sort())
})

test("a race: worktrees are opened while the Planner thinks, the first that is accepted wins, the other is stopped", async (t) => {
  const raced = [task("T1", { race: ["a", "b"] })]
  let workers = 0
  /** @type {import("./support/fake_host.mjs").Model} */
  const racer = function* (turn) {
    if (workers++ === 0) yield call("bash", { command: "gate slow" })
    yield* /** @type {Generator<any, void, string>} */ (worker(turn))
  }
  /** @type {import("./support/fake_host.mjs").Model} */
  const thinking = function* (turn) {
    yield call("bash", { command: "gate plan" })
    yield* /** @type {Generator<any, void, string>} */ (planner(raced)(turn))
  }
  const { host, directory, session } = stage(t, { tasks: raced, git: true, models: { worker: racer, planner: thinking } })
  const whole = host.command(session, "extreme-mission", "Write it")
  await host.gate("plan").at
  const opened = await until(() => host.asked.find((a) => a.operation === "openDirectory")?.directory, "a worktree is opened")
  host.gate("plan").open()
  const stopped = await until(() => host.asked.find((a) => a.operation === "stopSession"), "the slow one is stopped")
  assert.equal(host.sessions.get(stopped.session)?.mark?.task, "T1.1")
  host.gate("slow").open()
  await whole
  await ended(directory, "sealed")
  assert.equal(readFileSync(join(directory, "T1.txt"), "utf8"), "T1.2\n")
  await until(() => host.instances.size === 1, "only the project's instance is left")
  assert.ok(host.asked.some((a) => a.operation === "closeDirectory" && a.directory === opened))
})
