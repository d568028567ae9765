// Who may wake a mission after its process has died, who may not; sessions that are deleted; a second OpenCode beside.

import assert from "node:assert/strict"
import { missionWhere, projectFor } from "./support/project.mjs"
import { asked, atGate, ended, gate, longTest, openGate, ourFiles, said, small, until, userTexts } from "./support/story.mjs"

/** @typedef {import("./support/story.mjs").Project} Project */

const held = (/** @type {string} */ id, /** @type {string} */ name) => ({
  calls: [{ tool: "bash", args: { command: gate(name), description: "Wait" }, tries: 1 }],
  files: { [`${id}.txt`]: id },
})

/** One task, whose Worker waits at the gate. */
const one = () => small(["T1"], { workers: { T1: held("T1", "g") } })

/** A server whose mission's Worker waits at the gate. @param {import("node:test").TestContext} t */
async function working(t) {
  const project = await projectFor(t, { scenario: one(), keepBodies: true, snapshot: false })
  const server = await project.startServe()
  const session = await server.createSession()
  server.command(session.id, "task", "Write it").catch(() => {})
  await atGate(project, "g")
  const mission = await missionWhere(project, (m) => m.tasks[0].session)
  return { project, server, session, mission }
}

/** @param {Awaited<ReturnType<typeof working>>} story */
async function kill({ project, server }) {
  server.process.kill("SIGKILL")
  await server.process.ended
  openGate(project, "g")
}

longTest("a run of something else does not wake a mission; a server's first request does, whatever it is", async (t) => {
  const story = await working(t)
  const { project, mission } = story
  await kill(story)
  const files = ourFiles(project)
  const before = asked(project).length
  const other = await project.runOpencode({ args: ["run", "something else"] })
  assert.equal(other.code, 0, said(other))
  assert.deepEqual(
    asked(project).slice(before).map((r) => r.role),
    ["chat"],
  )
  const after = await project.mission()
  assert.deepEqual([after.phase, after.tasks], [mission.phase, JSON.parse(files["mission_loop.json"]).tasks])

  // `serve` itself loads no plugin: the instance of a directory is made by the first request for it.
  const server = await project.startServe()
  const sealed = await ended(project, "sealed")
  assert.equal(sealed.mission, mission.mission)
  assert.equal(sealed.tasks[0].session, mission.tasks[0].session)
  await until(async () => Object.keys(await server.status()).length === 0, "nothing runs any more")
})

longTest("its session deleted while it runs: it pauses, and /resume from another session goes on", async (t) => {
  const { project, server, session } = await working(t)
  await server.call("DELETE", `/session/${session.id}`)
  const paused = await missionWhere(project, (m) => m.phase === "paused")
  assert.match(paused.reason, /session was deleted[\s\S]*\/resume/)
  const other = await server.createSession()
  openGate(project, "g")
  await server.command(other.id, "resume")
  const sealed = await ended(project, "sealed")
  assert.deepEqual([sealed.mission, sealed.root_session], [paused.mission, other.id])
})

longTest("its session deleted while no process was there: the next one pauses and says so; /stop and /task work", async (t) => {
  const story = await working(t)
  const { project, session, mission } = story
  await kill(story)
  // No plugin hears that OpenCode deletes it, and its children with it.
  const bare = await project.startServe({ env: { OPENCODE_PURE: "1" } })
  await bare.call("DELETE", `/session/${session.id}`)
  await bare.stop()
  const before = asked(project).length
  const server = await project.startServe()
  const paused = await missionWhere(project, (m) => m.phase === "paused")
  assert.match(paused.reason, /session was deleted[\s\S]*\/resume/)
  assert.deepEqual([paused.mission, paused.tasks[0].attempt], [mission.mission, 1])
  assert.deepEqual(asked(project).slice(before), [])
  const other = await server.createSession()
  await server.command(other.id, "stop")
  await missionWhere(project, (m) => m.phase === "cancelled")
  await server.command(other.id, "task", "Write it again")
  const next = await ended(project, "sealed")
  assert.notEqual(next.mission, mission.mission)
})

longTest("a second OpenCode watches and says who holds the mission; when that one dies, /resume takes it over", async (t) => {
  const story = await working(t)
  const { project, mission } = story
  const second = await project.startServe()
  const session = await second.createSession()
  const before = asked(project).length
  await second.command(session.id, "mission")
  const status = asked(project, (r) => r.session === session.id).at(-1)
  const text = userTexts(/** @type {any} */ (status)).at(-1) ?? ""
  assert.match(text, new RegExp(mission.mission))
  assert.match(text, new RegExp(`process ${story.server.process.pid}\\b`))
  for (const command of ["stop", "resume", "task"]) {
    const answer = await second.command(session.id, command, command === "task" ? "Write more" : "").catch((error) => error)
    assert.match(JSON.stringify(answer?.info?.error ?? answer), new RegExp(`process ${story.server.process.pid}\\b`), command)
  }
  assert.deepEqual(
    asked(project).slice(before).filter((r) => r.session !== session.id),
    [],
    "it moves nothing",
  )
  await kill(story)
  await second.command(session.id, "resume")
  const sealed = await ended(project, "sealed")
  assert.deepEqual([sealed.mission, sealed.root_session], [mission.mission, session.id])
  assert.equal(sealed.tasks[0].session, mission.tasks[0].session)
})
