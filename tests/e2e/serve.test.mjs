// Stories over HTTP in one `opencode serve`: commands, users who write, stop and resume, Commanders that stop early.

import assert from "node:assert/strict"
import test, { after } from "node:test"
import { missionWhere, projectFor } from "./support/project.mjs"
import {
  asked,
  atGate,
  ended,
  gate,
  openGate,
  ourFiles,
  small,
  Stage,
  systemText,
  there,
  todo,
  toolResults,
  until,
  userTexts,
} from "./support/story.mjs"

/** @typedef {import("./support/story.mjs").Project} Project */

const stage = new Stage()
after(() => stage.stop())

/** Text and error of what a message answered. @param {any} message */
const answerOf = (message) => ({
  text: (message.parts ?? [])
    .filter((/** @type {any} */ p) => p.type === "text")
    .map((/** @type {any} */ p) => p.text)
    .join("\n"),
  error: message.info?.error?.data?.message ?? "",
})

/** A Worker that waits at a gate before it submits. @param {string} id @param {string} name */
const held = (id, name) => ({
  calls: [{ tool: "bash", args: { command: gate(name), description: "Wait" }, tries: 1 }],
  files: { [`${id}.txt`]: `${id}\n` },
})

/** @param {Project} project */
const childPrompts = (project) => asked(project, (r) => r.parent !== null).length

test("a mission over HTTP: the command's answer is the Commander's last word", async (t) => {
  const { project, client } = await stage.story(t, { scenario: "rejected-task" })
  const session = await client.createSession()
  const answer = await client.command(session.id, "task", project.scenario.objective)
  assert.match(answerOf(answer).text, /The mission has ended\. Mission \S+ is sealed: 2\/2/)
  const mission = await ended(project, "sealed")
  assert.equal(mission.root_session, session.id)
  assert.ok((await project.test()).ok)
  const children = await client.children(session.id)
  assert.deepEqual(children.map((c) => c.id).sort(), mission.sessions.map((/** @type {any} */ s) => s.id).sort())
  // The tool part of `mission_run` shows where the mission is, and keeps the report.
  const parts = (await client.messages(session.id)).flatMap((m) => m.parts)
  const run = parts.find((p) => p.type === "tool" && p.tool === "mission_run")
  assert.equal(run.state.status, "completed")
  assert.match(run.state.output, /sealed/)
})

test("an objective arrives as it was written, whatever is in it, and nothing of it is run", async (t) => {
  const { project, client } = await stage.story(t, { scenario: small(["T1"]) })
  const objective = [
    "Say \"hello\" and 'bye' in `code`, for $5 or ${HOME} or $1 $ARGUMENTS",
    "!`touch pwned-1` and run !`touch pwned-2`!",
    "",
    '\tZwölf Boxkämpfer – 日本語 🚀 \\n \\" $(touch pwned-3) @README.md',
    "a last line -- with --dashes and 100%",
  ].join("\n")
  const session = await client.createSession()
  await client.command(session.id, "task", `--parallel 3 --budget=2Mtok ${objective} --time 2h`)
  const mission = await ended(project, "sealed")
  assert.equal(mission.objective, objective)
  const [first] = asked(project, (r) => r.role === "commander")
  assert.deepEqual(userTexts(first), [objective])
  for (const file of ["pwned-1", "pwned-2", "pwned-3"]) assert.ok(!there(project, file), `${file} was made`)
  assert.deepEqual([mission.budget.tokens_max, mission.budget.time_max_ms], [2_000_000, 7_200_000])
  assert.equal(todo(project).split("\n", 1)[0], `# ${objective.split("\n", 1)[0]}`)
})

test("what cannot start says why, all at once, where the user sees it, and nothing on disk changes", async (t) => {
  const { project, client } = await stage.story(t, { scenario: small(["T1"]) })
  const before = ourFiles(project)
  const events = await client.events()
  t.after(() => events.close())
  const refused = async (/** @type {string} */ args) => {
    const session = await client.createSession()
    const outcome = await client
      .command(session.id, "task", args)
      .then(answerOf, (error) => ({ error: JSON.stringify(error.body), text: "" }))
    const told = await events.waitFor((e) => e.type === "session.error" && e.properties.sessionID === session.id)
    return told.properties.error.data.message + outcome.error
  }
  for (const empty of ["", "   ", "\n\t", "--parallel 2"]) assert.match(await refused(empty), /objective is empty/)
  const many = await refused("--parallel 0 --budget 5 build it --time soon --isolation=cellar")
  for (const part of [
    /--parallel 0: .*1 to 50/,
    /--budget 5: .*5usd/,
    /--time soon: .*2h/,
    /--isolation cellar: .*shared/,
  ])
    assert.match(many, part)
  assert.match(await refused("--parallel many build it"), /--parallel many/)
  assert.match(await refused("--budget -3usd build it"), /--budget -3usd/)
  assert.deepEqual(ourFiles(project), before)
  assert.equal(asked(project).length, 0, "a refusal costs no answer of the model")
  // The host would try again for a minute where an error's words look like a provider's trouble.
  assert.match(await refused("--isolation rate-limit-503-unavailable build it"), /write shared or worktree/)
  // The session is none the worse for it.
  const session = await client.createSession()
  await client.command(session.id, "task", "")
  await client.command(session.id, "task", "Write the file.")
  assert.equal((await ended(project, "sealed")).objective, "Write the file.")
  // Also where a mission was before.
  const answered = asked(project).length
  assert.match(answerOf(await client.command(session.id, "task", "--parallel 99 x")).error, /--parallel 99/)
  assert.match(answerOf(await client.command(session.id, "stop")).error, /no mission is active/)
  assert.match(answerOf(await client.command(session.id, "resume")).error, /no mission waits/)
  assert.equal(asked(project).length, answered)
})

