// Host tool calls that run in worktrees. The host reports an aborted session as idle a quarter of a second later, whatever
// its tools still do, and kills a command that ignores the abort after three seconds: before a worktree is removed, `over`
// waits for the calls in it.

export class RunningTools {
  /** call -> the directory that it runs in @type {Map<string, string>} */
  #calls = new Map()
  /** waits for the end of all calls in a directory @type {Set<{directory: string, done: () => void}>} */
  #waiting = new Set()

  /** @param {string} session @param {string} call unique in its session @param {string} directory */
  begin(session, call, directory) {
    this.#calls.set(`${session} ${call}`, directory)
  }

  /** Calls that were never begun are ignored. @param {string} session @param {string} call */
  end(session, call) {
    if (this.#calls.size === 0) return
    const directory = this.#calls.get(`${session} ${call}`)
    if (directory === undefined) return
    this.#calls.delete(`${session} ${call}`)
    if (this.#runsIn(directory)) return
    for (const waiter of this.#waiting) if (waiter.directory === directory) waiter.done()
  }

  /**
   * Resolves when nothing runs in the directory, or after so long: the host does not report the end of a call that an abort
   * has marked as failed. Afterwards the calls there are forgotten.
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
