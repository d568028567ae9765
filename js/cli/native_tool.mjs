// Verbs that a native program carries out: found beside the addon, run with the same arguments.

import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { constants } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** @param {string} name @returns {string[]} Where the program may be, best first: a fresh build of this checkout, then what was shipped. */
function candidates(name) {
  return [join(root, "build", "cmake", "release", name), join(root, "prebuilds", `${process.platform}-${process.arch}`, name)]
}

/**
 * @param {string} name @param {string[]} args
 * @returns {Promise<number>} the program's exit code
 */
export async function runNativeTool(name, args) {
  const program = candidates(name).find((path) => existsSync(path))
  if (!program) {
    throw new Error(`the program "${name}" is not built:\n  ${candidates(name).join("\n  ")}\nBuild it in place: cd ${root} && npm run build`)
  }
  const child = spawn(program, args, { stdio: "inherit" })
  return new Promise((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)))
  })
}
