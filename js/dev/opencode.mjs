// Where the real OpenCode is: npm's platform package, found without its install script (which may never have run).

import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** @returns {boolean} Whether this processor runs the standard x64 build, which needs AVX2. */
function hasAvx2() {
  try {
    return readFileSync("/proc/cpuinfo", "latin1").includes(" avx2")
  } catch {
    return true
  }
}

/** @returns {string[]} The platform packages that could serve this machine, best first. */
function platformPackages() {
  const name = `opencode-${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`
  const flavours = process.arch === "x64" && !hasAvx2() ? ["-baseline", ""] : ["", "-baseline"]
  return flavours.flatMap((flavour) => [`${name}${flavour}`, `${name}${flavour}-musl`])
}

/**
 * The path of the real OpenCode program: `OPENCODE_BIN`, or the pinned one of node_modules.
 * @returns {string}
 * @throws {Error} Where there is none, with what to do.
 */
export function opencodeBinary() {
  const chosen = process.env.OPENCODE_BIN
  if (chosen) return chosen
  for (const name of platformPackages()) {
    const path = join(root, "node_modules", name, "bin", process.platform === "win32" ? "opencode.exe" : "opencode")
    if (existsSync(path)) return path
  }
  throw new Error(`no OpenCode for ${process.platform}-${process.arch} in ${join(root, "node_modules")}: run npm ci there`)
}
