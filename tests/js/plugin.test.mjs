// The plugin's parts and the adapter's translations, without an OpenCode.

import assert from "node:assert/strict"
import { test } from "node:test"
import { configure } from "../../js/host/opencode1/configuration.js"
import { HostEvents, turnMemory } from "../../js/host/opencode1/host-events.js"
import { hostMode } from "../../js/host/opencode1/host-mode.js"
import { newDirectoryState } from "../../js/plugin/directory-state.js"
import { EngineLink } from "../../js/plugin/engine-link.js"
import { roles } from "../../js/plugin/roles.js"
import { missionTools } from "../../js/plugin/tools.js"
import { effectsOver, hooksOver } from "./support/opencode1.mjs"

test("the host's mode is read from its arguments", () => {
  assert.equal(hostMode(["bun", "/$bunfs/root/opencode", "run", "--command", "task", "serve me"]), "run")
  assert.equal(hostMode(["opencode", "--log-level", "WARN", "run", "hi"]), "run")
  assert.equal(hostMode(["bun", "/$bunfs/root/opencode", "serve", "--port", "0"]), "serve")
  assert.equal(hostMode(["bun", "/$bunfs/root/src/cli/tui/worker.js"]), "tui")
  assert.equal(hostMode(["bun", "/$bunfs/root/opencode", "agent", "list"]), undefined)
})

test("no agent but the roles may see a tool of ours", () => {
  /** @type {any} */
  const config = { agent: { open: { permission: { "*": "allow" } }, plain: { prompt: "x" } }, permission: "allow" }
  configure(config, { interactive: false })
  for (const tool of Object.keys(missionTools)) {
    assert.equal(config.permission[tool], "deny")
    assert.equal(config.agent.open.permission[tool], "deny")
  }
  assert.equal(config.agent.plain.permission, undefined)
  assert.equal(config.agent.worker.permission.submit_work, "allow")
  assert.equal(config.agent.worker.permission.submit_review, undefined)
  assert.equal(config.agent.worker.permission["*"], "deny")
})

/** What the host decides: the last rule that fits counts. @param {any} permission @param {string} tool */
function decided(permission, tool) {
  const fits = Object.entries(permission).filter(([name]) => name === "*" || name === tool)
  return fits.at(-1)?.[1]
}

test("a user's rules open no tool of ours, in whatever order", () => {
  /** @type {any[]} */
  const permissions = [{ "*": "allow" }, { submit_work: "allow", "*": "allow" }, { "*": "ask", submit_work: "allow" }]
  for (const permission of permissions) {
    /** @type {any} */
    const config = { agent: { open: { permission: { ...permission } } }, permission: { ...permission } }
    configure(config, { interactive: false })
    for (const tool of Object.keys(missionTools)) {
      assert.equal(decided(config.agent.open.permission, tool), "deny", `${tool}, ${JSON.stringify(permission)}`)
      assert.equal(decided(config.permission, tool), "deny", `${tool}, ${JSON.stringify(permission)}`)
    }
    assert.equal(decided(config.agent.open.permission, "bash"), permission["*"])
  }
})

test("a user's rules for the agent of a role neither take a mission tool from it nor add one", () => {
  /** @type {any} */
  const config = { agent: { worker: { permission: { submit_work: "deny", submit_review: "allow", bash: "ask" } } } }
  configure(config, { interactive: false })
  const { permission } = config.agent.worker
  assert.equal(decided(permission, "submit_work"), "allow")
  assert.equal(decided(permission, "submit_review"), "deny")
  assert.equal(decided(permission, "bash"), "ask")
})

test("what the user forbids is forbidden to every role", () => {
  /** @type {any} */
  const config = { permission: { bash: { "*": "ask", "git *": "allow" }, edit: "deny", "*": "ask" } }
  configure(config, { interactive: false })
  assert.deepEqual(config.agent.worker.permission.bash, { "*": "ask", "git *": "allow" })
  assert.equal(config.agent.worker.permission.edit, "deny")
  assert.equal(config.agent.reviewer.permission.read, "ask")
})

