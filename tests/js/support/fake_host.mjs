// A host without OpenCode: implements the seam (js/host/host.js) with sessions in memory and scripted models, so that stories
// run against the real engine addon in milliseconds.
//
//   const host = new FakeHost(directory, { models: { ...roles, worker: myWorker } })
//   const session = host.openSession()
//   await host.command(session, "task", "Write it")      // resolves when the turn is over

import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { attach, locate } from "../../../js/plugin/plugin.js"

/** @typedef {import("../../../js/host/host.js").Host} Host */
/** @typedef {import("../../../js/host/host.js").Orchestrator} Orchestrator */
/** @typedef {import("../../../js/host/host.js").SessionMark} SessionMark */
/** @typedef {{tool: string, args: any}} Call */
/** @typedef {{text: string} | {calls: Call[]}} Answer */
/** @typedef {{role: string, task: string, session: string, prompt: string, host: FakeHost}} Turn */
/** @typedef {(turn: Turn) => Generator<Answer, void, string> | AsyncGenerator<Answer, void, string>} Model
 *   yields its answers; is given the results of an answer's calls, one below the other */
/** @typedef {{role: "user" | "assistant", text: string, effect: number, calls: (Call & {id: string, result?: string})[], done: boolean}} Message */
/**
 * @typedef {object} Session
 * @property {string} id
 * @property {string} [parent]
 * @property {SessionMark} [mark]
 * @property {string} role
 * @property {string} directory
 * @property {string[]} inbox         effects' or a person's prompts that no turn has taken
 * @property {Message[]} messages
 * @property {AbortController} [turn] of the turn that runs
 * @property {Promise<void>} over     the end of the newest turn
 */

const idle = Promise.resolve()

class Aborted extends Error {
  name = "MessageAbortedError"
}

/** @implements {Host} */
export class FakeHost {
  /** @type {Map<string, Session>} */
  sessions = new Map()
  /** What was asked of the host, by name of the operation @type {{operation: string, [key: string]: any}[]} */
  asked = []
  /** Every model request that left @type {{session: string, role: string, task: string, prompt: string, system: string}[]} */
  requests = []
  /** Model requests that did not leave, and why @type {{role: string, text: string}[]} */
  refused = []
  /** @type {import("../../../js/host/host.js").Notice[]} */
  notices = []
  /** Progress that was shown of calls that wait @type {{title: string, text: string}[]} */
  progress = []
  /** waiting permission requests @type {Map<string, {session: string, what: string, answer: (text: string | undefined) => void}>} */
  permissions = new Map()
  #next = 1

  /**
   * @param {string} directory
   * @param {object} options
   * @param {Record<string, Model>} options.models  by role
   * @param {"run" | "serve"} [options.mode]
   * @param {number} [options.answerTokens]  that each answer is counted with
   * @param {(command: string) => boolean} [options.asks]  commands that a person must allow
   */
  constructor(directory, { models, mode = "serve", answerTokens = 100, asks = () => false }) {
    this.directory = directory
    this.models = models
    this.answerTokens = answerTokens
    this.asks = asks
    this.traits = { mode, interactive: false, endsWhenIdle: mode === "run" }
    /** An instance for each directory, as OpenCode has them @type {Map<string, Orchestrator>} */
    this.instances = new Map([[directory, this.#attach(directory)]])
    // A host's process lives on while nothing runs; the addon keeps none alive.
    this.alive = setInterval(() => {}, 1_000)
  }

  /** @param {string} directory */
  #attach(directory) {
    return attach(locate(directory), this)
  }

  /** The instance of a directory; the first use brings it up. @param {string} directory @returns {Orchestrator} */
  #instance(directory) {
    const known = this.instances.get(directory)
    if (known) return known
    const instance = this.#attach(directory)
    this.instances.set(directory, instance)
    return instance
  }

  get orchestrator() {
    return this.#instance(this.directory)
  }

  /** The session's instance. @param {string} id */
  #of(id) {
    return this.#instance(this.#session(id).directory)
  }

