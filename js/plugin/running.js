// Tool calls that the host runs. It says that an aborted session is idle a quarter of a second later, whatever its tools
// still do, and kills a command that does not heed it after three seconds: who removes a directory asks here.

export class RunningTools {
  /** call -> the directory that it runs in @type {Map<string, string>} */
  #calls = new Map()
  /** Who waits until nothing runs in a directory. @type {Set<{directory: string, done: () => void}>} */
  #waiting = new Set()

  /** @param {string} session @param {string} call unique in its session @param {string} directory */
  begin(session, call, directory) {
    this.#calls.set(`${session} ${call}`, directory)
  }

  /** Also of calls that nobody knows. @param {string} session @param {string} call */
  end(session, call) {
    const directory = this.#calls.get(`${session} ${call}`)
    if (directory === undefined) return
    this.#calls.delete(`${session} ${call}`)
    if (this.#runsIn(directory)) return
    for (const waiter of this.#waiting) if (waiter.directory === directory) waiter.done()
  }

  /** A call that failed has no other end; one that an abort marks as failed may run on. @param {any} part as stored */
  see(part) {
    if (part?.state?.status === "error" && !part.state.metadata?.interrupted) this.end(part.sessionID, part.callID)
  }

  /**
   * Until nothing runs there, or for so long: a call that an abort has made fail is told to nobody. Afterwards what ran
   * there is forgotten.
   * @param {string} directory @param {number} ms
   */
  async over(directory, ms) {
    if (!this.#runsIn(directory)) return
    await new Promise((resolve) => {
      const waiter = {
        directory,
        done: () => {
          clearTimeout(timer)
          this.#waiting.delete(waiter)
          resolve(undefined)
        },
      }
      const timer = setTimeout(waiter.done, ms)
      this.#waiting.add(waiter)
    })
    for (const [call, place] of this.#calls) if (place === directory) this.#calls.delete(call)
  }

  /** @param {string} directory */
  #runsIn(directory) {
    return [...this.#calls.values()].includes(directory)
  }
}