test("an unattended session reads no secrets, unless the user has rules of their own", () => {
  const read = (/** @type {any} */ permission) => {
    /** @type {any} */
    const config = { permission }
    configure(config, { interactive: false })
    return config.agent.worker.permission
  }
  const secrets = { "*": "allow", "*.env": "deny", "*.env.*": "deny", "*.env.example": "allow" }
  assert.deepEqual(read(undefined).read, secrets)
  assert.deepEqual(read({ bash: "ask" }).read, secrets)
  assert.equal(read({ "*": "ask" }).read, "ask")
  assert.equal(read("allow").read, "allow")
  assert.equal(read({ "*": "ask", read: "allow" }).read, "allow")
  const plain = read(undefined)
  assert.deepEqual([plain.bash, plain.edit, plain.grep, plain.invalid, plain.question], ["allow", "allow", "allow", "allow", undefined])
  const commander = (/** @type {any} */ permission, /** @type {boolean} */ interactive) => {
    /** @type {any} */
    const config = { permission }
    configure(config, { interactive })
    return config.agent.commander.permission.question
  }
  assert.deepEqual([commander({}, true), commander({ question: "deny" }, true), commander({}, false)], ["allow", "deny", undefined])
})

test("a tool that does what the user forbids, asks about or restricts is not there", () => {
  const worker = (/** @type {any} */ permission, /** @type {any} */ own) => {
    /** @type {any} */
    const config = { permission, agent: own && { worker: { permission: own } } }
    configure(config, { interactive: false })
    const { ast_search, ast_replace, ast_outline } = config.agent.worker.permission
    return [ast_search, ast_replace, ast_outline]
  }
  const [yes, no] = ["allow", undefined]
  assert.deepEqual(worker(undefined, undefined), [yes, yes, yes])
  assert.deepEqual(worker({ edit: "deny" }, undefined), [yes, no, yes])
  assert.deepEqual(worker({ edit: "ask" }, undefined), [yes, no, yes])
  assert.deepEqual(worker({ edit: { "*": "allow", "secret/*": "deny" } }, undefined), [yes, no, yes])
  assert.deepEqual(worker({ grep: "deny" }, undefined), [no, yes, no])
  assert.deepEqual(worker({ "*": "ask", edit: "allow" }, undefined), [no, yes, no])
  assert.deepEqual(worker(undefined, { edit: "deny" }), [yes, no, yes])
})

test("a user's own agent and command win, field by field and whatever their case", () => {
  /** @type {any} */
  const config = {
    agent: { Worker: { model: "a/b", permission: { bash: "deny" } }, reviewer: { prompt: "Mine." } },
    command: { stop: { template: "mine" } },
  }
  const { ownCommands, replacedPrompts, names } = configure(config, { interactive: false })
  assert.equal(names.get("worker"), "Worker")
  assert.equal(config.agent.Worker.model, "a/b")
  assert.equal(config.agent.Worker.permission.bash, "deny")
  assert.equal(config.agent.Worker.permission.submit_work, "allow")
  assert.equal(config.agent.Worker.prompt, roles.get("worker")?.identity)
  assert.equal(config.agent.reviewer.prompt, "Mine.")
  assert.equal(config.agent.reviewer.hidden, undefined)
  assert.deepEqual([...replacedPrompts], ["reviewer"])
  assert.equal(config.command.stop.template, "mine")
  assert.equal(ownCommands.has("stop"), false)
  assert.equal(ownCommands.has("task"), true)
})

test("nothing that decides for the user is touched", () => {
  /** @type {any} */
  const config = {}
  configure(config, { interactive: true })
  assert.equal(config.default_agent, undefined)
  assert.equal(config.agent.build, undefined)
  assert.equal(config.agent.plan, undefined)
  assert.equal(config.agent.commander.permission.question, "allow")
})

