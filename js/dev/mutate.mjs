// `npm run mutate -- [--seed S] [--n N] [--min P] [paths]`: how many small faults the tests notice.
//
// Each mutant is one fault of js/dev/mutation_rules.mjs in a file of src/ (.cc) or js/, drawn from all places by the seed. It is
// made in a copy of the tree (build/mutate/tree; the checkout is never written to), compiled as one object, and given to the fast
// tests of its layer, the quick ones first, until one fails. A timeout counts as noticed. A mutant that does not compile,
// or compiles to the same bytes, does not count: another is drawn. `--list` only prints what would be changed.
//
// Prints a line for each mutant, then the survivors with their diffs and "noticed K of N". Ends with 0; with 1 where fewer than P
// percent were noticed, and with 2 where it could not begin. docs/lab/mutation.md says how to read it.

import { execFileSync, spawn, spawnSync } from "node:child_process"
import { copyFileSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { exclusions, isFault, rules } from "./mutation_rules.mjs"
import * as setup from "./setup.mjs"

const { root, SetupError } = setup
const base = join(root, "build", "mutate")
const tree = join(base, "tree")
const objects = join(base, "cmake")
const defaults = ["src/core", "src/runtime", "js/plugin", "js/host"]
/** A test that takes longer than this alone runs last. */
const quickMs = 200
/** A test that takes longer than this alone is not run for a mutant. */
const longMs = 10_000
/** Random missions of the tests that have a number of them: fewer than usual. */
const fewer = { ORCH_CHAOS_SEEDS: "40", ORCH_LIAR_SEEDS: "30", ORCH_SIM_RUNS: "40", ORCH_ORDERS: "30" }
const sharesOfSlow = 2
/** Memory limit: an endless loop must not take the machine's memory. */
const memoryKb = 6_000_000

/** @typedef {{file: string, begin: number, end: number, text: string, name: string}} Mutant bytes of the file, and their replacement */
/** @typedef {{name: string, target?: string, argv: string[], limitMs: number, shares: number}} Suite */
/** @typedef {{passed: boolean, why: string}} SuiteResult */

/** @param {number} seed @returns {() => number} numbers in [0, 1) */
function randomOf(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** @param {string[]} words */
function optionsOf(words) {
  const options = { seed: 1, n: 20, min: 0, list: false, paths: /** @type {string[]} */ ([]) }
  const usage = (/** @type {string} */ why) => new SetupError(`${why}\nusage: npm run mutate -- [--seed S] [--n N] [--min P] [--list] [paths below src/ or js/]`)
  for (let i = 0; i < words.length; ++i) {
    const word = words[i] ?? ""
    const name = word.slice(2)
    if (word === "--list") {
      options.list = true
    } else if (word.startsWith("--") && (name === "seed" || name === "n" || name === "min")) {
      const value = Number(words[++i])
      if (!Number.isSafeInteger(value) || value < 0 || (name === "n" && value === 0) || (name === "min" && value > 100)) throw usage(`${word}: a whole number`)
      options[name] = value
    } else if (word.startsWith("-") || !/^(src|js)\//.test(word) || !existsSync(join(root, word))) {
      throw usage(`${word}: no option, and no path below src/ or js/`)
    } else {
      options.paths.push(word)
    }
  }
  if (options.paths.length === 0) options.paths = defaults.filter((path) => existsSync(join(root, path)))
  return options
}

/** @param {string} file @returns {Buffer | undefined} */
const bytesOf = (file) => (existsSync(file) ? readFileSync(file) : undefined)

/** Takes the copy for this process: two runs at once would test each other's mutants. */
function lockCopy() {
  const lock = join(base, "pid")
  const owner = Number(bytesOf(lock)?.toString() ?? 0)
  const lives = owner > 0 && existsSync(`/proc/${owner}`)
  if (lives) throw new SetupError(`another run of mutate works in ${base} (process ${owner}); wait until it has ended`)
  mkdirSync(base, { recursive: true })
  writeFileSync(lock, String(process.pid))
  process.on("exit", () => rmSync(lock, { force: true }))
}

/** Updates the copy from the checkout; unchanged files keep their time, so that little is recompiled. */
function copyTree() {
  const git = (/** @type {string[]} */ args) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).split("\0").filter(Boolean)
  const wanted = new Set(git(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).filter((name) => existsSync(join(root, name))))
  mkdirSync(tree, { recursive: true })
  for (const name of wanted) {
    const [from, to] = [join(root, name), join(tree, name)]
    if (lstatSync(from).isSymbolicLink() || bytesOf(to)?.equals(readFileSync(from))) continue
    mkdirSync(dirname(to), { recursive: true })
    copyFileSync(from, to)
  }
  for (const name of /** @type {string[]} */ (readdirSync(tree, { recursive: true, encoding: "utf8" }))) {
    if (/(^|\/)(node_modules|build)(\/|$)/.test(name) || wanted.has(name)) continue
    const old = join(tree, name)
    if (lstatSync(old).isFile()) unlinkSync(old)
  }
  for (const name of ["node_modules", "src/deps/node_modules"]) {
    if (!existsSync(join(tree, name))) symlinkSync(join(root, name), join(tree, name))
  }
}

/** @param {string[]} targets */
function compileAll(targets) {
  if (!existsSync(join(objects, "build.ninja"))) {
    // Warnings are no matter here; without debug information a program is linked within a second.
    const linker = ["mold", "lld", "gold"].find((name) => spawnSync(`ld.${name}`, ["--version"]).status === 0 || spawnSync(name, ["--version"]).status === 0)
    const flags = ["-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS=-w", "-DCMAKE_CXX_FLAGS_DEBUG=-O1", "-DCMAKE_C_FLAGS_DEBUG=-O1"]
    if (linker) flags.push(`-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=${linker}`)
    if (!setup.run("cmake", ["-S", tree, "-B", objects, "-G", "Ninja", "--log-level=NOTICE", ...flags])) throw new SetupError("CMake failed")
  }
  if (!setup.run("cmake", ["--build", objects, "--target", ...targets])) throw new SetupError("the unchanged tree does not compile")
}

/** @param {string[]} targets @returns {boolean} */
const compile = (targets) => spawnSync("ninja", ["-C", objects, ...targets], { stdio: "ignore" }).status === 0

/** @param {string[]} paths @returns {string[]} the files that may be changed */
function filesIn(paths) {
  const fits = (/** @type {string} */ name) => (name.startsWith("src/") ? name.endsWith(".cc") : /\.m?js$/.test(name)) && !/node_modules|^js\/dev\/|^src\/(deps|node|tools)\//.test(name)
  const found = paths.flatMap((path) => {
    if (statSync(join(tree, path)).isFile()) return [path]
    return readdirSync(join(tree, path), { recursive: true, encoding: "utf8" }).map((name) => join(path, name))
  })
  return [...new Set(found)].filter(fits).sort()
}

/** @param {string[]} files @returns {Mutant[]} all possible mutants */
function mutantsOf(files) {
  const all = rules()
  const input = all.map((rule) =>
    "pattern" in rule ? `pattern\t${rule.language}\t${rule.pattern}\t${rule.rewrite}` : `query\t${rule.language}\t${rule.query}`,
  )
  input.push(...exclusions.map((rule) => `query\t${rule.language}\t${rule.query}`))
  const done = spawnSync(join(objects, "mutation_sites"), files, { cwd: tree, input: input.join("\n"), encoding: "utf8", maxBuffer: 2 ** 30 })
  if (done.status !== 0) throw new SetupError(`mutation_sites: ${done.stderr}`)
  const sites = done.stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line))
  const texts = files.map((file) => readFileSync(join(tree, file)))
  const excluded = sites.filter((site) => site.rule >= all.length)
  /** @type {Map<string, Mutant>} */
  const mutants = new Map()
  for (const site of sites) {
    const rule = all[site.rule]
    if (!rule || excluded.some((one) => one.file === site.file && one.begin <= site.begin && site.end <= one.end)) continue
    const before = texts[site.file]?.subarray(site.begin, site.end).toString() ?? ""
    for (const text of "change" in rule ? rule.change(before) : [site.text]) {
      if (!isFault(rule.name, before, text)) continue
      const mutant = { file: files[site.file] ?? "", ...narrowed(before, text, site.begin), name: rule.name }
      mutants.set(`${mutant.file} ${mutant.begin} ${mutant.end} ${mutant.text}`, mutant)
    }
  }
  return [...mutants.values()]
}