test("one mission at a time: a second /task is refused with what to do, and the first goes on", async (t) => {
  const { project, client } = await stage.story(t, {
    scenario: small(["T1", "T2"], { workers: { T1: held("T1", "g"), T2: { files: { "T2.txt": "2" } } } }),
  })
  const session = await client.createSession()
  const whole = client.command(session.id, "task", "The first objective")
  await atGate(project, "g")
  const running = await missionWhere(project, (m) => m.phase === "executing")

  const other = await client.createSession()
  const { error } = answerOf(await client.command(other.id, "task", "The second objective"))
  for (const part of [running.mission, session.id, "/stop", "/resume", "The first objective"])
    assert.ok(error.includes(part), `${part} in: ${error}`)
  // In the mission's own session the refusal waits until its Commander may read it.
  const same = client.command(session.id, "task", "The third objective")
  await until(
    async () => (await client.messages(session.id)).filter((m) => m.info.role === "user").length === 2,
    "the refused command is in the session",
  )
  const parts = (await client.messages(session.id)).filter((m) => m.info.role === "user")[1].parts
  assert.match(parts.map((/** @type {any} */ p) => p.text).join(), /one mission at a time/)

  openGate(project, "g")
  await Promise.all([whole, same])
  const mission = await ended(project, "sealed")
  assert.deepEqual([mission.mission, mission.objective], [running.mission, "The first objective"])
  assert.equal(Object.keys(ourFiles(project)).filter((f) => f.endsWith(".wal")).length, 1)
})

test("the user writes while the mission runs: the Commander hears it at once, the Workers go on", async (t) => {
  const { project, client } = await stage.story(t, { scenario: small(["T1"], { workers: { T1: held("T1", "g") } }) })
  const session = await client.createSession()
  const whole = client.command(session.id, "task", "Write it")
  await atGate(project, "g")
  const worker = asked(project, (r) => r.role === "worker")[0].session
  const before = asked(project).length
  await client.promptAsync(session.id, "Please use tabs, not spaces.", { agent: "commander" })
  const heard = await project.model.waitFor((r) => r.role === "commander", { from: before })
  const [report] = toolResults(project, "mission_run")
  assert.match(report, /The user wrote:\nPlease use tabs, not spaces\./)
  assert.match(report, /mission_run/)
  // The Commander has called mission_run again while the Worker never lost its command.
  assert.equal(heard.answer, "mission_run()")
  assert.ok(!there(project, "g.open"))
  assert.equal((await client.status())[worker]?.type, "busy")
  openGate(project, "g")
  await whole
  const mission = await ended(project, "sealed")
  assert.equal(mission.tasks[0].session, worker)
  assert.equal(toolResults(project, "mission_run").length, 2)
})

test("/stop: running sessions are aborted, and nothing is prompted after it", async (t) => {
  const { project, client } = await stage.story(t, {
    scenario: small(["T1", "T2", "T3"], {
      workers: { T1: held("T1", "a"), T2: held("T2", "b"), T3: { files: { "T3.txt": "3" } } },
    }),
  })
  const session = await client.createSession()
  const whole = client.command(session.id, "task", "--parallel 2 Write them")
  await Promise.all([atGate(project, "a"), atGate(project, "b")])
  const before = childPrompts(project)
  const other = await client.createSession()
  const stopped = await client.command(other.id, "stop")
  assert.ok(stopped)
  const mission = await ended(project, "cancelled")
  assert.match(mission.reason, /user/)
  await whole
  await until(async () => Object.keys(await client.status()).length === 0, "every session is idle")
  assert.equal(childPrompts(project), before)
  assert.ok(!there(project, "T3.txt"))
  assert.deepEqual(toolResults(project, "submit_work"), [])
  assert.match(toolResults(project, "mission_run")[0], /is cancelled[\s\S]*stopped by the user/)
  assert.doesNotMatch(todo(project), /\[x\]/)
  // It does not hold the directory.
  openGate(project, "a")
  openGate(project, "b")
  await client.command(session.id, "task", "Write them again")
  const next = await ended(project, "sealed")
  assert.notEqual(next.mission, mission.mission)
})