function watchedTurns() {
  /** @type {any[]} */
  const told = []
  const link = /** @type {any} */ ({ open: true, tell: (/** @type {any} */ m) => told.push(m), watches: (/** @type {string} */ s) => s === "ses" })
  return { told, turns: new HostEvents(link) }
}

/** @param {object} info */
const message = (info) => ({ type: "message.updated", properties: { info: { role: "assistant", id: "m1", sessionID: "ses", ...info } } })

test("the begin and the end of a turn are reported once each", () => {
  const { told, turns } = watchedTurns()
  const end = { time: { completed: 1 }, finish: "stop", cost: 0.5, tokens: { input: 1, output: 2, reasoning: 3, cache: { read: 4, write: 5 } } }
  for (const info of [{}, {}, end, end]) turns.see(message(info))
  assert.deepEqual(told, [
    { type: "turn_started", session: "ses", model: "" },
    {
      type: "turn_ended",
      session: "ses",
      tokens: 15,
      usd: 0.5,
      stopped: true,
      message: "m1",
      model: "",
      empty: true,
      failed: false,
    },
  ])
})

/** @param {object} part */
const part = (part) => ({ type: "message.part.updated", properties: { part: { sessionID: "ses", messageID: "m1", ...part } } })

test("an answer says its model, and whether there is something in it", () => {
  const of = { providerID: "p", modelID: "x/y" }
  const done = { ...of, time: { completed: 1 }, finish: "stop" }
  for (const [what, empty] of /** @type {[any, boolean][]} */ ([
    [{ type: "text", text: "  \n" }, true],
    [{ type: "text", text: "Hello" }, false],
    [{ type: "tool", tool: "bash", id: "t1", state: { status: "pending" } }, false],
    [{ type: "step-start" }, true],
  ])) {
    const { told, turns } = watchedTurns()
    for (const event of [message(of), part(what), message(done)]) turns.see(event)
    assert.deepEqual([told[0].model, told.at(-1).model, told.at(-1).empty], ["p/x/y", "p/x/y", empty], JSON.stringify(what))
  }
  const { told, turns } = watchedTurns()
  turns.see(message({ ...of, time: { completed: 1 }, error: { name: "APIError" } }))
  assert.deepEqual([told.at(-1).failed, told.at(-1).empty], [true, false])
})

test("the host's own retries say when", () => {
  const { told, turns } = watchedTurns()
  const status = { type: "retry", attempt: 2, message: "Too Many Requests", next: Date.now() + 4000 }
  turns.see({ type: "session.status", properties: { sessionID: "ses", status } })
  const [{ delay_ms, ...rest }] = told
  assert.deepEqual(rest, { type: "session_retried", session: "ses", message: "Too Many Requests", attempt: 2 })
  assert.ok(delay_ms > 3000 && delay_ms <= 4000, `${delay_ms}`)
})

test("a failed tool call is reported once, with whether the one before it failed and whether it could be parsed", () => {
  const { told, turns } = watchedTurns()
  const call = (/** @type {string} */ id, /** @type {string} */ tool, /** @type {any} */ state) => part({ type: "tool", id, tool, state })
  const error = { status: "error", error: "oldString not found" }
  for (const event of [
    call("t1", "edit", error),
    call("t1", "edit", error),
    call("t2", "read", { status: "completed" }),
    call("t3", "edit", error),
    call("t4", "invalid", { status: "completed", input: { tool: "submit_work", error: "not JSON" } }),
    call("t5", "submit_work", error),
    call("t6", "bash", { status: "error", error: "Tool execution aborted", metadata: { interrupted: true } }),
  ]) {
    turns.see(event)
  }
  assert.deepEqual(told, [
    { type: "tool_failed", session: "ses", tool: "edit", error: "oldString not found", running: false, garbled: false },
    { type: "tool_failed", session: "ses", tool: "edit", error: "oldString not found", running: false, garbled: false },
    { type: "tool_failed", session: "ses", tool: "submit_work", error: "not JSON", running: true, garbled: true },
  ])
})