/** The change without the common beginning and end. @param {string} before @param {string} after @param {number} begin */
function narrowed(before, after, begin) {
  const [old, now] = [Buffer.from(before), Buffer.from(after)]
  let head = 0
  while (head < old.length && head < now.length && old[head] === now[head]) ++head
  let tail = 0
  while (tail < old.length - head && tail < now.length - head && old[old.length - 1 - tail] === now[now.length - 1 - tail]) ++tail
  return { begin: begin + head, end: begin + old.length - tail, text: now.subarray(head, now.length - tail).toString() }
}

/** @param {string} file @returns {string} core, runtime, …, js */
const layerOf = (file) => (file.startsWith("js/") ? "js" : (file.split("/")[1] ?? ""))

/** The programs that know a layer, the nearest first. @param {string} layer @returns {string[]} */
function programsOf(layer) {
  if (layer === "core") return ["core_test", "runtime_test", "sim_test"]
  if (layer === "sim" || layer === "runtime") return [`${layer}_test`, layer === "sim" ? "runtime_test" : "sim_test"]
  return existsSync(join(tree, "tests", layer)) ? [`${layer}_test`, "runtime_test"] : ["runtime_test"]
}

/**
 * Runs the unchanged tests once: they must pass. Measures the time of each.
 * @param {string} program @returns {Promise<Suite[]>}
 */
