// The npm scripts: `node js/dev/run.mjs <task> [arguments]`. Each task does all of its own set-up.

import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import * as setup from "./setup.mjs"

const { root, run } = setup

/** @param {string} dir @param {RegExp} pattern @returns {string[]} Matching files below a directory of the checkout, sorted. */
function filesBelow(dir, pattern) {
  const top = join(root, dir)
  if (!existsSync(top)) return []
  return readdirSync(top, { recursive: true, encoding: "utf8" })
    .filter((name) => pattern.test(name) && !name.includes("node_modules"))
    .sort()
    .map((name) => join(dir, name))
}

/** What the addon and the native tests are made from. */
function prepareNative() {
  setup.ensureSystem()
  setup.ensureBuildModules()
}

function build() {
  prepareNative()
  setup.buildAddon()
  return true
}

/** @param {string} preset */
function nativeTests(preset) {
  prepareNative()
  setup.cmakeBuild(preset)
  return run("ctest", ["--preset", preset, "--parallel", "2", "--timeout", "300"])
}

/** @param {string[]} dirs @param {string[]} [flags] */
function nodeTests(dirs, flags = []) {
  const files = dirs.flatMap((dir) => filesBelow(dir, /\.test\.m?js$/))
  if (files.length === 0) {
    console.log(`no tests in ${dirs.join(", ")}`)
    return true
  }
  return run(process.execPath, ["--test", "--test-reporter=spec", ...flags, ...files])
}

function jsTests() {
  build()
  setup.ensureRootModules()
  setup.cmakeBuild("release", ["orchestrator_echo"])
  return nodeTests(["tests/js", "tests/node"])
}

function endToEndTests() {
  build()
  setup.ensureRootModules()
  // One at a time: each runs whole OpenCode processes.
  return nodeTests(["tests/e2e"], ["--test-concurrency=1"])
}

function types() {
  setup.ensureRootModules()
  return run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "js/tsconfig.json"])
}

/** ThreadSanitizer, the fuzzers, and tests/long. */
function longTests() {
  setup.ensureSystem([{ package: "clang", tool: "clang++" }])
  const steps = { "native tests, thread sanitizer": () => nativeTests("tsan"), fuzzers: fuzz, "long tests": longNodeTests }
  return inOrder(steps)
}

function fuzz() {
  setup.cmakeBuild("fuzz")
  const fuzzers = filesBelow("tests/fuzz", /\.cc$/).map((file) => file.replace(/^.*\/|\.cc$/g, ""))
  return fuzzers.every((name) => run(join(root, "build/cmake/fuzz", name), ["-max_total_time=60", "-print_final_stats=1"]))
}

function longNodeTests() {
  build()
  setup.ensureRootModules()
  return nodeTests(["tests/long"], ["--test-concurrency=1"])
}

function nativeSources() {
  return ["src", "include", "tests"].flatMap((dir) => filesBelow(dir, /\.(cc|h)$/))
}

/** @param {string[]} flags */
function clangFormat(flags) {
  setup.ensureSystem([{ package: "clang-format", tool: "clang-format" }])
  return run("clang-format", [...flags, ...nativeSources()])
}

function tidy() {
  const clang = ["clang", "clang-tidy"].map((name) => ({ package: name, tool: name }))
  setup.ensureSystem(clang)
  setup.ensureBuildModules()
  setup.cmakeBuild("tidy")
  return true
}

/** @param {string} script @param {string[]} args */
function program(script, args) {
  build()
  setup.ensureRootModules()
  return run(process.execPath, [join(root, script), ...args], { cwd: process.cwd() })
}

/**
 * Runs every step, whatever the ones before it said, and sums up.
 * @param {Record<string, () => boolean>} steps
 */
function inOrder(steps) {
  const lines = []
  let good = true
  for (const [name, step] of Object.entries(steps)) {
    console.log(`\n== ${name}`)
    const begin = Date.now()
    const passed = guarded(step)
    good &&= passed
    lines.push(`${passed ? "ok    " : "FAILED"} ${name} (${((Date.now() - begin) / 1000).toFixed(0)} s)`)
  }
  console.log(`\n== summary\n${lines.join("\n")}`)
  return good
}

/** @param {() => boolean} step @returns {boolean} */
function guarded(step) {
  try {
    return step()
  } catch (error) {
    if (!(error instanceof setup.SetupError)) throw error
    console.error(error.message)
    return false
  }
}

/** The whole: what .ci/run calls. */
function test() {
  setup.ensureSystem() // what is missing is said once, before anything else
  return inOrder({
    "build of the addon": build,
    "native tests, address and undefined-behaviour sanitizers": () => nativeTests("asan-ubsan"),
    "types of js/": types,
    "tests of js/ and of the addon": jsTests,
    "end to end in the real OpenCode": endToEndTests,
  })
}

/** @type {Record<string, (args: string[]) => boolean>} */
const tasks = {
  build,
  test,
  "test:native": () => nativeTests("asan-ubsan"),
  "test:js": () => inOrder({ types, "tests of js/ and of the addon": jsTests }),
  "test:e2e": endToEndTests,
  "test:long": longTests,
  rehearse: (args) => program("js/cli/main.mjs", ["rehearse", ...args]),
  bench: (args) => program("js/bench/main.mjs", args),
  lint: () => inOrder({ types, format: () => clangFormat(["--dry-run", "-Werror"]), "clang-tidy": tidy }),
  format: () => clangFormat(["-i"]),
}

const [name = "", ...args] = process.argv.slice(2)
const task = tasks[name]
if (!task) {
  console.error(`usage: node js/dev/run.mjs ${Object.keys(tasks).join(" | ")}`)
  process.exit(2)
}
process.exit(guarded(() => task(args)) ? 0 : 1)