test("an event that reaches two instances of a directory is reported once", () => {
  /** @type {any[]} */
  const told = []
  const link = (/** @type {boolean} */ open) => /** @type {any} */ ({ open, tell: (/** @type {any} */ m) => told.push(m), watches: () => true })
  const memory = turnMemory()
  const [gone, first, second] = [link(false), link(true), link(true)].map((each) => new HostEvents(each, memory))
  for (const id of ["e1", "e2"]) {
    for (const turns of [gone, first, second]) turns?.see({ id, type: "session.idle", properties: { sessionID: "ses" } })
  }
  assert.equal(told.length, 2)
})

test("a turn that asked for tools has not stopped", () => {
  const { told, turns } = watchedTurns()
  turns.see(message({ time: { completed: 1 }, finish: "tool-calls" }))
  assert.equal(told.at(-1).stopped, false)
})

test("other sessions and odd events tell nothing and throw nothing", () => {
  const { told, turns } = watchedTurns()
  for (const event of [
    message({ sessionID: "other" }),
    { type: "session.idle", properties: { sessionID: "other" } },
    { type: "session.error", properties: {} },
    { type: "message.part.updated", properties: {} },
    { type: "message.updated", properties: {} },
    { type: "session.deleted", properties: {} },
    { type: "something.new", properties: { x: 1 } },
  ]) {
    turns.see(event)
  }
  assert.deepEqual(told, [])
})

test("an error's words come from where the host keeps them", () => {
  const { told, turns } = watchedTurns()
  turns.see({ type: "session.error", properties: { sessionID: "ses", error: { name: "APIError", data: { message: "boom" } } } })
  assert.deepEqual(told, [{ type: "session_errored", session: "ses", name: "APIError", message: "boom", status: 0 }])
})

/** @param {(json: string) => boolean} post */
function linked(post) {
  const addon = /** @type {any} */ ({ open: () => ({ post, watches: () => true, close: () => {} }) })
  return new EngineLink(addon, { directory: "/", options: {}, onEffect: () => {} })
}

test("half of a surrogate pair does not make a message unreadable", () => {
  /** @type {string[]} */
  const posted = []
  const link = linked((json) => posted.push(json) > 0)
  link.tell({ type: "x", text: "cut \ud83d", plain: "\u{1f600}" })
  assert.deepEqual(JSON.parse(posted[0] ?? ""), { type: "x", text: "cut \ufffd", plain: "\u{1f600}" })
  assert.doesNotMatch(posted[0] ?? "", /\\ud/)
})

test("a call that is larger than the inbox takes is refused, and blocks no other", async () => {
  /** @type {string[]} */
  const posted = []
  const link = linked((json) => posted.push(json) > 0)
  const { ok, text } = await link.ask({ type: "x", args: "y".repeat(6_000_000) }).answer
  assert.equal(ok, false)
  assert.match(text, /too large/)
  link.tell({ type: "next" })
  assert.deepEqual(posted, ['{"type":"next"}'])
})

test("before it is open a link drops facts, and keeps questions until it is", async () => {
  /** @type {any[]} */
  const posted = []
  let open = () => {}
  const after = new Promise((resolve) => (open = () => resolve(undefined)))
  const addon = /** @type {any} */ ({
    open: () => ({ post: (/** @type {string} */ json) => posted.push(JSON.parse(json)), watches: () => true, close: () => {} }),
  })
  const link = new EngineLink(addon, { directory: "/", options: {}, onEffect: () => {}, after, onOpen: (opened) => opened.tell({ type: "hello" }) })
  assert.equal(link.tell({ type: "fact" }), true)
  assert.equal(link.watches("ses"), false)
  const { request, answer } = link.ask({ type: "question" })
  open()
  await after
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(posted, [{ type: "hello" }, { type: "question", request }])
  assert.equal(link.watches("ses"), true)
  link.abandon(request)
  assert.match((await answer).text, /^This call was lost/)
})

