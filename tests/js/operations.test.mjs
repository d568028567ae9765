// Each effect of the engine as the adapter for OpenCode carries it out, with a client that writes down what it is asked.

import assert from "node:assert/strict"
import { test } from "node:test"
import { adapterStateOf } from "../../js/host/opencode1/adapter-state.js"
import { ToolPart } from "../../js/host/opencode1/tool-part.js"
import { newDirectoryState } from "../../js/plugin/directory-state.js"
import { effectsOver } from "./support/opencode1.mjs"

/**
 * @param {Record<string, (call: any) => any>} [answers] by method, e.g. "session.create"; else `{data: undefined}`
 */
function host(answers = {}) {
  /** @type {[string, any][]} */
  const calls = []
  const method = (/** @type {string} */ name) => async (/** @type {any} */ call) => {
    calls.push([name, call])
    return answers[name]?.(call) ?? { data: undefined }
  }
  const group = (/** @type {string} */ name, /** @type {string[]} */ methods) => Object.fromEntries(methods.map((each) => [each, method(`${name}.${each}`)]))
  const client = {
    session: group("session", ["get", "create", "promptAsync", "abort", "messages", "status", "message"]),
    instance: group("instance", ["dispose"]),
    tui: group("tui", ["showToast"]),
    app: group("app", ["log"]),
    _client: group("_client", ["post", "patch"]),
  }
  const state = newDirectoryState()
  /** @type {any[]} */
  const told = []
  state.link = /** @type {any} */ ({ tell: (/** @type {any} */ message) => void told.push(message) })
  const run = effectsOver(client, state)
  const carry = async (/** @type {any} */ effect) => {
    run(effect)
    for (let i = 0; i < 5; ++i) await new Promise(setImmediate)
  }
  return { client, calls, state, told, carry }
}

const creation = { type: "create_session", effect: 7, parent: "root", title: "T", mission: "m", role: "worker", task: "T1", attempt: 2, directory: "" }

test("a session is made below its parent, with what the user denies and nothing that they allow", async () => {
  const deny = { permission: "bash", pattern: "*", action: "deny" }
  const ask = { permission: "edit", pattern: "*", action: "ask" }
  const it = host({
    "session.get": () => ({ data: { permission: [deny, { permission: "read", pattern: "*", action: "allow" }, ask] } }),
    "session.create": () => ({ data: { id: "ses1" } }),
  })
  await it.carry(creation)
  const metadata = { orchestrator: { mission: "m", role: "worker", task: "T1", attempt: 2, effect: 7 } }
  assert.deepEqual(it.calls, [
    ["session.get", { path: { id: "root" } }],
    ["session.create", { body: { parentID: "root", title: "T", permission: [deny, ask], metadata } }],
  ])
  assert.deepEqual(it.told, [{ type: "session_created", effect: 7, session: "ses1" }])
  assert.deepEqual([[...it.state.children], it.state.places.size, it.state.instances.size], [["ses1"], 0, 0])
  await it.carry({ ...creation, effect: 8 })
  assert.deepEqual(it.calls.map(([name]) => name).slice(2), ["session.create"], "the rules are known")
})

test("a session of a worktree is made there, and what is kept by directory is asked of it there", async () => {
  const it = host({ "session.create": () => ({ data: { id: "ses1" } }), "session.status": () => ({ data: {} }), "session.messages": () => ({ data: [] }) })
  await it.carry({ ...creation, directory: "/w" })
  assert.deepEqual(it.calls[1]?.[1].query, { directory: "/w" })
  assert.deepEqual([...it.state.places], [["ses1", "/w"]])
  assert.ok(it.state.instances.has("/w"))
  await it.carry({ type: "inspect_session", effect: 8, session: "ses1" })
  assert.deepEqual(it.calls.at(-1), ["session.status", { query: { directory: "/w" } }])
  await it.carry({ type: "reject_permission", permission: "p1", session: "ses1", message: "no" })
  const reply = { url: "/permission/p1/reply", body: { reply: "reject", message: "no" }, headers: { "Content-Type": "application/json" } }
  assert.deepEqual(it.calls.at(-1), ["_client.post", { ...reply, query: { directory: "/w" } }])
  await it.carry({ type: "reject_permission", permission: "p1", session: "other", message: "no" })
  assert.deepEqual(it.calls.at(-1), ["_client.post", reply])
})

test("rules that could not be read are asked for again, and an effect's failure is reported with the host's text", async () => {
  let error = /** @type {any} */ ({ data: { message: "x".repeat(600) } })
  const it = host({ "session.get": () => ({ error }), "session.create": () => ({ data: { id: "ses1" } }) })
  await it.carry(creation)
  assert.deepEqual(it.told, [{ type: "effect_failed", effect: 7, error: "x".repeat(500) }])
  error = undefined
  await it.carry({ ...creation, effect: 8 })
  assert.deepEqual(it.told[1], { type: "session_created", effect: 8, session: "ses1" })
  await it.carry({ type: "from_the_future", effect: 9 })
  assert.match(it.told[2].error, /from_the_future: not known/)
  await it.carry({ type: "from_the_future" })
  assert.equal(it.told.length, 3, "no one waits for it")
})

