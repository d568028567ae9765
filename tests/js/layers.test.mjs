// The layering of docs/architecture.md, kept true: who may include whom, and who alone may touch a third party's header.

import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { test } from "node:test"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** layer -> layers whose headers it may include, besides its own. @type {Record<string, string[]>} */
const mayInclude = {
  orchestrator: [],
  base: [],
  core: ["orchestrator", "base"],
  codec: ["orchestrator", "base"],
  os: ["base"],
  store: ["base", "os"],
  syntax: ["base"],
  lsp: ["base", "os"],
  runtime: ["orchestrator", "base", "core", "codec", "os", "store", "syntax", "lsp"],
  node: ["orchestrator", "base", "codec", "runtime"],
}

/** header prefix -> the layers that may include it. @type {Record<string, string[]>} */
const owners = {
  "nlohmann/": ["codec"],
  "uv.h": ["runtime"],
  "spdlog/": ["runtime"],
  "napi.h": ["node"],
  "node_api.h": ["node"],
  "tree_sitter/": ["syntax"],
  "blake2": ["os"],
  "isa-l": ["store"],
}

/** @param {string} dir @param {RegExp} pattern */
function files(dir, pattern) {
  return readdirSync(join(root, dir), { recursive: true, encoding: "utf8" })
    .filter((name) => pattern.test(name) && !name.includes("node_modules"))
    .map((name) => join(dir, name))
}

/** @param {string} file @returns {string[]} */
function includes(file) {
  return [...readFileSync(join(root, file), "utf8").matchAll(/^#include ["<]([^">]+)[">]/gm)].map((m) => String(m[1]))
}

const sources = [
  ...files("include/orchestrator", /\.h$/).map((file) => ({ file, layer: "orchestrator" })),
  ...Object.keys(mayInclude)
    .filter((layer) => layer !== "orchestrator")
    .flatMap((layer) => {
      try {
        return files(`src/${layer}`, /\.(h|cc)$/).map((file) => ({ file, layer }))
      } catch {
        return [] // a layer that has no source yet
      }
    }),
]

test("a layer includes only the layers below it", () => {
  assert.ok(sources.length > 40, "the sources were found")
  const wrong = []
  for (const { file, layer } of sources) {
    for (const header of includes(file)) {
      const target = header.split("/")[0] ?? ""
      if (!(target in mayInclude) || !header.includes("/") || target === layer) continue
      if (!mayInclude[layer]?.includes(target)) wrong.push(`${file} includes ${header}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test("a third party's header has one layer that knows it", () => {
  const wrong = []
  for (const { file, layer } of sources) {
    for (const header of includes(file)) {
      for (const [prefix, layers] of Object.entries(owners)) {
        if (header.startsWith(prefix) && !layers.includes(layer)) wrong.push(`${file} includes ${header}`)
      }
    }
  }
  assert.deepEqual(wrong, [])
})

test("the core knows no clock, file, thread or randomness", () => {
  const forbidden = /#include <(chrono|thread|mutex|atomic|random|fstream|filesystem|iostream|ctime|unistd\.h|sys\/.*)>/
  const wrong = sources
    .filter(({ layer }) => layer === "core" || layer === "orchestrator")
    .filter(({ file }) => forbidden.test(readFileSync(join(root, file), "utf8")))
  assert.deepEqual(wrong, [])
})