test("an engine that fails, or a directory that is gone after a reload, leaves the calls of other directories alone", async () => {
  /** @type {((json: string) => void)[]} */
  const tell = []
  const addon = /** @type {any} */ ({
    open: (/** @type {any} */ { directory, onEffects }) => {
      if (directory === "/gone") throw new Error("cannot resolve")
      tell.push(onEffects)
      return { post: () => true, watches: () => true, close: () => {} }
    },
  })
  const at = (/** @type {string} */ directory, /** @type {any} */ more = {}) =>
    new EngineLink(addon, { directory, options: {}, onEffect: () => {}, ...more })
  const [one, two, gone] = [at("/one"), at("/two"), at("/gone", { after: Promise.resolve() })]
  const asked = [one, two, gone].map((link) => link.ask({ type: "question" }))
  tell[0]?.(JSON.stringify([{ type: "engine_failed", reason: "disk" }]))
  assert.match((await asked[0]?.answer)?.text ?? "", /engine failed \(disk\)/)
  assert.match((await asked[2]?.answer)?.text ?? "", /cannot be reached/)
  tell[1]?.(JSON.stringify([{ type: "reply", request: asked[1]?.request, ok: true, text: "fine" }]))
  assert.deepEqual(await asked[1]?.answer, { ok: true, text: "fine" })
})

test("what the inbox has no room for is sent later, in order", async () => {
  /** @type {string[]} */
  const posted = []
  let full = true
  const link = linked((json) => !full && posted.push(json) > 0)
  link.tell({ n: 1 })
  link.tell({ n: 2 })
  full = false
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.deepEqual(posted, ['{"n":1}', '{"n":2}'])
})

/** The hooks around a tool call, with an engine that gives these answers. @param {Record<string, string>} texts */
function toolHooks(texts) {
  /** @type {any[]} */
  const asked = []
  const link = {
    watches: () => true,
    tell: (/** @type {any} */ message) => asked.push(message),
    ask: (/** @type {any} */ message, /** @type {any} */ limit) => {
      asked.push({ ...message, ...limit })
      return { request: "r", answer: Promise.resolve({ ok: true, text: texts[message.type] ?? "" }) }
    },
  }
  return { asked, run: hooksOver({ link }) }
}

test("a write's own output gets what it broke; it waits for that no longer than a second", async () => {
  const { asked, run } = toolHooks({ check_asked: "\n\nbroken" })
  const patch = "*** Begin Patch\n*** Update File: a.js\n*** Move to: b.js\n*** Add File: c.js\n*** End Patch"
  const output = { output: "Done." }
  await run["tool.execute.after"]({ tool: "apply_patch", sessionID: "ses", args: { patchText: patch } }, output)
  assert.equal(output.output, "Done.\n\nbroken")
  assert.deepEqual(asked[0].paths, ["a.js", "b.js", "c.js"])
  assert.equal(asked[0].deadlineMs, 1000)
  assert.deepEqual(asked[0].fallback, { ok: true, text: "" })
  const other = { output: "Done." }
  await run["tool.execute.after"]({ tool: "read", sessionID: "ses", args: { filePath: "a.js" } }, other)
  assert.equal(other.output, "Done.")
  assert.equal(asked.length, 1)
})