test("/stop --pause, then /resume from another session: it is adopted, and sealed there", async (t) => {
  const { project, client } = await stage.story(t, {
    scenario: small(["T1", "T2"], { workers: { T1: held("T1", "a"), T2: { files: { "T2.txt": "2" } } } }),
  })
  const session = await client.createSession()
  const whole = client.command(session.id, "task", "Write them")
  await atGate(project, "a")
  await missionWhere(project, (m) => m.tasks[1].status === "done")
  await client.command(session.id, "stop", "--pause")
  const paused = await ended(project, "paused")
  assert.match(paused.reason, /paused by the user/)
  await whole
  const status = answerOf(await client.command((await client.createSession()).id, "mission"))
  const shown = asked(project, (r) => userTexts(r).some((text) => /state/.test(text) && text.includes(paused.mission)))
  assert.ok(shown.length || status.text.includes(paused.mission) || status.error.includes(paused.mission))

  openGate(project, "a")
  const other = await client.createSession()
  await client.command(other.id, "resume")
  const mission = await ended(project, "sealed")
  assert.deepEqual([mission.mission, mission.root_session], [paused.mission, other.id])
  const t2 = asked(project, (r) => r.role === "worker" && r.task === "T2" && r.answer.startsWith("submit_work"))
  assert.equal(t2.length, 1, "what was done is not done again")
})

test("Esc pauses the mission; /resume goes on", async (t) => {
  const { project, client } = await stage.story(t, { scenario: small(["T1"], { workers: { T1: held("T1", "a") } }) })
  const session = await client.createSession()
  const whole = client.command(session.id, "task", "Write it")
  await atGate(project, "a")
  await client.abort(session.id)
  await ended(project, "paused")
  await whole.catch(() => {})
  await until(async () => Object.keys(await client.status()).length === 0, "every session is idle")
  const asleep = asked(project).length
  openGate(project, "a")
  await client.command(session.id, "resume")
  const mission = await ended(project, "sealed")
  assert.equal(mission.root_session, session.id)
  assert.ok(asked(project).length > asleep)
})

test("a Commander that stops early, in serve: continued by a prompt, once for each idle, as commander", async (t) => {
  const { project, client } = await stage.story(t, { scenario: small(["T1"], { commander: { early_stops: 1 } }) })
  const session = await client.createSession()
  await client.command(session.id, "task", "Write it")
  await ended(project, "sealed")
  await project.model.waitFor((r) => r.role === "commander" && /has ended/.test(r.answer))
  const users = (await client.messages(session.id)).filter((m) => m.info.role === "user")
  assert.equal(users.length, 2, "the objective and one continuation")
  assert.deepEqual(
    users.map((m) => m.info.agent),
    ["commander", "commander"],
  )
})

test("a Commander that never calls mission_run: planning starts after two early ends, and the mission seals", async (t) => {
  const { project, client } = await stage.story(t, { scenario: small(["T1"], { commander: { early_stops: 99 } }) })
  const session = await client.createSession()
  await client.command(session.id, "task", "Write it")
  const mission = await ended(project, "sealed")
  assert.equal(mission.objective, "Write it")
  await until(async () => Object.keys(await client.status()).length === 0, "the Commander is idle")
  // Three continuations without progress at most: here come a plan, a submission, a verdict and the seal. And each waits
  // for the answer to the one before.
  const messages = await client.messages(session.id)
  assert.ok(messages.length <= 2 * (1 + 3 * 5), `${messages.length} messages`)
  messages.forEach((m, i) => assert.equal(m.info.role, i % 2 ? "assistant" : "user", `message ${i}`))
  const plan = asked(project, (r) => r.role === "planner")[0]
  assert.equal(userTexts(plan)[0].split("\n", 1)[0], "Plan: Write it")
})

test("--background: mission_run returns at once, and the Commander is woken at the end", async (t) => {
  const { project, client } = await stage.story(t, {
    scenario: small(["T1"], {
      workers: { T1: held("T1", "a") },
      commander: { plans_itself: true, reactions: [{ match: "background", calls: [], ends: true }] },
    }),
  })
  const session = await client.createSession()
  await client.command(session.id, "task", "Write it --background")
  assert.match(toolResults(project, "mission_run")[0] ?? "", /runs in the background/)
  await atGate(project, "a")
  assert.equal((await client.status())[session.id], undefined, "the Commander is free")
  const before = asked(project).length
  openGate(project, "a")
  await ended(project, "sealed")
  const woken = await project.model.waitFor((r) => r.role === "commander", { from: before })
  const request = asked(project).find((r) => r.index === woken.index)
  assert.match(userTexts(/** @type {any} */ (request)).at(-1) ?? "", /Mission \S+ is sealed/)
  assert.match(systemText(/** @type {any} */ (request)), /You are the Commander/)
})