  /** @param {string} prefix */
  #id(prefix) {
    return `${prefix}_${this.#next++}`
  }

  /** @param {string} id @returns {Session} */
  #session(id) {
    const session = this.sessions.get(id)
    if (!session) throw new Error(`no session ${id}`)
    return session
  }

  // What a person does.

  openSession() {
    const id = this.#id("ses")
    this.sessions.set(id, { id, role: "commander", directory: this.directory, inbox: [], messages: [], over: idle })
    return id
  }

  /**
   * A refusal ends the turn before it reaches a model.
   * @param {string} session @param {string} name @param {string} [text]
   */
  async command(session, name, text = "") {
    const answer = await this.orchestrator.gates.command({ session, name, text })
    if (answer.ok) await this.say(session, answer.text, { ours: true })
    return answer
  }

  /** @param {string} id @param {string} text @param {{ours?: boolean}} [options] */
  async say(id, text, { ours = false } = {}) {
    const session = this.#session(id)
    if (!ours && this.orchestrator.watches(id)) this.orchestrator.tell({ type: "user_spoke", session: id, text })
    this.#prompt(session, text, 0)
    await session.over
  }

  /** A person presses Esc. @param {string} session */
  async escape(session) {
    await this.stopSession(session)
    await this.#session(session).over
  }

  /** @param {string} permission @param {boolean} allowed */
  answerPermission(permission, allowed) {
    this.#answer(permission, allowed ? undefined : "The user rejected this.")
  }

  /** The instance is thrown away: its turns end and tell nothing; a new instance begins. */
  async reload() {
    const gone = this.orchestrator
    gone.close()
    const { promise: over, resolve } = deferred()
    gone.reloading(over)
    for (const session of this.sessions.values()) session.turn?.abort()
    await this.idle()
    this.instances.set(this.directory, this.#attach(this.directory))
    resolve()
  }

  /** Resolves when no turn runs. */
  async idle() {
    for (const { over } of this.sessions.values()) await over
  }

  async close() {
    for (const session of this.sessions.values()) session.turn?.abort()
    await this.idle()
    for (const instance of this.instances.values()) instance.close()
    clearInterval(this.alive)
  }

  // The operations.

  /** @param {import("../../../js/host/host.js").NewSession} wanted */
  async createSession({ parent, mark, directory = this.directory }) {
    this.asked.push({ operation: "createSession", parent, directory, ...mark })
    const id = this.#id("ses")
    this.#instance(directory)
    this.sessions.set(id, { id, parent, mark, role: mark.role, directory, inbox: [], messages: [], over: idle })
    return id
  }

  /** @param {import("../../../js/host/host.js").Prompt} prompt */
  async promptSession({ session, role, text, effect }) {
    this.asked.push({ operation: "promptSession", session, role, text })
    this.#prompt(this.#session(session), text, effect)
  }

  /** @param {string} id */
  async stopSession(id) {
    this.asked.push({ operation: "stopSession", session: id })
    this.#session(id).turn?.abort()
  }

  /** @param {string} id */
  async inspectSession(id) {
    const session = this.sessions.get(id)
    if (!session) return { exists: false, busy: false, in_tool: false, answered: false }
    return { exists: true, busy: session.turn !== undefined, ...turnOf(session) }
  }

  /** @param {import("../../../js/host/host.js").Family} family */
  async findSessions({ mission, parents, known, submissions }) {
    this.asked.push({ operation: "findSessions", mission })
    const family = [...this.sessions.values()].filter(
      ({ id, parent, mark }) => known.includes(id) || (parent && parents.includes(parent) && mark?.mission === mission),
    )
    const sessions = family.map((session) => ({
      session: session.id,
      creation: session.mark?.effect ?? 0,
      busy: session.turn !== undefined,
      ...turnOf(session),
      prompt: promptOf(session),
    }))
    const unanswered = family
      .filter((session) => session.turn === undefined && promptOf(session) > 0)
      .flatMap((session) => {
        const calls = session.messages.at(-1)?.calls ?? []
        const lost = calls.filter(({ tool, result }) => submissions.includes(tool) && result === undefined)
        return lost.map(({ id, tool, args }) => ({ session: session.id, tool, id, args, prompt: promptOf(session) }))
      })
    const deleted = parents.filter((id) => !this.sessions.has(id))
    const inWorktrees = family.filter((session) => session.directory !== this.directory)
    const worktrees = new Map(inWorktrees.map((session) => [session.id, session.directory]))
    return { sessions, unanswered, deleted, worktrees }
  }

  /** @param {string} directory */
  async openDirectory(directory) {
    this.asked.push({ operation: "openDirectory", directory })
    this.#instance(directory)
  }

  /** @param {string} directory */
  async closeDirectory(directory) {
    this.asked.push({ operation: "closeDirectory", directory })
    this.instances.get(directory)?.close()
    this.instances.delete(directory)
  }

  /** @param {import("../../../js/host/host.js").PermissionRejection} rejection */
  async rejectPermission({ permission, message }) {
    this.asked.push({ operation: "rejectPermission", permission, message })
    this.#answer(permission, message)
  }

  /** @param {import("../../../js/host/host.js").Notice} notice */
  async notify(notice) {
    this.notices.push(notice)
  }

  // Sessions and their turns.

  /** A prompt to a session whose turn runs joins that turn. @param {Session} session @param {string} text @param {number} effect */
  #prompt(session, text, effect) {
    session.messages.push({ role: "user", text, effect, calls: [], done: true })
    session.inbox.push(text)
    if (session.turn === undefined) session.over = this.#run(session)
  }

  /** One turn: answers until nothing is left to answer. An abort or a refused request ends it with an error and two idles. @param {Session} session */
  async #run(session) {
    const turn = (session.turn = new AbortController())
    const orchestrator = this.#of(session.id)
    const idled = () => orchestrator.tell({ type: "session_idled", session: session.id })
    await Promise.resolve()
    try {
      while (session.inbox.length > 0) await this.#answers(session, session.inbox.splice(0).join("\n\n"), turn.signal)
    } catch (error) {
      const { name, message } = /** @type {Error} */ (error)
      orchestrator.tell({ type: "session_errored", session: session.id, name, message, status: 0 })
      idled()
    }
    session.turn = undefined
    idled()
    if (session.inbox.length > 0 && !turn.signal.aborted) await this.#run(session)
  }

  /** The answers to one prompt. @param {Session} session @param {string} prompt @param {AbortSignal} signal */
  async #answers(session, prompt, signal) {
    const model = this.models[session.role]
    if (!model) throw new Error(`no model plays ${session.role}`)
    const { role, mark } = session
    const answers = model({ role, task: mark?.task ?? "", session: session.id, prompt, host: this })
    for (let results = ""; ; ) {
      await this.#ask(session, prompt, signal)
      const { value: answer, done } = await answers.next(results)
      if (done || !answer) return
      const message = this.#began(session, answer)
      try {
        results = await this.#carryOut(session, message, answer, signal)
      } catch (error) {
        this.#ended(session, message, { stopped: false, failed: true })
        throw error
      }
      this.#ended(session, message, { stopped: "text" in answer, failed: false })
      if ("text" in answer) return
    }
  }

  /** What an answer asks for; a text ends the turn, unless the mission needs it to go on. @param {Session} session @param {Message} message @param {Answer} answer @param {AbortSignal} signal */
  async #carryOut(session, message, answer, signal) {
    if ("calls" in answer) return this.#calls(session, message, signal)
    const more = this.traits.endsWhenIdle ? await abortable(this.#of(session.id).gates.turnEnding(session.id), signal) : ""
    if (more) session.inbox.push(more)
    return ""
  }

  /** The gates before a model request. @param {Session} session @param {string} prompt @param {AbortSignal} signal */
  async #ask(session, prompt, signal) {
    const { gates } = this.#of(session.id)
    const brief = await gates.system({ session: session.id, role: session.role })
    const request = { session: session.id, model: "fake/model", outputMax: 8192, inputUsd: 1, outputUsd: 1 }
    const bytes = Buffer.byteLength(prompt) + brief.instructions.length
    const { refused } = await abortable(gates.request({ ...request, bytes }), signal)
    if (refused !== undefined) {
      this.refused.push({ role: session.role, text: refused })
      throw new Error(refused)
    }
    const { role, mark } = session
    this.requests.push({ session: session.id, role, task: mark?.task ?? "", prompt, system: brief.instructions })
  }

  /** @param {Session} session @param {Answer} answer @returns {Message} */
  #began(session, answer) {
    const calls = "calls" in answer ? answer.calls.map((call) => ({ ...call, id: this.#id("call") })) : []
    /** @type {Message} */
    const message = { role: "assistant", text: "text" in answer ? answer.text : "", effect: 0, calls, done: false }
    session.messages.push(message)
    const orchestrator = this.#of(session.id)
    if (orchestrator.watches(session.id)) orchestrator.tell({ type: "turn_started", session: session.id, model: "fake/model" })
    return message
  }

  /** @param {Session} session @param {Message} message @param {{stopped: boolean, failed: boolean}} how */
  #ended(session, message, { stopped, failed }) {
    message.done = !failed
    const orchestrator = this.#of(session.id)
    if (!orchestrator.watches(session.id)) return
    orchestrator.tell({
      type: "turn_ended",
      session: session.id,
      tokens: this.answerTokens,
      usd: 0,
      stopped,
      model: "fake/model",
      empty: false,
      failed,
      message: this.#id("msg"),
    })
  }

  /** @param {Session} session @param {Message} message @param {AbortSignal} signal @returns {Promise<string>} */
  async #calls(session, message, signal) {
    const results = await Promise.all(
      message.calls.map(async (call) => {
        const result = await abortable(this.#call(session, call, signal), signal)
        return (call.result = result)
      }),
    )
    return results.join("\n")
  }

  /** An error is text for the model. @param {Session} session @param {Call & {id: string}} call @param {AbortSignal} signal */
  async #call(session, { tool, args, id }, signal) {
    const orchestrator = this.#of(session.id)
    const error = (/** @type {unknown} */ e) => `Error: ${/** @type {Error} */ (e).message}`
    const display = {
      show: async (/** @type {{title: string, text: string}} */ progress) => void this.progress.push(progress),
      clear: async () => {},
      abandon: () => {},
    }
    if (tool in orchestrator.contribution.tools)
      return orchestrator.callTool({ tool, session: session.id, args, signal, display }).catch(error)
    if (tool === "write") return this.#write(session.id, id, args).catch(error)
    return this.#command(session.id, id, args.command)
  }

  /** @param {string} session @param {string} call @param {{path: string, content: string}} args */
  async #write(session, call, { path, content }) {
    const { gates } = this.#of(session)
    const place = join(this.#session(session).directory, path)
    const write = { session, call, tool: "write", kind: /** @type {const} */ ("write"), paths: [place] }
    const refused = await gates.beforeTool(write)
    if (refused !== undefined) throw new Error(refused)
    mkdirSync(dirname(place), { recursive: true })
    writeFileSync(place, content)
    return `Wrote ${path}.${await gates.afterTool(write)}`
  }

  /** Knows `test -s FILE` and `gate NAME`, which waits until `openGate`. @param {string} session @param {string} call @param {string} command */
  async #command(session, call, command) {
    const { gates } = this.#of(session)
    const ran = { session, call, tool: "bash", kind: /** @type {const} */ ("command"), command }
    await gates.beforeTool(ran)
    const rejection = this.asks(command) ? await this.#askPermission(session, command) : undefined
    if (rejection !== undefined) return `Error: ${rejection}`
    const [, file] = /^test -s (\S+)$/.exec(command) ?? []
    const [, gate] = /^gate (\S+)$/.exec(command) ?? []
    if (gate !== undefined) await this.gate(gate).reached()
    const exitCode = file === undefined || existsSync(join(this.#session(session).directory, file)) ? 0 : 1
    await gates.afterTool({ ...ran, ran: { exitCode, workdir: "", output: "" } })
    return `exit code ${exitCode}`
  }

  /** @param {string} session @param {string} what @returns {Promise<string | undefined>} why it was rejected */
  #askPermission(session, what) {
    const permission = this.#id("per")
    return new Promise((answer) => {
      this.permissions.set(permission, { session, what, answer })
      this.#of(session).tell({ type: "permission_asked", permission, session, what })
    })
  }

  /** @param {string} permission @param {string | undefined} rejection */
  #answer(permission, rejection) {
    const asked = this.permissions.get(permission)
    this.permissions.delete(permission)
    if (!asked) return
    const { session } = asked
    this.#of(session).tell({ type: "permission_answered", permission, session, allowed: rejection === undefined })
    asked.answer(rejection)
  }

  /** @type {Map<string, {reached: () => Promise<void>, at: Promise<void>, open: () => void}>} */
  #gates = new Map()

  /** A point in a command where a model waits for the test. @param {string} name */
  gate(name) {
    const known = this.#gates.get(name)
    if (known) return known
    const [at, opened] = [deferred(), deferred()]
    const gate = {
      reached: () => (at.resolve(), opened.promise),
      at: at.promise,
      open: opened.resolve,
    }
    this.#gates.set(name, gate)
    return gate
  }
}

function deferred() {
  /** @type {() => void} */
  let resolve = () => {}
  const promise = /** @type {Promise<void>} */ (new Promise((now) => (resolve = () => now(undefined))))
  return { promise, resolve }
}

/** @param {Session} session */
function turnOf({ messages }) {
  const newest = messages.at(-1)
  const in_tool = newest?.calls.some(({ result }) => result === undefined) ?? false
  return { in_tool, answered: newest?.role === "assistant" && newest.done }
}

/** @param {Session} session @returns {number} the effect of its newest prompt by the engine */
const promptOf = ({ messages }) => messages.findLast(({ effect }) => effect > 0)?.effect ?? 0

/** @template T @param {Promise<T>} promise @param {AbortSignal} signal @returns {Promise<T>} */
function abortable(promise, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new Aborted("The turn was aborted."))
    if (signal.aborted) return abort()
    signal.addEventListener("abort", abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort))
  })
}
