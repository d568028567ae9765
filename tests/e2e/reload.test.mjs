// Another program makes OpenCode throw the directory's instance away in the middle of a mission: it goes on by itself,
// in the same sessions, and every role keeps its instructions.

import assert from "node:assert/strict"
import { after, test } from "node:test"
import { missionWhere } from "./support/project.mjs"
import { asked, atGate, ended, gate, longTest, openGate, ourFiles, small, Stage, systemText, userTexts } from "./support/story.mjs"

const stage = new Stage()
after(() => stage.stop())

const held = (/** @type {string} */ id, /** @type {string} */ name) => ({
  calls: [{ tool: "bash", args: { command: gate(name), description: "Wait" }, tries: 1 }],
  files: { [`${id}.txt`]: id },
})

/** What begins each role's instructions. */
const instructions = {
  commander: /You are the Commander/,
  worker: /submit_work/,
  reviewer: /Judge one submitted task/,
  master: /verify the whole, end to end/,
}

/** @param {import("./support/story.mjs").Request[]} requests */
function expectInstructions(requests) {
  for (const request of requests) {
    const words = instructions[/** @type {keyof typeof instructions} */ (request.role)]
    if (words) assert.match(systemText(request), words, `${request.role} ${request.task ?? ""}`)
  }
}

/** @typedef {import("../../js/rehearsal/client.mjs").HostClient} HostClient */

/**
 * The host answers before it has begun, and does not always come to an end: a part of it that is still starting holds it
 * up, and its word of it (`server.instance.disposed`) then never comes.
 * @param {HostClient} client
 */
const dispose = (client) => client.call("POST", "/instance/dispose", undefined, { timeoutMs: 30_000 })

/**
 * A request that meets the reload is lost, and may cost another reload (docs/design/recovery.md): a person tries again after a
 * moment. @param {HostClient} client @param {string} session
 */
async function answered(client, session) {
  for (let tries = 20; ; tries--) {
    const failed = await client.command(session, "mission").then(() => undefined, (error) => error)
    if (!failed) return
    if (tries === 0) throw failed
    await new Promise((wake) => setTimeout(wake, 3_000))
  }
}

/** @type {Record<string, (client: HostClient) => Promise<any>>} */
const reloads = {
  "POST /instance/dispose": dispose,
  "PATCH /config": (client) => client.call("PATCH", "/config", { username: "user" }, { timeoutMs: 30_000 }),
}

for (const [name, reload] of Object.entries(reloads)) {
  const tell = name.startsWith("POST") ? test : longTest
  tell(`${name} in the middle: the mission seals without a message or request`, async (t) => {
    const scenario = small(["T1", "T2", "T3"], {
      workers: { T1: held("T1", "g"), T2: { files: { "T2.txt": "2" } }, T3: { files: { "T3.txt": "3" } } },
    })
    scenario.plan.tasks[2].deps = ["T1"]
    const { project, client } = await stage.story(t, { scenario })
    const session = await client.createSession()
    const command = client.command(session.id, "task", "Write them").catch((error) => error)
    await atGate(project, "g")
    const running = await missionWhere(project, (m) => m.tasks[1].status === "done" && m.tasks[0].session)
    const before = asked(project).length
    await reload(client)
    await command // its turn is over: the host aborts every session of the directory
    // From here on the test sends no request to the server: the mission itself brings the instance back.
    const mission = await ended(project, "sealed")
    const woken = await project.model.waitFor((r) => r.role === "commander", { from: before })
    assert.deepEqual([mission.mission, woken.session], [running.mission, session.id])
    const later = asked(project).slice(before)
    expectInstructions(later)
    for (const role of Object.keys(instructions)) assert.ok(later.some((r) => r.role === role), `a request of ${role}`)
    assert.ok(later.every((r) => r.task !== "T2"), "what was done is not done again")
    const workers = new Set(later.filter((r) => r.role === "worker" && r.task === "T1").map((r) => r.session))
    assert.deepEqual([...workers], [running.tasks[0].session], "the Worker goes on in its session")
    assert.deepEqual(
      mission.tasks.map((/** @type {any} */ x) => [x.id, x.attempt]),
      [["T1", 1], ["T2", 1], ["T3", 1]],
    )
    const report = asked(project).find((r) => r.index === woken.index)
    assert.match(userTexts(/** @type {any} */ (report)).at(-1) ?? "", /is sealed/)
    assert.ok((await project.test()).ok)
  })
}

longTest("three reloads one after the other; and then the mission can be stopped, and another one started", async (t) => {
  const { project, client } = await stage.story(t, {
    scenario: small(["T1"], { workers: { T1: held("T1", "g") } }),
  })
  const session = await client.createSession()
  client.command(session.id, "task", "Write it").catch(() => {})
  await atGate(project, "g")
  const running = await missionWhere(project, (m) => m.tasks[0].session)
  for (let i = 0; i < 3; i++) {
    const before = asked(project).length
    await dispose(client)
    await project.model.waitFor((r) => r.role === "worker", { from: before, started: true })
  }
  const mission = await missionWhere(project, (m) => m.phase === "executing" || m.phase === "sealed")
  assert.equal(mission.mission, running.mission)
  expectInstructions(asked(project))
  const other = await client.createSession()
  if (mission.phase === "executing") await client.command(other.id, "stop")
  await missionWhere(project, (m) => ["cancelled", "sealed"].includes(m.phase))
  openGate(project, "g")
  await client.command(other.id, "task", "Write it again")
  const next = await ended(project, "sealed")
  assert.notEqual(next.mission, running.mission)
  assert.equal(next.root_session, other.id)
})

longTest("a reload brings nothing back where no mission runs, and leaves a paused one alone", async (t) => {
  const { project, client } = await stage.story(t, { scenario: small(["T1"], { workers: { T1: held("T1", "g") } }) })
  const session = await client.createSession()
  await dispose(client)
  await answered(client, session.id)
  assert.deepEqual(Object.keys(ourFiles(project)), [])
  client.command(session.id, "task", "Write it").catch(() => {})
  await atGate(project, "g")
  const other = await client.createSession()
  await client.command(other.id, "stop", "--pause")
  const before = asked(project).length
  await dispose(client)
  await answered(client, other.id)
  assert.equal((await project.mission()).phase, "paused")
  const later = asked(project).slice(before)
  assert.deepEqual(later.filter((r) => r.session !== other.id && !r.last).map((r) => r.answer), [])
  openGate(project, "g")
  await client.command(other.id, "resume")
  assert.equal((await ended(project, "sealed")).root_session, other.id)
})
