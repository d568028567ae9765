// A small client of OpenCode's HTTP API: enough to drive sessions in tests and in the bench's oracle. It
// uses node:http and not fetch, because a prompt may block longer than fetch's 300 s.

import { request as httpRequest } from "node:http"

/** @typedef {{agent?: string, noReply?: boolean, system?: string, model?: {providerID: string, modelID: string}}} PromptOptions */
/** @typedef {{type: string, properties: any}} HostEvent */

export class HostError extends Error {
  /** @param {string} message @param {number} status @param {any} body */
  constructor(message, status, body) {
    super(message)
    this.status = status
    this.body = body
  }
}

export class HostClient {
  /** @param {string} url @param {string} directory */
  constructor(url, directory) {
    this.url = url
    this.directory = directory
  }

  /** The same server seen from another directory. @param {string} directory */
  at(directory) {
    return new HostClient(this.url, directory)
  }

  /**
   * @param {string} method @param {string} path @param {any} [body] @param {{timeoutMs?: number}} [options]
   * @returns {Promise<any>} the JSON of the answer, null for an empty one
   */
  call(method, path, body, { timeoutMs = 0 } = {}) {
    const text = body === undefined ? undefined : JSON.stringify(body)
    return new Promise((resolve, reject) => {
      const request = httpRequest(new URL(path, this.url), { method, agent: false, headers: this.headers(text) })
      const timer = timeoutMs
        ? setTimeout(() => request.destroy(new Error(`${method} ${path}: no answer in ${timeoutMs} ms`)), timeoutMs)
        : undefined
      request.on("close", () => clearTimeout(timer))
      request.on("error", reject)
      request.on("response", (response) => {
        let raw = ""
        response.setEncoding("utf8")
        response.on("data", (chunk) => (raw += chunk))
        response.on("error", reject)
        response.on("end", () => {
          const status = response.statusCode ?? 0
          const value = parsed(raw)
          if (status < 400) return resolve(value)
          reject(new HostError(`${method} ${path}: HTTP ${status} ${raw.slice(0, 300)}`, status, value))
        })
      })
      request.end(text)
    })
  }

  /** @param {string} [text] @returns {Record<string, string|number>} */
  headers(text) {
    return {
      "x-opencode-directory": encodeURIComponent(this.directory),
      ...(text === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
    }
  }

  /** @param {{title?: string, parentID?: string, permission?: any[], metadata?: any}} [body] */
  createSession(body = {}) {
    return this.call("POST", "/session", body)
  }
  /** Waits for the whole turn. @param {string} id @param {string} text @param {PromptOptions} [options] */
  prompt(id, text, options = {}) {
    return this.call("POST", `/session/${id}/message`, { ...options, parts: [{ type: "text", text }] })
  }
  /** @param {string} id @param {string} text @param {PromptOptions} [options] */
  promptAsync(id, text, options = {}) {
    return this.call("POST", `/session/${id}/prompt_async`, { ...options, parts: [{ type: "text", text }] })
  }
  /** Waits for the whole turn. @param {string} id @param {string} command @param {string} [args] @param {any} [more] */
  command(id, command, args = "", more = {}) {
    return this.call("POST", `/session/${id}/command`, { command, arguments: args, ...more })
  }
  /** @param {string} id */
  abort(id) {
    return this.call("POST", `/session/${id}/abort`)
  }
  /** @param {string} id @returns {Promise<{info: any, parts: any[]}[]>} */
  messages(id) {
    return this.call("GET", `/session/${id}/message`)
  }
  /** @param {string} id @returns {Promise<any[]>} */
  children(id) {
    return this.call("GET", `/session/${id}/children`)
  }
  /** Sessions that are not idle. */
  status() {
    return this.call("GET", "/session/status")
  }
  /** @returns {Promise<any[]>} */
  sessions() {
    return this.call("GET", "/session")
  }
  /** @returns {Promise<any[]>} */
  permissions() {
    return this.call("GET", "/permission")
  }
  /** @param {string} id @param {"once"|"always"|"reject"} reply @param {string} [message] */
  replyPermission(id, reply, message) {
    return this.call("POST", `/permission/${id}/reply`, { reply, ...(message ? { message } : {}) })
  }

  /** Resolves once the stream is open: nothing that happens afterwards is missed. */
  async events() {
    const stream = new HostEvents()
    await stream.open(this)
    return stream
  }
}

export class HostEvents {
  constructor() {
    /** @type {HostEvent[]} */
    this.all = []
    /** @type {Set<(event: HostEvent) => void>} */
    this.listeners = new Set()
    this.close = () => {}
  }

  /** @param {HostClient} client @returns {Promise<void>} */
  open(client) {
    return new Promise((resolve, reject) => {
      const request = httpRequest(new URL("/event", client.url), { agent: false, headers: client.headers() })
      this.close = () => void request.destroy()
      request.on("error", reject)
      request.on("response", (response) => {
        let rest = ""
        response.setEncoding("utf8")
        response.on("error", () => {})
        response.on("data", (chunk) => {
          const blocks = (rest + chunk).split("\n\n")
          rest = blocks.pop() ?? ""
          for (const block of blocks) this.take(parsed(block.replace(/^data: ?/, "")))
          resolve()
        })
      })
      request.end()
    })
  }

  /** @param {any} event */
  take(event) {
    if (!event?.type) return
    this.all.push(event)
    for (const listener of [...this.listeners]) listener(event)
  }

  /**
   * The first event that the predicate takes, past or to come.
   * @param {(event: HostEvent) => boolean} predicate @param {{timeoutMs?: number}} [options]
   * @returns {Promise<HostEvent>}
   */
  waitFor(predicate, { timeoutMs = 30_000 } = {}) {
    const seen = this.all.find(predicate)
    if (seen) return Promise.resolve(seen)
    return new Promise((resolve, reject) => {
      const listener = (/** @type {HostEvent} */ event) => {
        if (!predicate(event)) return
        clearTimeout(timer)
        this.listeners.delete(listener)
        resolve(event)
      }
      const timer = setTimeout(() => {
        this.listeners.delete(listener)
        const tail = this.all.slice(-8).map((e) => e.type)
        reject(new Error(`no such event in ${timeoutMs} ms; the last were: ${tail.join(" ") || "none"}`))
      }, timeoutMs)
      this.listeners.add(listener)
    })
  }
}

/** @param {string} raw */
function parsed(raw) {
  try {
    return raw ? JSON.parse(raw) : null
  } catch {
    return raw
  }
}