async function nativeSuites(program) {
  const path = join(objects, program)
  const report = join(base, `${program}.json`)
  const begin = Date.now()
  const result = await runTests({ name: program, argv: [path, "--gtest_brief=1", `--gtest_output=json:${report}`], limitMs: 1_800_000, shares: 1 })
  if (!result.passed) throw new SetupError(`${program} fails on the unchanged tree: ${result.why}`)
  /** @type {{name: string, ms: number}[]} */
  const tests = JSON.parse(readFileSync(report, "utf8")).testsuites.flatMap((/** @type {any} */ suite) =>
    suite.testsuite.map((/** @type {any} */ test) => ({ name: `${suite.name}.${test.name}`, ms: Number.parseFloat(test.time) * 1000 })),
  )
  const long = tests.filter((test) => test.ms > longMs)
  const slow = tests.filter((test) => test.ms > quickMs && test.ms <= longMs)
  const total = (/** @type {typeof tests} */ some) => some.reduce((sum, test) => sum + test.ms, 0)
  const quickTime = total(tests) - total(slow) - total(long)
  console.log(`${program}: ${tests.length} tests in ${seconds(Date.now() - begin)}; ${slow.length} of them, ${seconds(total(slow))}, come last`)
  if (long.length > 0) console.log(`left out for their time: ${long.map((test) => test.name).join(" ")}`)
  const names = slow.map((test) => test.name).join(":")
  const others = [...slow, ...long].map((test) => test.name).join(":")
  const flags = ["--gtest_brief=1", "--gtest_fail_fast"]
  const quick = { name: program, target: program, argv: [path, ...flags, `--gtest_filter=-${others}`], limitMs: 20_000 + 5 * quickTime, shares: 1 }
  if (slow.length === 0) return [quick]
  return [quick, { name: program, target: program, argv: [path, ...flags, `--gtest_filter=${names}`], limitMs: 30_000 + 5 * total(slow), shares: sharesOfSlow }]
}

/** @returns {Promise<Suite[]>} */
async function jsSuites() {
  const files = readdirSync(join(tree, "tests/js")).filter((name) => name.endsWith(".test.mjs")).sort()
  /** @type {{suite: Suite, ms: number}[]} */
  const timed = []
  for (const file of files) {
    const suite = { name: `tests/js/${file}`, argv: [process.execPath, "--test", "--test-reporter=tap", join("tests/js", file)], limitMs: 600_000, shares: 1 }
    const begin = Date.now()
    const result = await runTests(suite)
    if (!result.passed) throw new SetupError(`${suite.name} fails on the unchanged tree: ${result.why}`)
    const ms = Date.now() - begin
    timed.push({ suite: { ...suite, limitMs: 15_000 + 5 * ms }, ms })
  }
  timed.sort((a, b) => a.ms - b.ms)
  console.log(`js: ${timed.map(({ suite, ms }) => `${suite.name} ${seconds(ms)}`).join(", ")}`)
  return timed.map(({ suite }) => suite)
}

