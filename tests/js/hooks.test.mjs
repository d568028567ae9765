// Each hook of the adapter for OpenCode as OpenCode calls it, with an engine that answers as the test says.

import assert from "node:assert/strict"
import { test } from "node:test"
import { adapterStateOf } from "../../js/host/opencode1/adapter-state.js"
import { newDirectoryState } from "../../js/plugin/directory-state.js"
import { roles } from "../../js/plugin/roles.js"
import { missionTools } from "../../js/plugin/tools.js"
import { hooksOver } from "./support/opencode1.mjs"

/** @typedef {{ok: boolean, text: string, data?: any}} Answer */
const yes = (text = "") => ({ ok: true, text })
/** An answer that the program reads. @param {any} data */
const fact = (data) => ({ ok: true, text: "", data })
const no = (text = "") => ({ ok: false, text })

/**
 * A plugin whose mission watches every session that begins with `ses`.
 * @param {Record<string, Answer | Promise<Answer>>} [answers] by the type of the question
 * @param {any} [more] options of `hooksOver`
 */
function plugin(answers = {}, more = {}) {
  /** @type {any[]} */
  const asked = []
  /** @type {any[]} */
  const told = []
  /** @type {string[]} */
  const abandoned = []
  /** @type {Record<string, string>} */
  const sessionInfo = {}
  const link = {
    open: true,
    watches: (/** @type {string} */ session) => session.startsWith("ses"),
    sessionInfo: (/** @type {string} */ session) => sessionInfo[session],
    tell: (/** @type {any} */ message) => told.push(message) > 0,
    abandon: (/** @type {string} */ request) => abandoned.push(request),
    ask: (/** @type {any} */ message, /** @type {any} */ limit = {}) => {
      asked.push({ ...message, ...limit })
      return { request: `r${asked.length}`, answer: Promise.resolve(answers[message.type] ?? yes()) }
    },
  }
  const state = newDirectoryState()
  const run = /** @type {any} */ (hooksOver({ link, state, ...more }))
  return { asked, told, abandoned, sessionInfo, link, state, adapter: adapterStateOf(state), run }
}

test("the host's configuration gets agents, and keeps its snapshots unless the user's settings say otherwise", async () => {
  for (const [data, snapshot] of /** @type {[any, any][]} */ ([[{}, undefined], [{ snapshots: "off" }, false], [{ snapshots: "on" }, undefined], [undefined, undefined]])) {
    const { run, adapter } = plugin({ settings_asked: fact(data) })
    /** @type {any} */
    const config = { agent: { Worker: {} } }
    await run.config(config)
    assert.equal(config.snapshot, snapshot, JSON.stringify(data))
    assert.equal(adapter.names.get("worker"), "Worker")
    assert.ok(adapter.commands.has("task"))
  }
  const { run } = plugin({ settings_asked: no("the engine failed") })
  /** @type {any} */
  const config = {}
  await run.config(config)
  assert.equal(config.snapshot, undefined)
})

test("after a reload the settings of before hold: the link opens only later", async () => {
  const { run, state, asked } = plugin()
  state.reload = { over: new Promise(() => {}) }
  state.settings = { snapshots: "off" }
  /** @type {any} */
  const config = {}
  await run.config(config)
  assert.equal(config.snapshot, false)
  assert.deepEqual(asked, [])
})

test("an instance of a worktree makes no snapshots, asks nothing, and changes nothing that is known of the project", async () => {
  const { run, adapter, asked } = plugin({}, { worktree: "/w" })
  /** @type {any} */
  const config = {}
  await run.config(config)
  assert.equal(config.snapshot, false)
  assert.equal(config.agent.worker.mode, "subagent")
  assert.deepEqual([adapter.names.size, adapter.commands.size, asked.length], [0, 0, 0])
})

test("an event that cannot be read is logged, and the host hears of no error", async () => {
  /** @type {any[]} */
  const logged = []
  const { run, told } = plugin({}, { client: { app: { log: async (/** @type {any} */ entry) => logged.push(entry) } } })
  await run.event({ event: { type: "session.idle" } })
  assert.equal(logged.length, 1)
  assert.match(logged[0].body.message, /session\.idle/)
  await run.event({ event: { type: "session.idle", properties: { sessionID: "ses" } } })
  assert.deepEqual(told, [{ type: "session_idled", session: "ses" }])
})

