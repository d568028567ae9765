// `ast_search` beside ast-grep on the same tree of TypeScript: two programs, run in turn, each from a cold start, with
// their lists of matches compared. Both, and the tree, are fetched by npm once, into build/.

import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { cmakeBuild } from "../dev/setup.mjs"
import { spread, units, written } from "./stats.mjs"

/** @typedef {import("./table.mjs").Row} Row */
/** @typedef {{pattern: string, name: string, aims: boolean}} What */
/** @typedef {{ours: number, theirs: number, onlyOurs: string[], onlyTheirs: string[]}} Lists */

const root = fileURLToPath(new URL("../..", import.meta.url))
const cache = join(root, "build/code-bench")
const peer = "@ast-grep/cli@0.51.1"
/** Packages that ship their TypeScript, sources and declarations. */
const packages = ["viem@2.57.20", "thirdweb@5.121.6"]
/** Both read a file of 1.3 MB that the tool itself would skip. */
const bytesMax = 8_000_000
const target = 10

/** @type {What[]} */
const searches = [
  { name: "rare", pattern: "console.log($$$A)", aims: true },
  { name: "common", pattern: "throw new $E($$$A)", aims: true },
  { name: "absent", pattern: "neverWritten($A)", aims: true },
  { name: "thousands", pattern: "await $F($$$A)", aims: false },
  { name: "no fixed token at its begin", pattern: "$A === undefined", aims: false },
  { name: "no fixed token at all", pattern: "$A ? $A : $B", aims: false },
]

/** @param {string[]} args @param {string} cwd */
const npm = (args, cwd) => execFileSync("npm", [...args, "--no-audit", "--no-fund", "--loglevel=error"], { cwd, encoding: "utf8" })

/** The peer's own binary: its npm wrapper would cost it a start of Node. @returns {string} */
function fetchPeer() {
  const home = join(cache, peer.replace(/\W+/g, "-"))
  const scope = join(home, "node_modules/@ast-grep")
  const found = () =>
    (existsSync(scope) ? readdirSync(scope) : [])
      .filter((name) => name.startsWith("cli-")) // `cli` holds a shim in Node
      .map((name) => join(scope, name, "ast-grep"))
      .find((path) => existsSync(path))
  if (!found()) {
    mkdirSync(home, { recursive: true })
    npm(["install", "--prefix", home, "--ignore-scripts", peer], home)
  }
  const binary = found()
  if (!binary) throw new Error(`${peer} has no program for this machine`)
  return binary
}

/** @returns {string} the directory of the tree */
function fetchTree() {
  const tree = join(cache, packages.join("+").replace(/[^\w.+-]+/g, "-"))
  if (existsSync(tree)) return tree
  const making = `${tree}.part`
  rmSync(making, { recursive: true, force: true })
  for (const name of packages) {
    const into = join(making, name.replace(/@[^@]*$/, ""))
    mkdirSync(into, { recursive: true })
    const file = npm(["pack", name, "--silent"], into).trim().split("\n").at(-1) ?? ""
    execFileSync("tar", ["xzf", file], { cwd: into })
    rmSync(join(into, file))
  }
  renameSync(making, tree)
  return tree
}

/** @param {string} tree @returns {{files: number, bytes: number}} */
function sizeOf(tree) {
  const files = /** @type {string[]} */ (readdirSync(tree, { recursive: true })).filter((name) => /\.[mc]?ts$/.test(name))
  return { files: files.length, bytes: files.reduce((sum, name) => sum + statSync(join(tree, name)).size, 0) }
}

/** Wall milliseconds of a run whose output is discarded. @param {string} program @param {string[]} args @param {string} cwd */
function timed(program, args, cwd) {
  const begin = performance.now()
  const { status, error } = spawnSync(program, args, { cwd, stdio: "ignore" })
  if (error || (status !== 0 && status !== 1)) throw error ?? new Error(`${program} ended with ${status}`)
  return performance.now() - begin
}

/** @param {string} program @param {string[]} args @param {string} cwd */
const output = (program, args, cwd) => spawnSync(program, args, { cwd, encoding: "utf8", maxBuffer: 1 << 30 }).stdout

/** `path begin end` of each match. @param {string} text */
const listOfOurs = (text) => new Set(text.split("\n").filter(Boolean).map((line) => line.replace(/:\d+:\d+ (\d+ \d+)$/, " $1")))

/** @param {string} text */
function listOfTheirs(text) {
  const matches = text.split("\n").filter(Boolean).map((line) => JSON.parse(line))
  return new Set(matches.map(({ file, range: { byteOffset: b } }) => `${file.replace(/^\.\//, "")} ${b.start} ${b.end}`))
}

/** @param {Set<string>} ours @param {Set<string>} theirs @returns {Lists} */
export function compareLists(ours, theirs) {
  return {
    ours: ours.size,
    theirs: theirs.size,
    onlyOurs: [...ours].filter((one) => !theirs.has(one)),
    onlyTheirs: [...theirs].filter((one) => !ours.has(one)),
  }
}

/**
 * @param {number} repeat @param {(line: string) => void} say
 * @returns {Promise<{rows: Row[], data: any}>}
 */
export async function codeRows(repeat, say) {
  cmakeBuild("release", ["ast_search"])
  const own = join(root, "build/cmake/release/ast_search")
  const binary = fetchPeer()
  const tree = fetchTree()
  const size = sizeOf(tree)
  const group = `ast_search beside ast-grep ${peer.replace(/.*@/, "")}: ${size.files} files, ${(size.bytes / 1e6).toFixed(1)} MB of TypeScript, cold start`
  /** @type {Row[]} */
  const rows = []
  /** @type {any[]} */
  const data = []
  for (const { name, pattern, aims } of searches) {
    const oursArgs = ["--bytes-max", String(bytesMax), "typescript", pattern, "."]
    const theirsArgs = ["run", "-p", pattern, "-l", "ts", "--json=stream", "."]
    const lists = compareLists(listOfOurs(output(own, oursArgs, tree)), listOfTheirs(output(binary, theirsArgs, tree)))
    /** @type {{ours: number, theirs: number}[]} */
    const pairs = []
    for (let i = 0; i < repeat; i++) {
      const ours = timed(own, oursArgs, tree)
      pairs.push({ ours, theirs: timed(binary, theirsArgs, tree) })
    }
    const ratio = spread(pairs.map((pair) => pair.theirs / pair.ours))
    const ours = written(spread(pairs.map((pair) => pair.ours)), "ms")
    const theirs = written(spread(pairs.map((pair) => pair.theirs)), "ms")
    say(`code: ${pattern}: ${units.ratio?.(ratio.median)} times as fast, ${lists.ours} matches`)
    rows.push({
      group,
      name: `${name}: ${pattern}`,
      figure: `${written(ratio, "ratio")} ×`,
      beside: `${ours} beside ${theirs}; matches ${lists.ours}, theirs ${lists.theirs}, only theirs ${lists.onlyTheirs.length}`,
      target: aims ? `≥ ${target} ×` : "",
      met: aims ? ratio.median >= target : null,
    })
    data.push({ name, pattern, pairs, lists: { ...lists, onlyOurs: lists.onlyOurs.slice(0, 50), onlyTheirs: lists.onlyTheirs.slice(0, 50) } })
  }
  return { rows, data: { size, searches: data } }
}