test("every file that a patch names is asked for, however its header is written; none is refused", async () => {
  const { asked, run } = toolHooks({})
  const before = (/** @type {any} */ args) => run["tool.execute.before"]({ tool: "apply_patch", sessionID: "ses" }, { args })
  const patchText = "*** Begin Patch\r\n*** Update File:a.js\r\n*** Move to:\tb.js\r\n*** Delete File:c d.js\n+*** Add File: text\n*** End Patch"
  await before({ patchText })
  assert.deepEqual(asked[0].paths, ["a.js", "b.js", "c d.js"])
  await assert.rejects(before({ patchText: "*** Begin Patch\n*** Add File:  \n*** End Patch" }), /no file is named/)
  await assert.rejects(before({}), /no file is named/)
})

test("a command begins when the engine has seen the files, and its end names the same call", async () => {
  const { asked, run } = toolHooks({})
  await run["tool.execute.before"]({ tool: "bash", sessionID: "ses", callID: "c1" }, { args: { command: "make" } })
  const input = { tool: "bash", sessionID: "ses", callID: "c1", args: { command: "make" } }
  await run["tool.execute.after"](input, { output: "ok", metadata: { exit: 0 } })
  assert.deepEqual(asked.map((m) => [m.type, m.call]), [["command_asked", "c1"], ["command_ran", "c1"]])
})

test("a command that was killed or timed out is no success", async () => {
  const input = { tool: "bash", sessionID: "ses", callID: "c1", args: { command: "make" } }
  const told = async (/** @type {any} */ metadata) => {
    const { asked, run } = toolHooks({})
    await run["tool.execute.after"](input, { output: "", metadata })
    return asked[0].exit_code
  }
  assert.equal(await told({ exit: 0 }), 0)
  assert.equal(await told({ exit: 3 }), 3)
  for (const metadata of [undefined, {}, { exit: null }, { exit: undefined }, { exit: "0" }]) {
    assert.equal(await told(metadata), -1, JSON.stringify(metadata))
  }
})

/** The hooks around a command that the engine refuses. @param {string} refusal */
async function refusedCommand(refusal) {
  const link = {
    open: true,
    watches: () => false,
    sessionInfo: () => undefined,
    tell: () => true,
    ask: (/** @type {any} */ message) => {
      const ok = message.type === "settings_asked"
      return { request: "r", answer: Promise.resolve({ ok, text: ok ? "{}" : refusal }) }
    },
  }
  const run = hooksOver({ link })
  await run.config({})
  const event = (/** @type {string} */ type, /** @type {any} */ properties) =>
    run.event({ event: { type, properties: { sessionID: "ses", ...properties } } })
  const command = async (name = "task") => {
    const output = { parts: [{ type: "text", text: "the host's own" }] }
    await run["command.execute.before"]({ command: name, sessionID: "ses", arguments: "x" }, output)
    return output.parts
  }
  const request = (agent = "build", sessionID = "ses") => run["chat.params"]({ sessionID, agent, model: {} }, {})
  return { event, command, request }
}

test("a refused command ends its own turn and no later one", async () => {
  const { event, command, request } = await refusedCommand("A mission runs already.")
  const parts = await command()
  assert.deepEqual(parts.map((p) => p.text), ["A mission runs already."])
  // The host asks again within a turn; each time the refusal is the answer.
  for (let i = 0; i < 2; ++i) await assert.rejects(request(), /A mission runs already/)
  await request("title")
  await request("build", "another")
  await event("session.idle", {})
  await request()
  assert.deepEqual((await command("their-own")).map((p) => p.text), ["the host's own"])
  await request()
})

test("a command that is refused while a turn runs leaves that turn alone", async () => {
  const { event, command, request } = await refusedCommand("A mission runs already.")
  await event("session.status", { status: { type: "busy" } })
  assert.deepEqual((await command()).map((p) => p.text), ["A mission runs already."])
  await request()
  await event("session.status", { status: { type: "idle" } })
  await command()
  await assert.rejects(request(), /A mission runs already/)
})

/**
 * The hooks before a model request of a Worker. @param {any} role what the engine says of the session
 * @param {any} leave what it says of the request
 */
