// Keeps the documentation true where a program can: links, named paths of this repository, and the length of lines.

import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { test } from "node:test"
import { root } from "./support.mjs"

const linesMax = 100
const columnsMax = 125

const pages = [
  ...["README.md", "CONTRIBUTING.md"],
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
]

/** @param {string} page @returns {string} */
const read = (page) => readFileSync(join(root, page), "utf8")

/** The lines of a page outside of fenced code, with their numbers. @param {string} page @returns {[number, string][]} */
function prose(page) {
  let fenced = false
  /** @type {[number, string][]} */
  const lines = []
  for (const [i, line] of read(page).split("\n").entries()) {
    if (line.trimStart().startsWith("```")) fenced = !fenced
    else if (!fenced) lines.push([i + 1, line])
  }
  return lines
}

/** What GitHub makes of a heading. @param {string} heading @returns {string} */
const anchor = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-")

/** @param {string} page @returns {Set<string>} */
const anchorsOf = (page) =>
  new Set(prose(page).flatMap(([, line]) => (/^#+ /.test(line) ? [anchor(line.replace(/^#+ /, ""))] : [])))

/** @param {string} page @param {string} target @returns {string | undefined} what is wrong with a link */
function linkFault(page, target) {
  if (/^[a-z]+:/.test(target)) return undefined
  const [path, fragment] = target.split("#")
  const file = path ? join(dirname(page), path) : page
  if (!existsSync(join(root, file))) return `${file} does not exist`
  if (fragment && !anchorsOf(file).has(fragment)) return `${file} has no heading #${fragment}`
  return undefined
}

/** Whether a path, with `*` in its last part and `{h,cc}` allowed, names something. @param {string} path @returns {boolean} */
function names(path) {
  if (!path.includes("*")) return existsSync(join(root, path))
  const directory = join(root, dirname(path))
  const pattern = new RegExp(`^${path.slice(dirname(path).length + 1).replaceAll(".", "\\.").replaceAll("*", ".*")}$`)
  return existsSync(directory) && readdirSync(directory).some((name) => pattern.test(name))
}

test("every relative link of the documentation leads to a file and to a heading in it", () => {
  const faults = pages.flatMap((page) =>
    prose(page).flatMap(([number, line]) =>
      [...line.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target]) => {
        const fault = linkFault(page, target ?? "")
        return fault ? [`${page}:${number}: ${fault}`] : []
      }),
    ),
  )
  assert.deepEqual(faults, [])
})

test("every path of this repository that the documentation names exists", () => {
  // An example of a project's own files begins like ours; it is known by the word before it.
  const mention = /(?<![\w./<-])(?:src|include|js|tests|agents|docs|schema)\/[\w*][\w./*-]*/g
  const faults = pages.flatMap((page) =>
    prose(page).flatMap(([number, line]) =>
      [...line.matchAll(mention)]
        .map(([path]) => path.replace(/[.,;:-]+$/, ""))
        .filter((path) => !examples.has(path) && !names(path))
        .map((path) => `${page}:${number}: ${path} does not exist`),
    ),
  )
  assert.deepEqual(faults, [])
})

/** Paths in examples: files of a user's project. */
const examples = new Set(["src/auth/**", "src/slug.js", "src/words.js"])

test("the index of docs/ lists every page", () => {
  const index = new Set([...read("docs/README.md").matchAll(/\]\(([^)#]+)\)/g)].map(([, target]) => target))
  const missing = pages
    .filter((page) => page.startsWith("docs") && page !== join("docs", "README.md"))
    .filter((page) => !index.has(relative("docs", page)))
  assert.deepEqual(missing, [])
})

test("README.md is short, and its lines and those of every page fit", () => {
  const lines = read("README.md").trimEnd().split("\n").length
  assert.ok(lines <= linesMax, `README.md has ${lines} lines, and ${linesMax} is the most`)
  const written = pages.filter((page) => !read(page).startsWith("<!-- Written by")) // the others come from the sources
  const wide = written.flatMap((page) =>
    prose(page)
      .filter(([, line]) => [...line].length > columnsMax && !/^\s*\|/.test(line) && !line.startsWith("    "))
      .map(([number, line]) => `${page}:${number}: ${[...line].length} columns`),
  )
  assert.deepEqual(wide, [])
})

test("the pages that a newcomer needs name the commands to begin with", () => {
  const readme = read("README.md")
  for (const command of ["npm run rehearse", "npm test"]) assert.ok(readme.includes(command), `README.md: ${command}`)
})
