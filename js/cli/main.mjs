#!/usr/bin/env node
// The command-line program. Exit codes: 0 done, 1 failed, 2 usage, 3 nothing there, 4 blocked or paused.

import { realpathSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { UsageError } from "./usage.mjs"

/**
 * Each verb: a line of help, and its module, loaded only when it is called. A verb's module exports
 * `main(args) -> exit code`.
 * @type {Record<string, {usage: string, load: () => Promise<{main: (args: string[]) => Promise<number>}>}>}
 */
const kVerbs = {
  rehearse: {
    usage: "rehearse [dir] [--scenario S] [--latency MS] [--faults P] [--seed N] [--keep] [--list] [--json]",
    load: () => import("./rehearse.mjs"),
  },
  replay: {
    usage: "replay <wal> [--until N] [--check] [--json]",
    load: () => import("./replay.mjs"),
  },
  simulate: {
    usage: "simulate [--seed S] [--runs N] [--jobs N] [--only FAULTS] [--trace LINES] [--shrink RUNS] [--week] [--json]",
    load: () => import("./simulate.mjs"),
  },
}

const kHelp = `usage: opencode-orchestrator <verb>

${Object.values(kVerbs)
  .map((v) => `  ${v.usage}`)
  .join("\n")}
`

/** @param {string[]} argv @returns {Promise<number>} the exit code */
export async function main(argv) {
  const [verb, ...args] = argv
  if (verb === "--help" || verb === "-h" || verb === "help") {
    process.stdout.write(kHelp)
    return 0
  }
  const known = verb !== undefined && Object.hasOwn(kVerbs, verb) ? kVerbs[verb] : undefined
  if (!known) {
    process.stderr.write(`${verb === undefined ? "a verb is missing" : `unknown verb "${verb}"`}\n\n${kHelp}`)
    return 2
  }
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(`usage: opencode-orchestrator ${known.usage}\n`)
    return 0
  }
  try {
    return await (await known.load()).main(args)
  } catch (error) {
    const { message, stack } = /** @type {Error} */ (error)
    if (error instanceof UsageError) {
      process.stderr.write(`${message}\nusage: opencode-orchestrator ${known.usage}\n`)
      return 2
    }
    process.stderr.write(`${process.env.DEBUG ? stack : message}\n`)
    return 1
  }
}

/** npm starts programs through a link: compare real paths. */
function isProgram() {
  try {
    return realpathSync(process.argv[1] ?? "") === realpathSync(fileURLToPath(import.meta.url))
  } catch {
    return false
  }
}

if (isProgram()) process.exitCode = await main(process.argv.slice(2))