/** @param {Suite} suite @returns {Promise<SuiteResult>} */
async function runTests({ argv, limitMs, shares }) {
  const all = await Promise.all(Array.from({ length: shares }, (_, share) => runShare(argv, limitMs, share, shares)))
  return all.find((result) => !result.passed) ?? { passed: true, why: "" }
}

/** @param {string[]} argv @param {number} limitMs @param {number} share @param {number} shares @returns {Promise<SuiteResult>} */
function runShare(argv, limitMs, share, shares) {
  const env = { ...process.env, ...fewer, GTEST_TOTAL_SHARDS: String(shares), GTEST_SHARD_INDEX: String(share), NODE_TEST_CONTEXT: undefined }
  const native = argv[0] !== process.execPath
  const [command = "", ...args] = native ? ["sh", "-c", `ulimit -v ${memoryKb}; exec "$@"`, "sh", ...argv] : argv
  // A group of its own, so that what a test has started ends with it.
  const child = spawn(command, args, { cwd: tree, env, detached: true, stdio: ["ignore", "pipe", "ignore"] })
  running.add(child)
  let said = ""
  child.stdout.on("data", (chunk) => (said = (said + chunk).slice(-4_000_000)))
  return new Promise((resolve) => {
    let late = false
    const end = () => {
      try {
        process.kill(-(/** @type {number} */ (child.pid)), "SIGKILL")
      } catch {
        // It is over already.
      }
    }
    const timer = setTimeout(() => ((late = true), end()), limitMs)
    child.on("close", (code, signal) => {
      clearTimeout(timer)
      running.delete(child)
      end()
      const failed = /^\[  FAILED  \] ([\w./]+)|^\s*not ok \d+ - (?!tests\/|\/)(.*)$/m.exec(said)
      const why = late ? "time-out" : (failed?.[1] ?? failed?.[2] ?? (signal ? `ended by ${signal}` : `ended with ${code}`))
      resolve({ passed: code === 0 && !late, why })
    })
  })
}

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set()
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
  process.on(signal, () => {
    for (const child of running) if (child.pid) process.kill(-child.pid, "SIGKILL")
    process.exit(130)
  })
}

const seconds = (/** @type {number} */ ms) => `${(ms / 1000).toFixed(1)} s`

/** @param {string} file */
const objectOf = (file) => join("CMakeFiles", `orch_${layerOf(file)}.dir`, `${file}.o`)

/**
 * The mutant in place, until `then` is done; source and object are afterwards as before.
 * @param {Mutant} mutant @param {() => Promise<{outcome: string, by: string}>} then
 */
async function inPlace(mutant, then) {
  const path = join(tree, mutant.file)
  const { atime, mtime } = statSync(path)
  const source = readFileSync(path)
  const object = mutant.file.startsWith("src/") ? join(objects, objectOf(mutant.file)) : undefined
  const compiled = object && { bytes: readFileSync(object), time: statSync(object).mtime }
  try {
    writeFileSync(path, Buffer.concat([source.subarray(0, mutant.begin), Buffer.from(mutant.text), source.subarray(mutant.end)]))
    if (object && compiled) {
      if (!compile([objectOf(mutant.file)])) return { outcome: "does not compile", by: "" }
      if (readFileSync(object).equals(compiled.bytes)) return { outcome: "compiles to the same", by: "" }
    } else if (spawnSync(process.execPath, ["--check", path], { stdio: "ignore" }).status !== 0) {
      return { outcome: "does not compile", by: "" }
    }
    return await then()
  } finally {
    writeFileSync(path, source)
    utimesSync(path, atime, mtime)
    if (object && compiled) {
      writeFileSync(object, compiled.bytes)
      utimesSync(object, compiled.time, compiled.time)
      rmSync(join(objects, `liborch_${layerOf(mutant.file)}.a`), { force: true })
    }
  }
}

