// Permission requests of children: shown to the user, answered by the user, or rejected with a reason after a time limit.

import assert from "node:assert/strict"
import test, { after } from "node:test"
import { missionWhere } from "./support/project.mjs"
import { asked, ended, small, Stage, there, toolNames, toolResults } from "./support/story.mjs"

const stage = new Stage()
after(() => stage.stop())

/** A Worker that runs a command which the user wants to be asked about. */
const asking = () =>
  small(["T1"], {
    workers: {
      T1: {
        calls: [{ tool: "bash", args: { command: "touch asked-for", description: "Touch" }, tries: 1 }],
        files: { "T1.txt": "1\n" },
      },
    },
  })
const config = { permission: { bash: { "*": "allow", "touch asked*": "ask" } } }

test("a child's permission request is shown, and an answer lets it go on", async (t) => {
  const { project, client } = await stage.story(t, { scenario: asking(), config })
  const session = await client.createSession()
  const mission = client.command(session.id, "task", project.scenario.objective)
  const waiting = await missionWhere(project, (m) => m.permissions?.length === 1)
  assert.equal(waiting.permissions[0].session, waiting.tasks[0].session)
  assert.match(waiting.permissions[0].what, /bash: touch asked-for/)
  const call = (await client.messages(session.id)).flatMap((m) => m.parts).find((p) => p.tool === "mission_run")
  assert.equal(call.state.status, "running")
  assert.ok(!there(project, "asked-for"))
  await client.call("POST", `/permission/${waiting.permissions[0].id}/reply`, { reply: "once" })
  await mission
  const sealed = await ended(project, "sealed")
  assert.deepEqual(sealed.permissions, [])
  assert.ok(there(project, "asked-for"))
})

test("an unanswered request is rejected with a reason, and the Worker goes on", async (t) => {
  const { project, client } = await stage.story(t, {
    scenario: asking(),
    config,
    orchestrator: { timeouts: { permission_s: 1 } },
  })
  const session = await client.createSession()
  await client.command(session.id, "task", project.scenario.objective)
  await ended(project, "sealed")
  assert.ok(!there(project, "asked-for"))
  const [result] = toolResults(project, "bash", (r) => r.role === "worker")
  assert.match(result, /No user answered within 1 s/)
})

test("what the user denies stays denied for every role", async (t) => {
  const { project, client } = await stage.story(t, {
    scenario: asking(),
    config: { permission: { bash: { "*": "allow", "touch asked*": "deny" } } },
  })
  const session = await client.createSession()
  await client.command(session.id, "task", project.scenario.objective)
  await ended(project, "sealed")
  assert.ok(!there(project, "asked-for"))
})

test("with bash denied no role has it; what cannot be proved without it blocks the mission, which says so", async (t) => {
  const { project, client } = await stage.story(t, {
    scenario: small(["T1"]),
    config: { permission: { bash: "deny" } },
  })
  const session = await client.createSession()
  await client.command(session.id, "task", project.scenario.objective)
  const mission = await ended(project, "blocked")
  assert.match(mission.reason, /T1 .*no Reviewer gave a verdict: .*no receipt of `test -s T1\.txt`/)
  assert.deepEqual(asked(project).filter((request) => toolNames(request).includes("bash")), [])
})
