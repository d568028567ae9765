// One OpenCode process of ours: started in a group of its own, ended by that group's id and nothing else.

import { spawn } from "node:child_process"
import { createServer } from "node:net"

/** @typedef {{code: number|null, signal: string|null, stdout: string, stderr: string, timedOut: boolean, ms: number}} Ended */

export class OpencodeProcess {
  /**
   * @param {string} binary @param {string[]} args
   * @param {{cwd: string, env: Record<string, string>, timeoutMs?: number, onOutput?: (text: string) => void}} options
   */
  constructor(binary, args, { cwd, env, timeoutMs = 0, onOutput }) {
    const begin = performance.now()
    this.stdout = ""
    this.stderr = ""
    this.timedOut = false
    // stdin is /dev/null: `opencode run` reads anything else to its end before it starts.
    this.child = spawn(binary, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] })
    this.pid = this.child.pid
    this.child.stdout.setEncoding("utf8").on("data", (text) => {
      this.stdout += text
      onOutput?.(text)
    })
    this.child.stderr.setEncoding("utf8").on("data", (text) => {
      this.stderr += text
      onOutput?.(text)
    })
    const timer = timeoutMs
      ? setTimeout(() => {
          this.timedOut = true
          this.kill("SIGKILL")
        }, timeoutMs)
      : undefined
    /** @type {Promise<Ended>} */
    this.ended = new Promise((resolve, reject) => {
      this.child.once("error", reject)
      this.child.once("close", (code, signal) => {
        clearTimeout(timer)
        const { stdout, stderr, timedOut } = this
        resolve({ code, signal, stdout, stderr, timedOut, ms: performance.now() - begin })
      })
    })
    this.ended.catch(() => clearTimeout(timer))
  }

  get running() {
    return this.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null
  }

  /** To the whole group, so that shells of its tools go too. @param {NodeJS.Signals} signal */
  kill(signal) {
    if (!this.running || this.pid === undefined) return
    try {
      process.kill(-this.pid, signal)
    } catch {
      // It ended in this very moment.
    }
  }

  /** TERM, and KILL after a grace. @param {number} [graceMs] */
  async stop(graceMs = 2000) {
    this.kill("SIGTERM")
    const timer = setTimeout(() => this.kill("SIGKILL"), graceMs)
    await this.ended.catch(() => {})
    clearTimeout(timer)
  }
}

/** A port that nothing listens on at this moment. @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const { port } = /** @type {import("node:net").AddressInfo} */ (server.address())
      server.close(() => resolve(port))
    })
  })
}
