// What the plugin leaves alone, and what happens where it cannot work.

import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import test, { after } from "node:test"
import { kCheckout, projectFor } from "./support/project.mjs"
import { asked, ended, longTest, said, small, Stage, there, toolNames, userTexts } from "./support/story.mjs"

/** @typedef {import("./support/story.mjs").Project} Project */
/** @typedef {import("../../js/rehearsal/client.mjs").HostClient} HostClient */

const stage = new Stage()
after(() => stage.stop())

const ourTools = [
  ...["mission_run", "submit_plan", "update_todo", "submit_work", "submit_review", "mission_status"],
  ...["ast_search", "ast_replace", "ast_outline"],
  ...["delegate_task", "get_task_result", "list_tasks", "cancel_task"],
]
/** @param {any} message @returns {string} */
const errorOf = (message) => message.info?.error?.data?.message ?? ""

/** Bodies that the model got for a prompt to each agent. @param {Project} project @param {HostClient} client @param {string[]} agents */
async function bodies(project, client, agents) {
  /** @type {Record<string, string>} */
  const sent = {}
  for (const agent of agents) {
    const session = await client.createSession()
    await client.prompt(session.id, "Say hello to me.", { agent })
    const of = (/** @type {string} */ role) =>
      project.model.requests.find((r) => r.session === session.id && r.role === role)
    for (const role of ["chat", "title"]) {
      const request = /** @type {any} */ (
        await project.model.waitFor((r) => r.session === session.id && r.role === role).then(() => of(role))
      )
      sent[`${agent}, ${role}`] = JSON.stringify(request.body).replaceAll(project.base, "/base")
    }
  }
  return sent
}

/** Equal to the byte; else only the place is shown. @param {string} got @param {string} expected @param {string} what */
function same(got, expected, what) {
  let at = 0
  while (at < expected.length && got[at] === expected[at]) at++
  const around = (/** @type {string} */ text) => text.slice(Math.max(0, at - 80), at + 160)
  assert.ok(got === expected, `${what}: differs at ${at}\n  got      …${around(got)}\n  expected …${around(expected)}`)
}

test("with the plugin loaded, other agents' requests are the same to the byte", async (t) => {
  const agent = {
    helper: { mode: "primary", prompt: "You help.", permission: { "*": "allow" } },
    careful: {
      mode: "primary",
      prompt: "You are careful.",
      permission: { bash: "ask", edit: { "*.md": "allow", "*": "deny" } },
    },
    scout: { mode: "subagent", description: "Looks around", prompt: "You look." },
  }
  const variants = [
    {},
    { agent, permission: { bash: { "*": "ask", "ls *": "allow" }, webfetch: "deny" } },
    { agent, permission: { "*": "allow", task: { scout: "deny" } } },
  ]
  for (const config of variants) {
    const agents = ["build", "plan", ...(config.agent ? ["helper", "careful"] : [])]
    const bare = await stage.story(t, { scenario: small(["T1"]), plugin: null, config })
    const with_ = await stage.story(t, { scenario: small(["T1"]), config })
    const expected = await bodies(bare.project, bare.client, agents)
    const got = await bodies(with_.project, with_.client, agents)
    assert.deepEqual(Object.keys(got), Object.keys(expected))
    for (const [what, body] of Object.entries(expected)) same(got[what], body, `${what} with ${JSON.stringify(config)}`)
    assert.ok(!there(with_.project, ".opencode/orchestrator"), "nothing is written before a mission")
    assert.ok(!there(with_.project, ".opencode/mission_loop.json"))
  }
})

test("the user's own agent and command of our names win, field by field; default_agent stays", async (t) => {
  const { project, client } = await stage.story(t, {
    scenario: small(["T1"]),
    config: {
      agent: { worker: { prompt: "My own worker prompt.", temperature: 0.5 }, Reviewer: { description: "Mine" } },
      command: { stop: { template: "Stop, in the name of $ARGUMENTS", description: "My stop" } },
    },
    files: { ".opencode/command/mission.md": "---\ndescription: My mission\n---\nMy own mission text\n" },
  })
  const config = await client.call("GET", "/config")
  assert.equal(config.default_agent, undefined)
  const commands = await client.call("GET", "/command")
  const named = (/** @type {string} */ name) => commands.find((/** @type {any} */ c) => c.name === name)
  assert.equal(named("stop").description, "My stop")
  assert.equal(named("mission").description, "My mission")
  for (const ours of ["task", "resume", "cancel"]) assert.ok(named(ours), ours)
  const agents = await client.call("GET", "/agent")
  const agent = (/** @type {string} */ name) => agents.find((/** @type {any} */ a) => a.name === name)
  assert.deepEqual(
    [agent("worker").prompt, agent("worker").temperature, agent("worker").mode],
    ["My own worker prompt.", 0.5, "subagent"],
  )
  assert.equal(agent("Reviewer").description, "Mine")
  assert.equal(agent("reviewer"), undefined)
  for (const role of ["planner", "master-reviewer"])
    assert.deepEqual([agent(role).mode, agent(role).hidden], ["subagent", true])
  assert.equal(agent("commander").mode, "primary")

  const session = await client.createSession()
  await client.command(session.id, "stop", "love")
  assert.match(userTexts(asked(project)[0])[0], /Stop, in the name of love/)
  // A mission runs with the user's Worker.
  await client.command(session.id, "task", "Write it")
  await ended(project, "sealed")
  const worker = asked(project, (r) => r.role === "worker")[0]
  assert.match(JSON.stringify(worker.body.messages[0]), /My own worker prompt\./)
  assert.ok(toolNames(worker).includes("submit_work"))
})