test("a prompt names the user's own agent, a model where there is one, and its effect", async () => {
  const it = host()
  adapterStateOf(it.state).names.set("worker", "Worker")
  const prompt = { type: "prompt_session", effect: 3, session: "ses1", agent: "worker", text: "Go on.", model: "", no_reply: false }
  await it.carry(prompt)
  const parts = [{ type: "text", text: "Go on.", metadata: { orchestrator: true, effect: 3 } }]
  assert.deepEqual(it.calls[0], ["session.promptAsync", { path: { id: "ses1" }, body: { agent: "Worker", parts } }])
  assert.deepEqual(it.told, [{ type: "prompt_accepted", effect: 3 }])
  await it.carry({ ...prompt, agent: "reviewer", model: "p/a/b", no_reply: true })
  assert.deepEqual(it.calls[1]?.[1].body, { agent: "reviewer", model: { providerID: "p", modelID: "a/b" }, noReply: true, parts })
  await it.carry({ type: "abort_session", session: "ses1" })
  assert.deepEqual(it.calls[2], ["session.abort", { path: { id: "ses1" } }])
})

test("a session is inspected by its newest message and the host's word for it", async () => {
  const user = { info: { role: "user" }, parts: [] }
  const assistant = (/** @type {any} */ info = {}, /** @type {any[]} */ parts = []) => ({ info: { role: "assistant", time: { completed: 1 }, ...info }, parts })
  const tool = (/** @type {string} */ status, type = "tool") => ({ type, state: { status } })
  const look = async (/** @type {any} */ messages, /** @type {any} */ status) => {
    const it = host({ "session.messages": () => messages, "session.status": () => ({ data: status }) })
    await it.carry({ type: "inspect_session", effect: 4, session: "ses1" })
    const [{ type, effect, session, ...said }] = it.told
    assert.deepEqual([type, effect, session], ["session_inspected", 4, "ses1"])
    return said
  }
  assert.deepEqual(await look({ error: { name: "NotFound" } }, {}), { exists: false })
  const idle = { exists: true, busy: false, in_tool: false, answered: false }
  assert.deepEqual(await look({ data: [] }, undefined), idle)
  assert.deepEqual(await look({ data: [user] }, { ses1: { type: "idle" } }), idle)
  assert.deepEqual(await look({ data: [user] }, { ses1: { type: "busy" } }), { ...idle, busy: true })
  assert.deepEqual(await look({ data: [user] }, { other: { type: "busy" } }), idle)
  assert.deepEqual(await look({ data: [user, assistant()] }, {}), { ...idle, answered: true })
  assert.deepEqual(await look({ data: [assistant(), user] }, {}), idle, "the newest counts")
  assert.deepEqual(await look({ data: [assistant({ error: { name: "x" } })] }, {}), idle)
  assert.deepEqual(await look({ data: [assistant({ time: {} })] }, {}), idle)
  assert.deepEqual(await look({ data: [assistant({}, [tool("completed"), tool("running")])] }, {}), { ...idle, in_tool: true, answered: true })
  assert.deepEqual(await look({ data: [assistant({ time: {} }, [tool("completed"), tool("running", "text")])] }, {}), idle)
})

test("progress is shown in the part of the waiting call, and the call's end removes it", async () => {
  const part = { id: "p1", sessionID: "root", messageID: "m1", type: "tool", tool: "mission_run", state: { status: "running", input: { a: 1 }, metadata: { b: 2 } } }
  const others = [{ ...part, id: "p0", tool: "bash" }, { ...part, id: "p2", state: { status: "completed" } }]
  const it = host({ "session.message": () => ({ data: { parts: [...others, part] } }) })
  const progress = (/** @type {string} */ title) => it.carry({ type: "show_progress", request: "r1", title, text: "all of it" })
  await progress("1/3")
  assert.deepEqual(it.calls, [], "no call waits")
  const display = new ToolPart(it.client, "root", "m1")
  it.state.calls.set("r1", display)
  await progress("1/3")
  await progress("2/3")
  assert.deepEqual(it.calls[0], ["session.message", { path: { id: "root", messageID: "m1" } }])
  assert.equal(it.calls.length, 3, "the part is looked for once")
  const state = { status: "running", title: "2/3", input: { a: 1, progress: "2/3" }, metadata: { b: 2, progress: "all of it" } }
  const patch = (/** @type {any} */ body) => ["_client.patch", { url: "/session/root/message/m1/part/p1", body, headers: { "Content-Type": "application/json" } }]
  assert.deepEqual(it.calls[2], patch({ ...part, state }))
  await display.clear()
  assert.deepEqual(it.calls.slice(3), [patch(part)], "the arguments are the model's own again")
  await progress("3/3")
  assert.equal(it.calls.length, 4, "nothing is shown after the end")
  it.state.calls.delete("r1")
  await progress("3/3")
  assert.equal(it.calls.length, 4)
})

