// The npm scripts: `node js/dev/run.mjs <task> [arguments]`. Each task does all of its own set-up.

import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync } from "node:fs"
import { basename, join } from "node:path"
import { writeGenerated } from "./generate.mjs"
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
  // Real language servers; without them their tests fail.
  setup.ensureSystem(setup.testNeeds)
  setup.ensureRootModules()
  setup.cmakeBuild(preset)
  return run("ctest", ["--preset", preset, "--parallel", "2", "--timeout", "300"])
}

/** Also runs the stories that `npm test` leaves out for their time (`longTest`). */
const allStories = { ORCH_LONG_STORIES: "1" }

/** @param {string[]} dirs @param {{flags?: string[], env?: NodeJS.ProcessEnv}} [options] */
function nodeTests(dirs, { flags = [], env } = {}) {
  const files = dirs.flatMap((dir) => filesBelow(dir, /\.test\.m?js$/))
  if (files.length === 0) {
    console.log(`no tests in ${dirs.join(", ")}`)
    return true
  }
  return run(process.execPath, ["--test", "--test-reporter=spec", ...flags, ...files], { env })
}

/**
 * Tests that run in Node. Many wait for a process or a timer, so some run side by side, whatever the number of cores.
 * @param {string[]} dirs @param {NodeJS.ProcessEnv} [env]
 */
function testsInNode(dirs, env) {
  build()
  setup.ensureRootModules()
  setup.cmakeBuild("release", ["orchestrator_echo", "protocol"])
  return nodeTests(dirs, { flags: ["--test-concurrency=3"], env })
}

const jsTests = () => testsInNode(["tests/js", "tests/node"])
const endToEndTests = () => testsInNode(["tests/e2e"], allStories)

function types() {
  setup.ensureRootModules()
  return run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "js/tsconfig.json"])
}

/** ThreadSanitizer, the fuzzers, every story, and tests/long. */
function longTests() {
  setup.ensureSystem([{ package: "clang", tool: "clang++" }])
  return inOrder({
    "native tests, thread sanitizer": () => nativeTests("tsan"),
    fuzzers: fuzz,
    "stories in the real OpenCode": endToEndTests,
    "long tests": longNodeTests,
  })
}

/**
 * Runs each fuzzer for a minute of processor time (ORCH_FUZZ_SECONDS), starting from its kept corpus. New inputs go to
 * build/fuzz, not into the checkout.
 * @param {string[]} [only] Names of fuzzers; none: all.
 */
function fuzz(only = []) {
  const seconds = Number(process.env.ORCH_FUZZ_SECONDS ?? 60)
  if (!Number.isInteger(seconds) || seconds < 1) throw new setup.SetupError("ORCH_FUZZ_SECONDS: write whole seconds, from 1")
  const all = filesBelow("tests/fuzz", /^[^/]+\.cc$/).map((file) => basename(file, ".cc"))
  const unknown = only.filter((name) => !all.includes(name))
  if (unknown.length > 0) throw new setup.SetupError(`no fuzzer ${unknown.join(" ")}; there are ${all.join(", ")}`)
  const names = only.length > 0 ? only : all
  setup.cmakeBuild("fuzz", names)
  const begin = setup.childCpuSeconds()
  const failed = names.filter((name) => {
    const before = setup.childCpuSeconds()
    const spent = () => setup.childCpuSeconds() - before
    let passed = true
    // The fuzzer's own limit is of the wall clock: on a busy machine it takes more than one run.
    while (passed && spent() < seconds - 0.5) passed = runFuzzer(name, Math.ceil(seconds - spent()))
    console.log(`${passed ? "ok    " : "FAILED"} fuzzer ${name}: ${spent().toFixed(0)} s of processor time`)
    return !passed
  })
  const total = setup.childCpuSeconds() - begin
  console.log(`${names.length} fuzzers, ${total.toFixed(0)} s of processor time in all, ${failed.length} failed ${failed.join(" ")}`)
  return failed.length === 0
}

