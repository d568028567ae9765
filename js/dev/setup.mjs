// Installs what the build and the tests need, on a machine with node, npm and git alone.
// Node builtins only. Every step looks first and does nothing where nothing is missing.

import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

/** The checkout's directory. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** A failure that is shown as its message, without a stack. */
export class SetupError extends Error {}

/** @typedef {{package: string, tool?: string, header?: string}} Need A Debian package, and how to see that it is there. */

/** @type {Need[]} What the build and the tests need. */
const needs = [
  { package: "g++", tool: "c++" },
  { package: "cmake", tool: "cmake" },
  { package: "ninja-build", tool: "ninja" },
  { package: "libuv1-dev", header: "uv.h" },
  { package: "nlohmann-json3-dev", header: "nlohmann/json.hpp" },
  { package: "libspdlog-dev", header: "spdlog/spdlog.h" },
  { package: "libfmt-dev", header: "fmt/core.h" },
  { package: "libgtest-dev", header: "gtest/gtest.h" },
  { package: "libboost-dev", header: "boost/crc.hpp" },
  { package: "libb2-dev", header: "blake2.h" },
]

/** @type {Need[]} What the tests need besides: a real language server. */
export const testNeeds = [{ package: "clangd", tool: "clangd" }]

/** @param {string} tool @returns {boolean} */
function hasTool(tool) {
  return (process.env.PATH ?? "").split(delimiter).some((dir) => dir !== "" && existsSync(join(dir, tool)))
}

/** @param {Need} need @returns {boolean} */
function isThere(need) {
  if (need.tool) return hasTool(need.tool)
  const dirs = ["/usr/include", "/usr/local/include", ...(process.env.CPATH ?? "").split(delimiter).filter(Boolean)]
  return dirs.some((dir) => existsSync(join(dir, need.header ?? "")))
}

/** @returns {NodeJS.ProcessEnv} The environment without what a calling npm says about its own target. */
function childEnvironment() {
  /** @type {NodeJS.ProcessEnv} */
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
  for (const name of ["npm_config_global", "npm_config_prefix", "npm_config_local_prefix"]) delete env[name]
  return env
}

/**
 * Runs a command in the checkout with its output shown.
 * @param {string} command
 * @param {string[]} args
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv}} [options]
 * @returns {boolean} Whether it ended with 0.
 */
export function run(command, args, options = {}) {
  const env = { ...childEnvironment(), ...options.env }
  const done = spawnSync(command, args, { cwd: options.cwd ?? root, stdio: "inherit", env })
  if (done.error) console.error(`${command}: ${done.error.message}`)
  return done.status === 0
}

/** Processor time of all programs that were run and have ended, in seconds; Linux only, elsewhere the time since the start. */
export function childCpuSeconds() {
  if (!existsSync("/proc/self/stat")) return process.uptime()
  const fields = readFileSync("/proc/self/stat", "utf8").replace(/^.*\) /, "").split(" ")
  const ticksPerSecond = 100
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond
}

/** Like run(), with an error for anything but 0. @param {string} command @param {string[]} args @param {string} [cwd] */
function must(command, args, cwd) {
  if (!run(command, args, { cwd })) throw new SetupError(`failed: ${[command, ...args].join(" ")}`)
}

/**
 * The compiler and the libraries: installed where this is Debian and we are root, else named.
 * @param {Need[]} [extra] What this task needs besides.
 */
export function ensureSystem(extra = []) {
  const missing = [...needs, ...extra].filter((need) => !isThere(need)).map((need) => need.package)
  if (missing.length === 0) return
  const install = ["install", "-y", "-qq", "--no-install-recommends", ...missing]
  if (process.getuid?.() !== 0 || !hasTool("apt-get")) {
    throw new SetupError(
      `missing on this machine: ${missing.join(" ")}\n` +
        `On Debian 12 or a system like it:\n  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing.join(" ")}`,
    )
  }
  console.log(`installing ${missing.join(" ")}`)
  must("apt-get", ["update", "-qq"])
  must("apt-get", install)
}

/** npm ci, unless what is there came from this very lock file. @param {string} dir */
function ensureModules(dir) {
  const lock = createHash("sha256").update(readFileSync(join(dir, "package-lock.json"))).digest("hex")
  const stamp = join(dir, "node_modules", ".from-lock")
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return
  // No install scripts: none is needed, some would fail, and other npm versions run none anyway.
  must("npm", ["ci", "--ignore-scripts", "--no-fund", "--no-audit"], dir)
  writeFileSync(stamp, lock)
}

/** The tests' own packages: OpenCode itself, TypeScript. */
export function ensureRootModules() {
  ensureModules(root)
}

/** Sources for the build: Node-API headers, tree-sitter and its grammars. */
export function ensureBuildModules() {
  ensureModules(join(root, "src", "deps"))
}

/**
 * Configures, where that was not done yet, and builds.
 * @param {string} preset
 * @param {string[]} [targets] All, if none is named.
 */
export function cmakeBuild(preset, targets = []) {
  const dir = join(root, "build", "cmake", preset)
  if (!existsSync(join(dir, "build.ninja"))) must("cmake", ["--preset", preset, "--log-level=NOTICE"])
  const named = targets.length > 0 ? ["--target", ...targets] : []
  must("cmake", ["--build", dir, ...named])
}

/** Puts the release addon where js/native.mjs looks, in one step, since a running OpenCode may have the old one mapped. */
export function buildAddon() {
  cmakeBuild("release", ["orchestrator", "orchestrator_tools"])
  const from = join(root, "build", "cmake", "release", "orchestrator.node")
  const to = join(root, "build", "orchestrator.node")
  if (existsSync(to) && statSync(to).mtimeMs >= statSync(from).mtimeMs) return
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, `${to}.new`)
  renameSync(`${to}.new`, to)
}
