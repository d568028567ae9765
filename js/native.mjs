// Finds and loads the addon. The same file is used from a checkout and from an installed package.

import { createRequire } from "node:module"
import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

/**
 * @typedef {object} Binding One instance's hold on a project directory. Keep a reference: one that is collected closes itself.
 * @property {(json: string) => boolean} post Hands one JSON value to the engine. False: not taken (the inbox is full, the
 *   value is over 16 MiB, or the binding is closed); try again later.
 * @property {(sessionId: string) => boolean} watches Whether the engine wants this session's events. Synchronous, ~100 ns.
 * @property {(sessionId: string) => string | undefined} sessionInfo The engine's cached answer to `role_asked` of this session,
 *   if it accounts for all that was posted; else undefined. Synchronous.
 * @property {() => void} close Ends both directions; what was not delivered goes to the next binding. Twice is fine.
 */

/**
 * @typedef {object} OpenOptions
 * @property {string} directory The project's directory; it must exist.
 * @property {string} [options] The plugin's options as JSON text, for the first binding of a directory.
 * @property {(json: string) => void} onEffects Called on this thread with a JSON array, never inside open() or post().
 *   What it throws is counted in info(), and goes nowhere else.
 */

/**
 * @typedef {object} Addon
 * @property {(options: OpenOptions) => Binding} open
 * @property {() => {version: string, uvVersion: string, running: boolean, environments: number, bindings: number,
 *   callbackErrors: number, lastCallbackError: string, directories?: number, messages?: number, batches?: number,
 *   refused?: number, droppedSends?: number, failures?: number}} info
 */

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** @returns {boolean} Whether this is Linux with musl, whose prebuilt addon has a name of its own. */
function isMusl() {
  if (process.platform !== "linux") return false
  try {
    return readFileSync("/usr/bin/ldd", "latin1").includes("musl")
  } catch {
    return existsSync("/etc/alpine-release")
  }
}

/** @returns {string[]} Where the addon may be, best first: a fresh build of this checkout, then what was shipped. */
export function addonCandidates() {
  const target = `${process.platform}-${process.arch}${isMusl() ? "-musl" : ""}`
  return [join(root, "build", "orchestrator.node"), join(root, "prebuilds", target, "orchestrator.node")]
}

/** @type {Addon | undefined} */
let loaded

/**
 * Loads the addon, once for each thread.
 * @returns {Addon}
 * @throws {Error} One error that names every place that was tried and what to do.
 */
export function loadAddon() {
  if (loaded) return loaded
  const require = createRequire(import.meta.url)
  const tried = []
  for (const path of addonCandidates()) {
    if (!existsSync(path)) {
      tried.push(`${path}: not there`)
      continue
    }
    try {
      loaded = /** @type {Addon} */ (require(path))
      return loaded
    } catch (error) {
      tried.push(`${path}: ${error instanceof Error ? error.message : error}`)
    }
  }
  throw new Error(
    `the native addon of opencode-orchestrator-native could not be loaded:\n${tried.map((line) => `  ${line}`).join("\n")}\n` +
      `Build it in place: cd ${root} && npm run build`,
  )
}
