// The plugin with a stopwatch at its `event` hook and a copy of what it saw. Loaded instead of the plugin by the bench,
// in a host process of its own; BENCH_EVENTS names the file that it writes.

import { writeFileSync } from "node:fs"
import ours from "../host/opencode1/plugin.js"

/** @type {string[]} */
const lines = []

function write() {
  const file = process.env.BENCH_EVENTS
  if (file) writeFileSync(file, lines.join("\n"))
}

export default {
  id: ours.id,
  /** @param {any} input @param {any} [options] */
  server: async (input, options) => {
    const hooks = /** @type {any} */ (await ours.server(input, options))
    const { event: hook, dispose } = hooks
    hooks.event = (/** @type {{event: any}} */ given) => {
      const begin = performance.now()
      const done = hook(given)
      const us = (performance.now() - begin) * 1000
      lines.push(JSON.stringify({ us, event: given.event }))
      if (given.event.type === "session.idle") setTimeout(write, 50)
      return done
    }
    hooks.dispose = async () => {
      write()
      await dispose?.()
    }
    return hooks
  },
}