/** @param {string} name @param {number} seconds of the wall clock */
function runFuzzer(name, seconds) {
  const found = join(root, "build", "fuzz", name)
  mkdirSync(found, { recursive: true })
  const limits = [`-max_total_time=${seconds}`, "-timeout=120", "-rss_limit_mb=2048", "-max_len=16384"]
  const flags = [...limits, "-verbosity=0", "-print_final_stats=1", `-artifact_prefix=${found}-`]
  return run(join(root, "build/cmake/fuzz", name), [...flags, found, join(root, "tests/fuzz/corpus", name)])
}

function longNodeTests() {
  build()
  setup.ensureRootModules()
  return nodeTests(["tests/long"], { flags: ["--test-concurrency=1"] })
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
 * Runs every step, even after a failed one, and prints a summary.
 * @param {Record<string, () => boolean>} steps
 */
function inOrder(steps) {
  const lines = []
  let good = true
  for (const [name, step] of Object.entries(steps)) {
    console.log(`\n== ${name}`)
    const begin = { time: Date.now(), cpu: setup.childCpuSeconds() }
    const passed = guarded(step)
    good &&= passed
    const took = ((Date.now() - begin.time) / 1000).toFixed(0)
    const spent = (setup.childCpuSeconds() - begin.cpu).toFixed(0)
    lines.push(`${passed ? "ok    " : "FAILED"} ${name} (${took} s, ${spent} s of processor time)`)
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

/** Writes the committed files that are generated from the C++ sources. */
function generate() {
  prepareNative()
  setup.cmakeBuild("release", ["protocol"])
  writeGenerated()
  return true
}

/** About a minute on two cores. */
const freshRuns = 5_000

/**
 * Simulates missions with fresh seeds, taken from the commit's hash. A failure is repeated with the printed seed.
 * @param {string[]} args number of missions
 */
function simulateFresh([runs = String(freshRuns)] = []) {
  if (!/^[1-9]\d*$/.test(runs)) throw new setup.SetupError("simulate:fresh: write how many missions, a whole number from 1")
  const { status, stdout } = spawnSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" })
  const hash = stdout?.trim() ?? ""
  if (status !== 0 || !/^[0-9a-f]{12}/.test(hash)) throw new setup.SetupError("simulate:fresh: this is no git checkout with a commit")
  const seed = Number.parseInt(hash.slice(0, 12), 16)
  console.log(`commit ${hash}: seeds from ${seed} on`)
  return program("js/cli/main.mjs", ["simulate", "--seed", String(seed), "--runs", runs])
}

/** Everything except the sanitizers; .ci/run calls it first. */
function test() {
  setup.ensureSystem(setup.testNeeds) // what is missing is said once, before anything else
  return inOrder({
    "build of the addon": build,
    "native tests": () => nativeTests("release"),
    "types of js/": types,
    "tests of js/ and of the addon, stories in the real OpenCode": () =>
      testsInNode(["tests/e2e", "tests/js", "tests/node"]),
  })
}

/** @type {Record<string, (args: string[]) => boolean>} */
const tasks = {
  build,
  generate,
  test,
  "test:native": () => nativeTests("release"),
  "test:asan": () => inOrder({ "native tests, address and undefined-behaviour sanitizers": () => nativeTests("asan-ubsan") }),
  "test:tsan": () => inOrder({ "native tests, thread sanitizer": () => nativeTests("tsan") }),
  "test:js": () => inOrder({ types, "tests of js/ and of the addon": jsTests }),
  "test:e2e": endToEndTests,
  "test:long": longTests,
  "simulate:fresh": simulateFresh,
  rehearse: (args) => program("js/cli/main.mjs", ["rehearse", ...args]),
  bench: (args) => program("js/bench/main.mjs", args),
  fuzz: (args) => {
    setup.ensureSystem([{ package: "clang", tool: "clang++" }])
    setup.ensureBuildModules()
    return fuzz(args)
  },
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