async function modelRequest(role, leave) {
  /** @type {any[]} */
  const asked = []
  /** @type {Record<string, string>} */
  const sessionInfo = {}
  const answers = { settings_asked: { ok: true, text: "", data: {} }, role_asked: { ok: true, text: "", data: role }, request_asked: leave }
  const link = {
    watches: () => true,
    sessionInfo: (/** @type {string} */ session) => sessionInfo[session],
    tell: () => true,
    ask: (/** @type {any} */ message, /** @type {any} */ limit) => {
      if (message.type !== "settings_asked") asked.push({ ...message, ...limit })
      return { request: "r", answer: Promise.resolve(answers[/** @type {keyof typeof answers} */ (message.type)]) }
    },
  }
  const state = newDirectoryState()
  const run = hooksOver({ link, state })
  await run.config({})
  const messages = [{ info: { sessionID: "ses" }, parts: [{ type: "text", text: "Grüße" }] }]
  await run["experimental.chat.messages.transform"]({}, { messages })
  const transform = () => run["experimental.chat.system.transform"]({ sessionID: "ses" }, { system: [roles.get("worker")?.identity ?? ""] })
  await transform()
  const model = { providerID: "p", id: "m", limit: { output: 8192 }, cost: { input: 3, output: 15, cache: { write: 4 } } }
  const output = { maxOutputTokens: 8192 }
  const params = (/** @type {string} */ agent) => run["chat.params"]({ sessionID: "ses", agent, model }, output)
  return { output, params, transform, sessionInfo, all: asked, state }
}

test("after a stop no request begins, though its turn was being made ready", async () => {
  const stopped = "Mission m-x is cancelled: its model is asked for nothing more."
  const { params, all, state } = await modelRequest({ role: "worker", card: "", capped: false, stopped }, { ok: true, text: "" })
  await params("worker") // the Commander's session is the user's
  state.children.add("ses")
  await assert.rejects(params("worker"), (/** @type {Error} */ error) => error.message.replaceAll("\u2060", "") === stopped)
  assert.deepEqual(all.map((a) => a.type), ["role_asked", "role_asked"])
})

test("what the engine has left of a session is read in place; where it has left nothing it is asked", async () => {
  const yes = { role: "worker", card: "", capped: false }
  const { params, all, state, transform, sessionInfo } = await modelRequest(yes, { ok: true, text: "" })
  state.children.add("ses")
  assert.deepEqual(all.map((a) => a.type), ["role_asked"])
  sessionInfo.ses = JSON.stringify(yes)
  await transform()
  await params("worker")
  assert.deepEqual(all.map((a) => a.type), ["role_asked"])
  delete sessionInfo.ses
  await params("worker")
  assert.deepEqual(all.map((a) => a.type), ["role_asked", "role_asked"])
})

test("a request of a mission with a budget waits for leave, and writes no more than it may", async () => {
  const { output, params, all } = await modelRequest(
    { role: "worker", card: "", capped: true },
    { ok: true, text: "", data: { output_max: 5000 } },
  )
  await params("title")
  assert.deepEqual(all.map((a) => a.type), ["role_asked"], "a title is no answer of the mission")
  await params("worker")
  const { bytes, ...question } = all[1]
  assert.deepEqual(question, { type: "request_asked", session: "ses", model: "p/m", output_max: 8192, input_usd: 4, output_usd: 15 })
  assert.ok(bytes > Buffer.byteLength("Grüße") + (roles.get("worker")?.instructions.length ?? 0), `${bytes}`)
  assert.equal(output.maxOutputTokens, 5000)
})

test("a leave for one token is a limit, and one without a limit is none", async () => {
  for (const [data, expected] of [[{ output_max: 1 }, 1], [{ output_max: 0 }, 8192], [{}, 8192], [undefined, 8192]]) {
    const { output, params } = await modelRequest({ role: "worker", card: "", capped: true }, { ok: true, text: "", data })
    await params("worker")
    assert.equal(output.maxOutputTokens, expected, JSON.stringify(data))
  }
})