test("a patch under way arrives before the call's end; a call without progress, or whose part is not there, is not patched", async () => {
  const part = { id: "p1", sessionID: "root", messageID: "m1", type: "tool", tool: "mission_run", state: { status: "running", input: {} } }
  let parts = [part]
  /** @type {() => void} */
  let arrive = () => {}
  const arrived = new Promise((resolve) => (arrive = () => resolve({ data: undefined })))
  const it = host({ "session.message": () => ({ data: { parts } }), "_client.patch": () => arrived })
  const display = new ToolPart(it.client, "root", "m1")
  const shown = display.show({ title: "1/1", text: "" })
  await new Promise(setImmediate)
  const cleared = display.clear()
  await new Promise(setImmediate)
  assert.deepEqual(it.calls.map(([name]) => name), ["session.message", "_client.patch"])
  arrive()
  await Promise.all([shown, cleared])
  assert.deepEqual(it.calls[2]?.[1].body, part)
  await new ToolPart(it.client, "root", "m1").clear()
  parts = []
  const absent = new ToolPart(it.client, "root", "m1")
  await absent.show({ title: "1/1", text: "" })
  await absent.clear()
  assert.deepEqual(it.calls.slice(3).map(([name]) => name), ["session.message"])
})

test("progress counts as shown when its patch has arrived; the end waits for a patch under way, also one that fails; a call given up is not patched", async () => {
  const part = { id: "p1", sessionID: "root", messageID: "m1", type: "tool", tool: "mission_run", state: { status: "running", input: {} } }
  /** @type {((answer: any) => void)[]} */
  const answers = []
  const it = host({ "session.message": () => ({ data: { parts: [part] } }), "_client.patch": () => new Promise((resolve) => answers.push(resolve)) })
  const patches = () => it.calls.filter(([name]) => name === "_client.patch").map(([, { body }]) => body.state.title)
  const display = new ToolPart(it.client, "root", "m1")
  const ended = { shown: false, cleared: false }
  const shown = display.show({ title: "1/2", text: "" }).then(() => (ended.shown = true))
  await new Promise(setImmediate)
  assert.deepEqual([patches(), ended.shown], [["1/2"], false], "the patch has not arrived yet")
  answers[0]?.({})
  await shown
  const failing = display.show({ title: "2/2", text: "" })
  await new Promise(setImmediate)
  const cleared = display.clear().then(() => (ended.cleared = true))
  await new Promise(setImmediate)
  assert.deepEqual(patches(), ["1/2", "2/2"], "the part as it was is put back behind the patch under way")
  answers[1]?.(Promise.reject(new Error("gone")))
  await assert.rejects(failing, /gone/)
  await new Promise(setImmediate)
  assert.deepEqual([patches(), ended.cleared], [["1/2", "2/2", undefined], false], "… also where that has failed")
  answers[2]?.({})
  await cleared

  const late = new ToolPart(it.client, "root", "m1")
  const unshown = late.show({ title: "1/2", text: "" })
  late.abandon()
  await unshown
  await late.show({ title: "2/2", text: "" })
  assert.equal(patches().length, 3, "it was given up while its part was looked for")
})

test("a toast is shown and logged at its level", async () => {
  const it = host()
  const levels = { error: "error", warning: "warn", info: "info", success: "info" }
  for (const variant of Object.keys(levels)) await it.carry({ type: "show_toast", variant, text: variant })
  assert.deepEqual(
    it.calls,
    Object.entries(levels).flatMap(([variant, level]) => [
      ["tui.showToast", { body: { message: variant, variant } }],
      ["app.log", { body: { service: "orchestrator", level, message: variant } }],
    ]),
  )
})

test("a worktree's instance is disposed of once, and its sessions have no place any more", async () => {
  const it = host()
  it.state.instances.add("/w")
  it.state.places.set("ses1", "/w")
  it.state.places.set("ses2", "/other")
  for (const effect of [1, 2]) await it.carry({ type: "dispose_directory", effect, directory: "/w" })
  assert.deepEqual(it.calls, [["instance.dispose", { query: { directory: "/w" } }]])
  assert.deepEqual(it.told, [{ type: "directory_disposed", effect: 1 }, { type: "directory_disposed", effect: 2 }])
  assert.deepEqual([...it.state.places], [["ses2", "/other"]])
})