test("a tool of a worktree counts as running until its end is reported, also by its part alone", async () => {
  const { run, state } = plugin({}, { worktree: "/w" })
  const runs = async () => {
    let over = false
    const waiting = state.running.over("/w", 60_000).then(() => (over = true))
    await new Promise(setImmediate)
    return { over, waiting }
  }
  const call = { tool: "read", sessionID: "ses", callID: "c1" }
  await run["tool.execute.before"](call, { args: {} })
  const one = await runs()
  assert.equal(one.over, false)
  await run["tool.execute.after"](call, { output: "" })
  await one.waiting
  await run["tool.execute.before"](call, { args: {} })
  const two = await runs()
  const part = { sessionID: "ses", messageID: "m", callID: "c1", type: "tool", tool: "read", id: "p", state: { status: "error", error: "no" } }
  await run.event({ event: { type: "message.part.updated", properties: { part } } })
  await two.waiting
  // A call of our own waits for the mission, not for the directory.
  await run["tool.execute.before"]({ ...call, tool: "submit_work" }, { args: {} })
  assert.equal((await runs()).over, true)
  const outside = plugin()
  await outside.run["tool.execute.before"](call, { args: {} })
  await outside.state.running.over("/w", 60_000)
})

test("each command asks the engine its own question; what the model must say is put around the answer", async () => {
  const questions = {
    task: { type: "mission_requested" },
    "extreme-mission": { type: "mission_requested", extreme: true },
    resume: { type: "resume_requested" },
    stop: { type: "stop_requested" },
    cancel: { type: "stop_requested" },
    mission: { type: "mission_status" },
  }
  for (const [command, question] of Object.entries(questions)) {
    const { run, asked } = plugin({ settings_asked: fact({}), [question.type]: yes("the answer") }, { mode: "tui" })
    await run.config({})
    asked.length = 0
    const output = { parts: [{ type: "text", text: "the host's own" }, { type: "text", text: "more" }] }
    await run["command.execute.before"]({ command, sessionID: "ses", arguments: "x y" }, output)
    const [{ deadlineMs, fallback, ...sent }] = asked
    const whole = { session: "ses", arguments: "x y", mode: "tui" }
    assert.deepEqual(sent, command === "mission" ? question : { ...question, ...whole }, command)
    assert.equal(fallback.ok, false)
    assert.ok(deadlineMs > 0)
    assert.equal(output.parts.length, 1)
    const text = output.parts[0]?.text ?? ""
    const says = ["stop", "cancel", "mission"].includes(command)
    assert.equal(text === "the answer", !says, command)
    if (says) assert.match(text, command === "mission" ? /asks for the mission's state[^]*the answer[^]*Call no tool/ : /stopped the mission[^]*the answer[^]*Call no tool/)
    await run["chat.params"]({ sessionID: "ses", agent: "commander", model: {} }, {})
  }
})

test("a command's refusal does not sound like a provider's passing trouble, and a newer command replaces it", async () => {
  let answer = no("It timed out, try again: 503")
  const { run, link } = plugin()
  link.ask = (/** @type {any} */ message) => ({ request: "r", answer: Promise.resolve(message.type === "settings_asked" ? fact({}) : answer) })
  await run.config({})
  const command = () => run["command.execute.before"]({ command: "stop", sessionID: "ses" }, { parts: [] })
  const request = () => run["chat.params"]({ sessionID: "ses", agent: "build", model: {} }, {})
  await command()
  await assert.rejects(request(), (/** @type {Error} */ error) => {
    assert.doesNotMatch(error.message, /timed out|try again|503/)
    assert.equal(error.message.replaceAll("\u2060", ""), answer.text)
    return true
  })
  answer = yes("stopped")
  await command()
  await request()
})

test("a request asks for leave where its mission has a budget, whatever form its agent has; a title never does", async () => {
  const { run, asked, told } = plugin({ settings_asked: fact({}), role_asked: fact({ role: "worker", card: "", capped: true }), request_asked: yes() })
  await run.config({})
  await run["experimental.chat.system.transform"]({ sessionID: "ses1" }, { system: [roles.get("worker")?.identity ?? ""] })
  asked.length = 0
  const request = (/** @type {string} */ sessionID, /** @type {any} */ agent) => run["chat.params"]({ sessionID, agent, model: {} }, {})
  await request("ses1", "worker")
  await request("ses1", { name: "worker" })
  await request("ses1", "title")
  await request("ses1", { name: "title" })
  await request("ses2", "worker")
  await request("other", "build")
  assert.deepEqual(asked.map(({ type, session }) => [type, session]), [["request_asked", "ses1"], ["request_asked", "ses1"]])
  assert.deepEqual(told, [])
})

test("after a stop no request of a mission's session begins, a title's neither", async () => {
  const { run, state } = plugin({ role_asked: fact({ role: "worker", card: "", stopped: "The mission is paused." }) })
  state.children.add("ses")
  const request = (/** @type {any} */ agent, sessionID = "ses") => run["chat.params"]({ sessionID, agent, model: {} }, {})
  for (const agent of ["worker", "title", { name: "title" }]) await assert.rejects(request(agent), /^Error: The mission is paused\.$/)
  await request("worker", "ses_other")
})

test("only the user's own text is reported, cut", async () => {
  const { run, told, state } = plugin()
  state.children.add("ses_child")
  const say = (/** @type {string} */ sessionID, /** @type {any[]} */ parts) => run["chat.message"]({ sessionID }, { parts })
  const text = (/** @type {string} */ words, more = {}) => ({ type: "text", text: words, ...more })
  await say("ses", [text("one"), text("by the host", { synthetic: true }), { type: "file" }, text("two")])
  await say("ses_child", [text("x")])
  await say("other", [text("x")])
  await say("ses", [text("x"), text("ours", { metadata: { orchestrator: true } })])
  await say("ses", [text("by the host", { synthetic: true })])
  assert.deepEqual(told, [{ type: "user_spoke", session: "ses", text: "one\ntwo" }])
  await say("ses", [text(`a${"b".repeat(5000)}`)])
  assert.equal(told[1].text, `a${"b".repeat(1999)}`)
})

/** @param {any} role @param {string[]} system @param {any} [config] @param {any} [input] */
async function systemText(role, system, config = {}, input = { sessionID: "ses" }) {
  const { run, asked } = plugin({ settings_asked: fact({}), role_asked: role ? fact(role) : no() })
  await run.config(config)
  asked.length = 0
  const output = { system: [...system] }
  await run["experimental.chat.system.transform"](input, output)
  return { system: output.system, asked }
}

test("a role's request gets the role's instructions, and after a compaction its card", async () => {
  const worker = roles.get("worker")
  const reviewer = roles.get("reviewer")
  const head = [worker?.identity ?? "", "and the host's own words"]
  const known = (await systemText({ role: "worker", card: "" }, head)).system
  assert.deepEqual(known, [...head, worker?.instructions])
  const carded = (await systemText({ role: "worker", card: "CARD" }, head)).system
  assert.deepEqual(carded.slice(0, 3), [...head, worker?.instructions])
  assert.match(carded[3] ?? "", /compacted[^]*CARD$/)
  // Its role is the engine's word, where it has one for a child.
  assert.equal((await systemText({ role: "reviewer", card: "" }, head)).system[2], reviewer?.instructions)
  for (const role of ["none", "commander"]) {
    assert.equal((await systemText({ role, card: "" }, head)).system[2], worker?.instructions, role)
  }
  assert.equal((await systemText(undefined, head)).system[2], worker?.instructions, "without an answer")
  assert.deepEqual((await systemText({ role: "worker", card: "" }, ["Mine."], { agent: { worker: { prompt: "Mine." } } })).system, ["Mine."])
})

test("no other request is touched or asked about", async () => {
  const identity = roles.get("worker")?.identity ?? ""
  for (const [system, input] of /** @type {[string[], any][]} */ ([
    [["You are a title generator. You output ONLY a thread title."], { sessionID: "ses" }],
    [["You are a context summarization agent."], { sessionID: "ses" }],
    [["You are opencode."], { sessionID: "ses" }],
    [[], { sessionID: "ses" }],
    [[identity], {}],
  ])) {
    const config = system.length > 0 && input.sessionID ? { agent: { worker: { prompt: system[0] } } } : {}
    const ours = system[0] === "You are opencode."
    const done = await systemText({ role: "worker", card: "CARD" }, system, ours ? {} : config, input)
    assert.deepEqual(done, { system, asked: [] })
  }
})

test("the size of a request counts what is written, called and answered", async () => {
  const { run, asked } = plugin({ settings_asked: fact({}), role_asked: fact({ role: "worker", card: "", capped: true }), request_asked: yes() })
  await run.config({})
  const bytes = async (/** @type {any[]} */ parts, sessionID = "ses") => {
    await run["experimental.chat.messages.transform"]({}, { messages: [{ info: { sessionID }, parts }, { info: {} }] })
    await run["experimental.chat.system.transform"]({ sessionID: "ses" }, { system: [roles.get("worker")?.identity ?? ""] })
    await run["chat.params"]({ sessionID: "ses", agent: "worker", model: {} }, {})
    return asked.at(-1).bytes
  }
  const none = await bytes([])
  assert.equal((await bytes([{ type: "text", text: "Grüße" }])) - none, 7)
  assert.equal((await bytes([{ type: "reasoning", text: "abc" }])) - none, 3)
  const tool = (/** @type {any} */ state) => ({ type: "tool", state })
  assert.equal((await bytes([tool({ input: { a: 1 }, output: "ää" })])) - none, 100 + 7 + 4)
  assert.equal((await bytes([tool({ error: "oh" })])) - none, 100 + 2 + 2)
  assert.equal((await bytes([tool(undefined)])) - none, 100 + 2)
  assert.equal((await bytes([{ type: "file", url: "x" }])) - none, 0)
})

test("what a request may cost is asked with the model's own prices and limits, where it has any", async () => {
  const { run, asked } = plugin({ settings_asked: fact({}), role_asked: fact({ role: "worker", card: "", capped: true }), request_asked: yes() })
  await run.config({})
  await run["experimental.chat.system.transform"]({ sessionID: "ses" }, { system: [roles.get("worker")?.identity ?? ""] })
  const request = async (/** @type {any} */ model, /** @type {any} */ output = {}) => {
    await run["chat.params"]({ sessionID: "ses", agent: "worker", model }, output)
    const { output_max, input_usd, output_usd, model: name } = asked.at(-1)
    return [name, output_max, input_usd, output_usd, output.maxOutputTokens]
  }
  const named = { providerID: "p", id: "m" }
  assert.deepEqual(await request(named), ["p/m", 0, 0, 0, undefined])
  assert.deepEqual(await request({ ...named, cost: { output: 5, cache: {} }, limit: {} }), ["p/m", 0, 0, 5, undefined])
  assert.deepEqual(await request({ ...named, cost: { input: 3, cache: { write: 2 } }, limit: { output: 10.5 } }), ["p/m", 10, 3, 0, undefined])
  assert.deepEqual(await request({ ...named, cost: { input: -1, output: -1 }, limit: { output: 10 } }, { maxOutputTokens: 7 }), ["p/m", 7, 0, 0, 7])
})

test("each tool says what it takes, by a schema whose required arguments are among its own", () => {
  const { run } = plugin()
  assert.deepEqual(Object.keys(run.tool), Object.keys(missionTools))
  const check = (/** @type {any} */ schema, /** @type {string} */ at) => {
    if (schema.type === "array") return check(schema.items, `${at}[]`)
    if (schema.enum) for (const value of schema.enum) assert.equal(typeof value, "string", at)
    if (schema.type !== "object") return assert.ok(["string", "integer", "number", "boolean"].includes(schema.type), `${at}: ${schema.type}`)
    // An object without named properties is one that its description names, and that the engine checks.
    if (!schema.properties && /\.|\[/.test(at)) return
    assert.ok(!Array.isArray(schema.properties) && typeof schema.properties === "object", at)
    for (const name of schema.required ?? []) assert.ok(schema.properties[name], `${at}.${name}`)
    for (const [name, each] of Object.entries(schema.properties)) check(each, `${at}.${name}`)
  }
  for (const [name, { schema, roles: seenBy, description }] of Object.entries(missionTools)) {
    assert.equal(schema.type, "object")
    check(schema, name)
    assert.notEqual(description, "", name)
    for (const role of seenBy) assert.ok(roles.has(role), `${name}: ${role}`)
  }
})

test("a tool's arguments are described as they are; other tools are left alone", async () => {
  const { run } = plugin()
  /** @type {any} */
  const output = { jsonSchema: "theirs" }
  await run["tool.definition"]({ toolID: "bash" }, output)
  assert.equal(output.jsonSchema, "theirs")
  await run["tool.definition"]({ toolID: "submit_work" }, output)
  assert.equal(output.jsonSchema, missionTools.submit_work?.schema)
})

test("a write is asked for with its path and whose it is, and refused in the engine's words", async () => {
  const { run, asked, state } = plugin()
  const write = (/** @type {any} */ args, tool = "write", sessionID = "ses") => run["tool.execute.before"]({ tool, sessionID, callID: "c" }, { args })
  await write({ filePath: "a.js" })
  state.children.add("ses")
  await write({ filePath: "b.js" }, "edit")
  await write({ patch: "*** Add File: c.js" }, "patch")
  await write({ filePath: "d.js" }, "read")
  await write({ filePath: "d.js" }, "write", "other")
  const question = (/** @type {string} */ path, /** @type {boolean} */ child) => ({ type: "write_asked", session: "ses", paths: [path], child, deadlineMs: 5000 })
  assert.deepEqual(asked, [question("a.js", false), question("b.js", true), question("c.js", true)])
  const refusing = plugin({ write_asked: no("T2 holds a.js") })
  await assert.rejects(refusing.run["tool.execute.before"]({ tool: "write", sessionID: "ses" }, { args: { filePath: "a.js" } }), /^Error: T2 holds a\.js$/)
})

test("a command's text is cut, and that of another session is not reported", async () => {
  const { run, asked, told } = plugin()
  const long = `a${"b".repeat(30_000)}`
  await run["tool.execute.before"]({ tool: "bash", sessionID: "ses" }, { args: { command: long } })
  await run["tool.execute.before"]({ tool: "bash", sessionID: "ses", callID: "c" }, {})
  await run["tool.execute.before"]({ tool: "bash", sessionID: "other", callID: "c" }, { args: { command: "x" } })
  const question = { type: "command_asked", session: "ses", deadlineMs: 5000 }
  assert.deepEqual(asked, [{ ...question, call: "", command: long.slice(0, 20_000) }, { ...question, call: "c", command: "" }])
  await run["tool.execute.after"]({ tool: "bash", sessionID: "other", callID: "c", args: { command: "x" } }, { output: "", metadata: { exit: 0 } })
  assert.deepEqual(told, [])
  await run["tool.execute.after"]({ tool: "bash", sessionID: "ses", callID: "c", args: { command: "x", workdir: "w" } }, { output: `a${"b".repeat(1_500_000)}`, metadata: { exit: 2 } })
  const [{ output, ...ran }] = told
  assert.deepEqual(ran, { type: "command_ran", session: "ses", call: "c", command: "x", workdir: "w", exit_code: 2 })
  assert.equal(output, `a${"b".repeat(999_999)}`)
  await run["tool.execute.after"]({ tool: "bash", sessionID: "ses" }, {})
  assert.deepEqual(told[1], { type: "command_ran", session: "ses", call: "", command: "", workdir: "", exit_code: -1, output: "" })
})

test("what a write broke is put behind its own output, where that is a text", async () => {
  const { run } = plugin({ check_asked: yes("\n\nbroken") })
  const after = async (/** @type {any} */ output, /** @type {any} */ args = { filePath: "a.js" }) => {
    await run["tool.execute.after"]({ tool: "write", sessionID: "ses", args }, output)
    return output.output
  }
  assert.equal(await after({ output: "Done." }), "Done.\n\nbroken")
  assert.equal(await after({}), undefined)
  assert.equal(await after({ output: "Done." }, {}), "Done.")
})

test("in run mode a turn's end is reported before it happens, and the turn goes on with the mission's answer", async () => {
  /** @type {any[]} */
  const prompted = []
  let error
  const client = { session: { prompt: async (/** @type {any} */ call) => (prompted.push(call), { error }) } }
  const complete = (/** @type {any} */ it, sessionID = "ses", messageID = "m1") => it.run["experimental.text.complete"]({ sessionID, messageID })
  const it = plugin({ turn_ending: yes("Go on.") }, { client, mode: "run" })
  it.adapter.names.set("commander", "Commander")
  it.state.children.add("ses_child")
  await complete(it, "ses_child")
  await complete(it, "other")
  const part = { sessionID: "ses", messageID: "m2", type: "tool", tool: "bash", id: "p", state: { status: "running" } }
  await it.run.event({ event: { type: "message.part.updated", properties: { part } } })
  await complete(it, "ses", "m2") // its turn goes on by itself
  assert.deepEqual(it.asked, [])
  await complete(it)
  assert.deepEqual(it.asked, [{ type: "turn_ending", session: "ses" }])
  const parts = [{ type: "text", text: "Go on.", metadata: { orchestrator: true } }]
  assert.deepEqual(prompted, [{ path: { id: "ses" }, body: { noReply: true, agent: "Commander", parts } }])
  error = { name: "Gone" }
  await assert.rejects(complete(it), /could not go on.*Gone/)
  const silent = plugin({}, { client, mode: "run" })
  await complete(silent)
  assert.equal(prompted.length, 2)
  const served = plugin({ turn_ending: yes("Go on.") }, { client })
  await complete(served)
  assert.deepEqual(served.asked, [])
})

/** @returns {any} a tool call's context with an abort to be triggered */
function context() {
  const controller = new AbortController()
  return { sessionID: "ses", messageID: "m1", abort: controller.signal, cancel: () => controller.abort() }
}

test("a tool's call is the engine's question, and its answer the call's result", async () => {
  const { run, asked, state, told } = plugin({ submit_work: yes("Taken: T1"), submit_review: no("no receipt") })
  const ctx = context()
  assert.equal(await run.tool.submit_work.execute({ summary: "s" }, ctx), "Taken: T1")
  assert.deepEqual(asked, [{ type: "submit_work", session: "ses", args: '{"summary":"s"}' }])
  await assert.rejects(run.tool.submit_review.execute(undefined, context()), /^Error: no receipt$/)
  assert.equal(asked[1].args, "{}")
  assert.equal(state.calls.size, 0)
  ctx.cancel() // the host does so after a normal end, too
  assert.deepEqual(told, [])
  assert.equal(run.tool.submit_work.args, missionTools.submit_work?.schema.properties)
  assert.equal(run.tool.submit_work.description, missionTools.submit_work?.description)
})

test("a call that is aborted while it waits is reported, and given up", async () => {
  /** @type {(answer: Answer) => void} */
  let give = () => {}
  const { run, state, told, abandoned } = plugin({ mission_run: new Promise((resolve) => (give = resolve)) })
  const ctx = context()
  const call = run.tool.mission_run.execute({}, ctx)
  await new Promise(setImmediate)
  const [[request, display] = [], ...others] = /** @type {[string, any][]} */ ([...state.calls])
  assert.deepEqual([request, display?.session, display?.message, others], ["r1", "ses", "m1", []])
  ctx.cancel()
  assert.equal(state.calls.size, 0)
  await display.show({ title: "1/1", text: "" }) // OpenCode ends the call's part by itself: it is not asked for it
  assert.deepEqual(told, [{ type: "call_aborted", request: "r1", session: "ses" }])
  assert.deepEqual(abandoned, ["r1"])
  give(no("lost"))
  await assert.rejects(call, /lost/)
})
