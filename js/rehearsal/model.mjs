// The rehearsal model: an OpenAI-compatible server on 127.0.0.1 that plays every role of a mission.
//
//   const model = await startModel({ scenario: "library", latencyMs: 300 });
//   … point a provider at model.baseURL …
//   await model.waitFor((r) => r.role === "worker" && r.last);
//   await model.stop();

import { createServer } from "node:http"
import { readTurn, textOf } from "./conversation.mjs"
import { faultOptions, Faults } from "./faults.mjs"
import { now, Record as RequestRecord } from "./record.mjs"
import { Roles } from "./roles.mjs"
import { loadScenario } from "./scenario.mjs"
import { streamEvents, summarise, wholeAnswer } from "./wire.mjs"

/** @typedef {import("./record.mjs").ModelRequest} ModelRequest */
/** @typedef {import("./wire.mjs").Answer} Answer */
/** @typedef {import("node:http").ServerResponse} Response */
/**
 * @typedef {object} ModelOptions
 * @property {string|import("./scenario.mjs").Scenario} scenario
 * @property {number} [port]       default 0: a free one
 * @property {number|Record<string, number>} [latencyMs] per answer; or by role, with "default"
 * @property {number|import("./faults.mjs").FaultOptions} [faults] a probability, or more
 * @property {number} [seed]       of the faults
 * @property {number} [atOnce]     so many answers at a time; 429 beyond
 * @property {Record<string, string[]>} [counters] `model.counters` of a server that this one replaces
 * @property {boolean} [keepBodies] keep each request's body as `request.body` (tests)
 */

const kModelId = "scripted"

/** @param {ModelOptions} options */
export async function startModel(options) {
  const scenario = await loadScenario(options.scenario)
  const model = new RehearsalModel(scenario, options)
  await model.listen(options.port ?? 0)
  return model
}

export class RehearsalModel {
  /** @param {import("./scenario.mjs").Scenario} scenario @param {Omit<ModelOptions, "scenario">} options */
  constructor(scenario, options) {
    this.scenario = scenario
    this.options = options
    this.latencyMs = options.latencyMs ?? 0
    this.roles = new Roles(scenario, options.counters)
    this.faults = new Faults(faultOptions(options.faults ?? scenario.faults, options.seed))
    this.record = new RequestRecord()
    this.port = 0
    this.answering = 0
    this.server = createServer((request, response) => this.receive(request, response))
    this.server.keepAliveTimeout = 60_000
    this.server.on("connection", (socket) => socket.setNoDelay(true))
  }

  get requests() {
    return this.record.requests
  }
  get counters() {
    return this.roles.counters
  }
  get baseURL() {
    return `http://127.0.0.1:${this.port}/v1`
  }
  /** @type {RequestRecord["waitFor"]} */
  waitFor(predicate, options) {
    return this.record.waitFor(predicate, options)
  }
  answers() {
    return this.record.answers()
  }
  /** @type {RequestRecord["subscribe"]} */
  subscribe(listener) {
    return this.record.subscribe(listener)
  }

  /** @param {number} port */
  async listen(port) {
    await /** @type {Promise<void>} */ (
      new Promise((resolve, reject) => {
        this.server.once("error", reject)
        this.server.listen(port, "127.0.0.1", () => resolve())
      })
    )
    this.port = /** @type {import("node:net").AddressInfo} */ (this.server.address()).port
  }

  /** Ends every connection, also those that a fault holds open. */
  async stop() {
    const closed = new Promise((resolve) => this.server.close(resolve))
    this.server.closeAllConnections()
    await closed
  }

  /** @param {import("node:http").IncomingMessage} request @param {Response} response */
  receive(request, response) {
    const path = (request.url ?? "").split("?", 1)[0]
    if (request.method === "GET" && path === "/v1/models") {
      const data = [{ id: kModelId, object: "model", created: 0, owned_by: "rehearsal" }]
      return sendJson(response, 200, { object: "list", data })
    }
    if (request.method !== "POST" || path !== "/v1/chat/completions") {
      return sendJson(response, 404, { error: { message: `no ${request.method} ${path} here` } })
    }
    /** @type {Buffer[]} */
    const chunks = []
    request.on("data", (chunk) => chunks.push(chunk))
    request.on("end", () => {
      const raw = Buffer.concat(chunks)
      try {
        this.complete(request.headers, raw, response)
      } catch (error) {
        const message = `rehearsal model: ${/** @type {Error} */ (error).message}`
        sendJson(response, 400, { error: { message, type: "invalid_request_error" } })
      }
    })
  }