test("without leave nothing is asked for, also where the engine has failed; without a budget no request asks", async () => {
  for (const text of ["Budget: it is spent", "The orchestrator's engine failed; try again."]) {
    const { params } = await modelRequest({ role: "worker", card: "", capped: true }, { ok: false, text })
    await assert.rejects(params("worker"), (/** @type {Error} */ error) => error.message.replaceAll("\u2060", "") === text)
  }
  const { params, all, output } = await modelRequest({ role: "worker", card: "", capped: false }, { ok: false, text: "no" })
  await params("worker")
  assert.deepEqual([all.length, output.maxOutputTokens], [1, 8192])
})

test("a worktree's instance is disposed of when its tools are over, also those that go on after an abort", async () => {
  const state = newDirectoryState()
  const { running } = state
  const link = { open: true, watches: () => false, tell: () => true }
  const { event } = hooksOver({ link, state, worktree: "/w" })
  running.begin("a", "1", "/w")
  running.begin("b", "1", "/w")
  running.begin("a", "2", "/w")
  running.begin("c", "1", "/other")
  const failed = (/** @type {object} */ metadata) => {
    const part = { sessionID: "a", callID: "2", state: { status: "error", metadata } }
    return event({ event: { type: "message.part.updated", properties: { part } } })
  }
  let over = false
  const waiting = running.over("/w", 60_000).then(() => (over = true))
  running.end("a", "1")
  running.end("a", "1")
  await failed({ interrupted: true })
  running.end("b", "1")
  await new Promise(setImmediate)
  assert.equal(over, false, "one was aborted, and runs on")
  const second = running.over("/w", 60_000)
  await failed({})
  await Promise.all([waiting, second])
  await running.over("/w", 60_000)
  // What never ends is not waited for twice.
  await running.over("/other", 1)
  await running.over("/other", 60_000)
})

test("a worktree that is opened ahead is asked two questions; none comes after it was disposed of", async () => {
  /** @type {any[]} */
  const told = []
  /** @type {string[]} */
  const asked = []
  let answer = (/** @type {any} */ _) => {}
  const client = {
    config: { providers: ({ query }) => (asked.push(`providers ${query.directory}`), new Promise((resolve) => (answer = resolve))) },
    file: { list: async ({ query }) => (asked.push(`list ${query.directory}`), { data: [] }) },
    instance: { dispose: async ({ query }) => (asked.push(`dispose ${query.directory}`), { data: true }) },
  }
  const state = newDirectoryState()
  state.link = /** @type {any} */ ({ tell: (/** @type {any} */ message) => void told.push(message) })
  const run = effectsOver(client, state)
  const turn = () => new Promise(setImmediate)

  run({ type: "open_directory", effect: 1, directory: "/a" })
  await turn()
  answer({ data: {} })
  await turn()
  assert.deepEqual(asked, ["providers /a", "list /a"])
  assert.deepEqual(told, [{ type: "directory_opened", effect: 1, opened: true }])

  run({ type: "open_directory", effect: 2, directory: "/b" })
  await turn()
  run({ type: "dispose_directory", effect: 3, directory: "/b" })
  await turn()
  assert.equal(asked.length, 3, "the question is under way: it would bring the instance up again")
  answer({ data: {} })
  await turn()
  assert.deepEqual(asked.slice(2), ["providers /b", "dispose /b"])
  assert.deepEqual(told.slice(1).map((m) => [m.type, m.opened]), [["directory_opened", false], ["directory_disposed", undefined]])

  run({ type: "open_directory", effect: 4, directory: "/c" })
  await turn()
  answer({ error: { name: "Unknown", data: { message: "no" } } })
  await turn()
  assert.deepEqual(told.at(-1), { type: "directory_opened", effect: 4, opened: false })
})