test("two /task at the same moment: one mission starts, the other is refused", async (t) => {
  const { project, client } = await stage.story(t, { scenario: small(["T1"]) })
  const sessions = [await client.createSession(), await client.createSession()]
  const answers = await Promise.all(sessions.map((s) => client.command(s.id, "task", `From ${s.id}`).then(answerOf)))
  const mission = await ended(project, "sealed")
  const winner = sessions.findIndex((s) => s.id === mission.root_session)
  assert.equal(mission.objective, `From ${sessions[winner].id}`)
  assert.equal(answers[winner].error, "")
  assert.match(answers[1 - winner].error, new RegExp(`in session ${sessions[winner].id}`))
})

test("a spent budget pauses the mission; /resume grants it once more", async (t) => {
  const { project, client } = await stage.story(t, { scenario: small(["T1"]) })
  const session = await client.createSession()
  await client.command(session.id, "task", "--budget 54ktok Write it")
  const paused = await ended(project, "paused")
  assert.match(paused.reason, /budget is spent/)
  assert.ok(paused.budget.tokens <= 54_000, `${paused.budget.tokens} tokens`)
  assert.match(toolResults(project, "mission_run").at(-1) ?? "", /is paused[\s\S]*\/resume/)
  for (let i = 0; i < 20 && (await project.mission()).phase === "paused"; i++) {
    await client.command(session.id, "resume")
    await missionWhere(project, (m) => ["paused", "sealed"].includes(m.phase))
  }
  await ended(project, "sealed")
})

test("the server is killed in the middle: the next one resumes by itself, and wakes the Commander at the end", async (t) => {
  const scenario = small(["T1", "T2"], { workers: { T1: held("T1", "g"), T2: { files: { "T2.txt": "2" } } } })
  const project = await projectFor(t, { scenario, keepBodies: true, snapshot: false })
  const first = await project.startServe()
  const session = await first.createSession()
  first.command(session.id, "task", "Write them").catch(() => {})
  await atGate(project, "g")
  const running = await missionWhere(project, (m) => m.tasks[1].status === "done" && m.tasks[0].session)
  first.process.kill("SIGKILL")
  await first.process.ended
  openGate(project, "g")
  const before = asked(project).length
  await project.startServe()
  const mission = await ended(project, "sealed")
  const woken = await project.model.waitFor((r) => r.role === "commander", { from: before })
  assert.deepEqual([mission.mission, woken.session], [running.mission, session.id])
  const after = asked(project).slice(before)
  assert.ok(
    after.every((r) => r.task !== "T2"),
    "what was done is not done again",
  )
  assert.ok(after.filter((r) => r.role === "worker").every((r) => r.session === running.tasks[0].session))
})

test("two projects in one server never mix", async (t) => {
  const one = await stage.story(t, { scenario: small(["T1"], { workers: { T1: held("T1", "a") } }) })
  const two = await stage.story(t, { scenario: small(["T1"], { workers: { T1: held("T1", "b") } }) })
  const a = await one.client.createSession()
  const b = await two.client.createSession()
  const first = one.client.command(a.id, "task", "In the first project")
  await atGate(one.project, "a")
  const second = two.client.command(b.id, "task", "In the second project")
  await atGate(two.project, "b")
  openGate(one.project, "a")
  await first
  const sealed = await ended(one.project, "sealed")
  const other = await missionWhere(two.project, () => true)
  assert.deepEqual([other.phase, other.objective, other.root_session], ["executing", "In the second project", b.id])
  openGate(two.project, "b")
  await second
  const last = await ended(two.project, "sealed")
  assert.notEqual(last.mission, sealed.mission)
  assert.equal(
    new Set([...sealed.sessions, ...last.sessions].map((s) => s.id)).size,
    sealed.sessions.length + last.sessions.length,
  )
})

test("a configuration with an unknown key is refused with the nearest one, and no mission starts", async (t) => {
  const { project, client } = await stage.story(t, {
    scenario: small(["T1"]),
    orchestrator: { paralel: { max: 3 }, limits: { attempts: "two" } },
  })
  const session = await client.createSession()
  const { error } = answerOf(await client.command(session.id, "task", "Write it"))
  assert.match(error, /orchestrator\.json/)
  assert.match(error, /paralel.*parallel/)
  assert.match(error, /limits\.attempts.*"two"/)
  assert.ok(!there(project, ".opencode/mission_loop.json"))
})
