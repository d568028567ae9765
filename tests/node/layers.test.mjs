// Keeps the include rules of the layers true: who may include whom, and which foreign header has one home.

import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { root } from "./support.mjs"

/** Layer -> layers it may include besides itself. `orchestrator` is include/orchestrator. @type {Record<string, string[]>} */
const allowed = {
  orchestrator: [],
  base: [],
  core: ["orchestrator", "base"],
  codec: ["orchestrator", "base"],
  os: ["base"],
  store: ["base", "os"],
  syntax: ["base"],
  lsp: ["orchestrator", "base", "codec"],
  runtime: ["orchestrator", "base", "core", "codec", "os", "store", "syntax", "lsp"],
  node: ["base", "runtime", "codec"],
  sim: ["orchestrator", "base", "core", "codec", "os", "store", "runtime"],
  tools: ["orchestrator", "base", "core", "codec", "os", "store", "syntax", "lsp", "runtime", "sim"],
}

/** Foreign headers and the only layer that may include them. @type {[RegExp, string][]} */
const homes = [
  [/^napi\.h$|^node_api/, "node"],
  [/^uv\.h$|^spdlog\//, "runtime"],
  [/^nlohmann\//, "codec"],
  [/^tree_sitter\//, "syntax"],
  [/^boost\//, "store"],
  [/^blake2\.h$/, "os"],
]

/** @param {string} dir @returns {string[]} */
function sources(dir) {
  return readdirSync(join(root, dir), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(h|cc)$/.test(name) && !name.startsWith("deps"))
    .map((name) => join(dir, name))
}

/** @param {string} file @param {string} layer @param {string} header @returns {string | undefined} */
function fault(file, layer, header) {
  const target = header.split("/")[0]
  if (target in allowed && target !== layer && !allowed[layer].includes(target)) {
    return `${file}: ${layer} must not include ${header}`
  }
  const home = homes.find(([pattern]) => pattern.test(header))
  if (home && home[1] !== layer) return `${file}: only ${home[1]} may include ${header}`
  return undefined
}

test("every source includes only what its layer may", () => {
  const faults = [...sources("src"), ...sources("include")].flatMap((file) => {
    const layer = file.split("/")[1]
    assert.ok(layer in allowed, `${file}: ${layer} is no known layer`)
    const headers = [...readFileSync(join(root, file), "utf8").matchAll(/^#include [<"]([^>"]+)[>"]/gm)]
    return headers.map(([, header]) => fault(file, layer, header)).filter(Boolean)
  })
  assert.deepEqual(faults, [])
})

test("the core knows no clock, file, thread or randomness", () => {
  const forbidden = /#include <(chrono|thread|mutex|atomic|random|fstream|filesystem|iostream|ctime|unistd\.h|sys\/.*)>/
  const files = [...sources("src/core"), ...sources("include")]
  assert.deepEqual(
    files.filter((file) => forbidden.test(readFileSync(join(root, file), "utf8"))),
    [],
  )
})

test("the top level holds what it should and nothing else", () => {
  const known = new Set([
    ...["CMakeLists.txt", "CMakePresets.json", "binding.gyp", "package.json", "package-lock.json", "LICENSE", "README.md"],
    ...["src", "include", "js", "agents", "schema", "tests", "docs"],
    ...["build", "node_modules", "prebuilds"], // never committed
  ])
  const strangers = readdirSync(root).filter((name) => !name.startsWith(".") && !known.has(name) && !name.endsWith(".tgz"))
  assert.deepEqual(strangers, [])
})
