// Tool calls that the host runs. It says that an aborted session is idle a quarter of a second later, whatever its tools
// still do, and kills a command that does not heed it after three seconds: who removes a directory asks here.

export class RunningTools {
  /** call -> the directory that it runs in @type {Map<string, string>} */
  #calls = new Map()
  /** directory -> who waits until nothing runs there @type {Map<string, () => void>} */
  #waiting = new Map()

  /** @param {string} session @param {string} call unique in its session @param {string} directory */
  begin(session, call, directory) {
    this.#calls.set(`${session} ${call}`, directory)
  }

  /** Also of calls that nobody knows. @param {string} session @param {string} call */
  end(session, call) {
    const directory = this.#calls.get(`${session} ${call}`)
    if (directory === undefined) return
    this.#calls.delete(`${session} ${call}`)
    if (!this.#runsIn(directory)) this.#waiting.get(directory)?.()
  }

  /** A call that failed has no other end; one that an abort marks as failed may run on. @param {any} part as stored */
  see(part) {
    if (part?.state?.status === "error" && !part.state.metadata?.interrupted) this.end(part.sessionID, part.callID)
  }

  /**
   * Until nothing runs there, or for so long: a call that an abort has made fail is told to nobody. One waits at a time;
   * afterwards what ran there is forgotten.
   * @param {string} directory @param {number} ms
   */
  async over(directory, ms) {
    if (!this.#runsIn(directory)) return
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer
    await new Promise((resolve) => {
      this.#waiting.set(directory, () => resolve(undefined))
      timer = setTimeout(resolve, ms)
    })
    clearTimeout(timer)
    this.#waiting.delete(directory)
    for (const [call, place] of this.#calls) if (place === directory) this.#calls.delete(call)
  }

  /** @param {string} directory */
  #runsIn(directory) {
    return [...this.#calls.values()].includes(directory)
  }
}