test("what the user forbids stays forbidden to the roles", async (t) => {
  const { project, client } = await stage.story(t, {
    scenario: small(["T1"], {
      verify: [],
      plan: {
        summary: "s",
        verify: [],
        verify_reason: "no shell here",
        tasks: [{ id: "T1", title: "File T1", description: "d", files: ["T1.txt"] }],
      },
    }),
    config: { permission: { bash: "deny" } },
  })
  const session = await client.createSession()
  await client.command(session.id, "task", "Write it")
  await ended(project, "sealed")
  for (const role of ["worker", "reviewer", "master"]) {
    const tools = toolNames(asked(project, (r) => r.role === role)[0])
    assert.ok(!tools.includes("bash"), role)
    assert.ok(
      tools.some((name) => name.startsWith("submit_")),
      role,
    )
  }
})

test("an agent that may do everything does not see the mission's tools", async (t) => {
  const { project, client } = await stage.story(t, {
    scenario: small(["T1"]),
    config: { agent: { all: { mode: "primary", permission: { "*": "allow" } } }, permission: "allow" },
  })
  for (const agent of ["all", "build"]) {
    const session = await client.createSession()
    await client.prompt(session.id, "hi", { agent })
    const tools = toolNames(asked(project, (r) => r.session === session.id)[0])
    assert.deepEqual(
      tools.filter((name) => ourTools.includes(name)),
      [],
      agent,
    )
    assert.ok(tools.includes("bash"))
  }
})

test("a directory that cannot be written: the mission is refused with the fix, and OpenCode goes on", async (t) => {
  const blocked = await stage.story(t, {
    scenario: small(["T1"]),
    files: { ".opencode/orchestrator": "a file in the way\n" },
  })
  const snapshot = await stage.story(t, {
    scenario: small(["T1"]),
    files: { ".opencode/orchestrator/lock/x": "a directory in the way\n" },
  })
  for (const { project, client } of [blocked, snapshot]) {
    const session = await client.createSession()
    const error = errorOf(await client.command(session.id, "task", "Write it"))
    assert.match(error, /was not started.*cannot be kept/)
    assert.match(error, /\.opencode/)
    assert.match(error, /writable/)
    assert.equal(asked(project).length, 0)
    const answer = await client.prompt(session.id, "hi", { agent: "build" })
    assert.match(JSON.stringify(answer.parts), /Hello/)
  }
})

longTest("an addon that cannot load: OpenCode works without the plugin, and says once what is wrong", async (t) => {
  const copy = await mkdtemp(join(tmpdir(), "oc-plugin-"))
  t.after(() => rm(copy, { recursive: true, force: true }))
  for (const part of ["js", "agents", "package.json"])
    await cp(join(kCheckout, part), join(copy, part), { recursive: true })
  const project = await projectFor(t, { scenario: small(["T1"]), plugin: copy, snapshot: false })
  const run = await project.runOpencode({ args: ["run", "hi"] })
  assert.equal(run.code, 0, said(run))
  assert.match(run.stdout, /Hello\. I am the rehearsal model/)
  assert.equal(run.stderr.match(/opencode-orchestrator-native is off/g)?.length, 1, said(run))
  assert.match(run.stderr, /npm run build|npm install/)

  await mkdir(join(copy, "build"))
  await writeFile(join(copy, "build/orchestrator.node"), "this is no addon")
  const broken = await project.runOpencode({ args: ["run", "hi"] })
  assert.equal(broken.code, 0, said(broken))
  assert.match(broken.stdout, /Hello\. I am the rehearsal model/)
  assert.equal(broken.stderr.match(/opencode-orchestrator-native is off/g)?.length, 1, said(broken))
  assert.ok(!existsSync(join(project.dir, ".opencode/orchestrator")))
})

longTest("snapshots: OpenCode's own are taken unless the user turns them off for the directory", async (t) => {
  for (const snapshots of ["keep", "off"]) {
    const { project, client } = await stage.story(t, { scenario: small(["T1"]), snapshot: undefined, orchestrator: { snapshots } })
    const session = await client.createSession()
    await client.command(session.id, "task", "Write the files.")
    const mission = await ended(project, "sealed")
    const messages = await client.messages(mission.tasks[0].session)
    const steps = messages.flatMap((/** @type {any} */ m) => m.parts).filter((/** @type {any} */ p) => p.type === "step-start")
    assert.ok(steps.length > 0)
    assert.equal(steps.some((/** @type {any} */ p) => p.snapshot), snapshots === "keep", snapshots)
  }
})