/** @param {Mutant} mutant */
function placeOf(mutant) {
  const source = readFileSync(join(tree, mutant.file))
  return `${mutant.file}:${source.subarray(0, mutant.begin).toString().split("\n").length}`
}

/** @param {Mutant} mutant */
function diffOf(mutant) {
  const source = readFileSync(join(tree, mutant.file))
  const begin = source.lastIndexOf("\n", mutant.begin - 1) + 1
  const found = source.indexOf("\n", mutant.end)
  const end = found < 0 ? source.length : found
  const lines = (/** @type {Buffer} */ text, /** @type {string} */ sign) => text.toString().split("\n").map((line) => `${sign}${line}`).join("\n")
  const after = Buffer.concat([source.subarray(begin, mutant.begin), Buffer.from(mutant.text), source.subarray(mutant.end, end)])
  return `${lines(source.subarray(begin, end), "-")}\n${lines(after, "+")}`
}

/** @param {Map<string, Suite[]>} suites @param {Mutant} mutant */
function judge(suites, mutant) {
  return inPlace(mutant, async () => {
    const programs = layerOf(mutant.file) === "js" ? ["js"] : programsOf(layerOf(mutant.file))
    // Quick suites first.
    const inTurn = programs.flatMap((program) => suites.get(program) ?? []).sort((a, b) => a.shares - b.shares)
    for (const suite of inTurn) {
      if (suite.target && !compile([suite.target])) return { outcome: "does not compile", by: "" }
      const result = await runTests(suite)
      if (!result.passed) return { outcome: "killed", by: `${suite.name} ${result.why}` }
    }
    return { outcome: "survived", by: "" }
  })
}

/** @param {string[]} words @returns {Promise<number>} */
async function main(words) {
  const options = optionsOf(words)
  setup.ensureSystem(setup.testNeeds)
  setup.ensureBuildModules()
  setup.ensureRootModules()
  lockCopy()
  copyTree()
  const files = filesIn(options.paths)
  const layers = new Set(files.map(layerOf))
  const programs = new Set([...layers].filter((layer) => layer !== "js").flatMap(programsOf))
  compileAll(["mutation_sites", ...programs])
  const drawn = mutantsOf(files)
  console.log(`${drawn.length} possible mutants in ${files.length} files of ${options.paths.join(" ")}; seed ${options.seed}`)
  const random = randomOf(options.seed)
  /** @type {Map<string, Suite[]>} */
  const suites = new Map()
  for (const program of options.list ? [] : programs) suites.set(program, await nativeSuites(program))
  if (layers.has("js") && !options.list) {
    setup.buildAddon()
    // Some tests of js/ start what was built.
    if (!existsSync(join(tree, "build"))) mkdirSync(join(tree, "build"))
    copyFileSync(join(root, "build/orchestrator.node"), join(tree, "build/orchestrator.node"))
    if (!existsSync(join(tree, "build/cmake"))) symlinkSync(join(root, "build/cmake"), join(tree, "build/cmake"))
    suites.set("js", await jsSuites())
  }
  let counted = 0
  /** @type {Mutant[]} */
  const survivors = []
  while (counted < options.n && drawn.length > 0) {
    const [mutant] = drawn.splice(Math.floor(random() * drawn.length), 1)
    if (!mutant) break
    if (options.list) {
      console.log(`${placeOf(mutant)}  ${mutant.name}\n${diffOf(mutant)}`)
      ++counted
      continue
    }
    const begin = Date.now()
    const { outcome, by } = await judge(suites, mutant)
    const counts = outcome === "killed" || outcome === "survived"
    if (counts) ++counted
    if (outcome === "survived") survivors.push(mutant)
    console.log(`${counts ? String(counted).padStart(4) : "   -"}  ${outcome.padEnd(9)} ${placeOf(mutant)}  ${mutant.name}  ${by}  (${seconds(Date.now() - begin)})`)
  }
  if (options.list) return 0
  for (const mutant of survivors) console.log(`\nsurvived: ${placeOf(mutant)}  ${mutant.name}\n${diffOf(mutant)}`)
  const noticed = counted - survivors.length
  console.log(`\nnoticed ${noticed} of ${counted}`)
  return 100 * noticed < options.min * counted ? 1 : 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  console.error(error.message)
  process.exitCode = 2
}