  /** @param {import("node:http").IncomingHttpHeaders} headers @param {Buffer} raw @param {Response} response */
  complete(headers, raw, response) {
    const at = now()
    const body = JSON.parse(raw.toString("utf8"))
    const turn = readTurn(body)
    const session = String(headers["x-session-id"] ?? "")
    const answer = this.roles.answer(turn, session)
    const valid = turn.calls.filter((c) => c.name !== "invalid").length
    const chosen = this.faults.choose({
      role: turn.role,
      task: turn.task,
      position: `${turn.ordinal}:${turn.rework}:${valid}:${turn.texts}:${summarise(answer)}`,
      malformable: Boolean(answer.calls?.length),
      model: body.model,
    })
    const crowded = this.answering >= (this.options.atOnce ?? Infinity)
    const fault = crowded ? "rate-limit" : chosen
    if (!crowded) {
      this.answering += 1
      response.once("close", () => (this.answering -= 1))
    }
    const system = turn.messages.filter((m) => m.role === "system")
    const entry = this.record.start({
      at,
      own_ms: 0,
      session,
      parent: headers["x-parent-session-id"] ? String(headers["x-parent-session-id"]) : null,
      role: turn.role,
      task: turn.task,
      bytes: raw.length,
      system_bytes: system.reduce((n, m) => n + Buffer.byteLength(textOf(m.content)), 0),
      tools_bytes: body.tools ? Buffer.byteLength(JSON.stringify(body.tools)) : 0,
      answer: fault === "empty" ? "nothing" : summarise(answer),
      fault,
      last: !answer.calls?.length,
    })
    if (this.options.keepBodies) Object.assign(entry, { body })
    response.on("finish", () => this.record.end(entry, false))
    response.on("close", () => this.record.end(entry, !response.writableFinished))
    const id = `${Math.round(at).toString(36)}${entry.index.toString(36)}`
    const send = prepare({ id, body, answer, fault, bytes: raw.length, response, options: this.faults.options })
    entry.own_ms = now() - at
    const latency = crowded ? 0 : this.latencyOf(turn.role)
    if (latency > 0) setTimeout(() => response.destroyed || send(), latency)
    else send()
  }

  /** @param {string} role */
  latencyOf(role) {
    if (typeof this.latencyMs === "number") return this.latencyMs
    return this.latencyMs[role] ?? this.latencyMs.default ?? 0
  }
}

/**
 * Everything is made ready before the latency runs; what is returned only writes it.
 * @param {{id: string, body: any, answer: Answer, fault: import("./faults.mjs").FaultKind|null, bytes: number,
 *   response: Response, options: import("./faults.mjs").FaultOptions}} job
 * @returns {() => void}
 */
function prepare({ id, body, answer, fault, bytes, response, options }) {
  const model = body.model ?? kModelId
  const refuse =
    (/** @type {number} */ status, /** @type {string} */ message, headers = {}) =>
    () =>
      sendJson(response, status, { error: { message, type: "rehearsal_fault", code: status } }, headers)
  if (fault === "rate-limit") {
    return refuse(429, "Rate limit reached (rehearsal)", { "retry-after": String(options.retry_after_s ?? 1) })
  }
  if (fault === "unauthorized") return refuse(401, "Invalid API key (rehearsal)")
  if (fault === "error-500") return refuse(500, "Internal error (rehearsal)")
  if (fault === "error-503") return refuse(503, "Overloaded (rehearsal)")
  if (fault === "stall") return () => void response.on("close", () => response.end())
  let said = answer
  if (fault === "empty") said = {}
  if (fault === "malformed") {
    said = { ...answer, calls: answer.calls?.map((c) => ({ ...c, raw: garble(JSON.stringify(c.args)) })) }
  }
  if (!body.stream) {
    const text = JSON.stringify(wholeAnswer(id, model, said, bytes))
    if (fault === "cut") return () => cut(response, "application/json", text)
    return () => sendText(response, 200, "application/json", text)
  }
  const text = streamEvents(id, model, said, bytes).join("")
  if (fault === "cut") return () => cut(response, "text/event-stream", text)
  return () => sendText(response, 200, "text/event-stream", text)
}

/** Cut off in the middle: never valid JSON. @param {string} json */
const garble = (json) => json.slice(0, Math.max(1, Math.floor(json.length / 2)))

/** @param {Response} response @param {string} type @param {string} text */
function cut(response, type, text) {
  response.writeHead(200, { "content-type": type })
  response.write(text.slice(0, Math.floor(text.length / 3)), () => response.destroy())
}

/** @param {Response} response @param {number} status @param {string} type @param {string} text */
function sendText(response, status, type, text, headers = {}) {
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(text),
    ...headers,
  })
  response.end(text)
}

/** @param {Response} response @param {number} status @param {any} value */
function sendJson(response, status, value, headers = {}) {
  sendText(response, status, "application/json", JSON.stringify(value), headers)
}
