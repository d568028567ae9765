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
  engine: ["base", "os", "codec"],
  runtime: ["orchestrator", "base", "core", "codec", "os", "store", "syntax", "lsp", "engine"],
  node: ["base", "engine", "runtime", "codec"],
  opencode_model: ["orchestrator", "base", "core"],
  sim: ["orchestrator", "base", "core", "opencode_model", "codec", "os", "store", "engine", "runtime"],
  tools: ["orchestrator", "base", "core", "codec", "os", "store", "syntax", "lsp", "engine", "runtime", "sim"],
}

/**
 * The rooms of a layer, from the lowest up: a room may include itself and those before it. A file in the layer's
 * own directory is above all rooms.
 * @type {Record<string, string[]>}
 */
const rooms = {
  core: ["state", "models", "prompts", "sessions", "worktrees", "schedule", "tools", "mission"],
  runtime: ["code", "git", "history", "project"],
}

/** Foreign headers and the only layer that may include them. @type {[RegExp, string][]} */
const homes = [
  [/^napi\.h$|^node_api/, "node"],
  [/^uv\.h$/, "engine"],
  [/^spdlog\//, "runtime"],
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

/** @param {string} file @returns {string[]} */
const includesOf = (file) => [...readFileSync(join(root, file), "utf8").matchAll(/^#include "([^"]+)"/gm)].map(([, header]) => String(header))

test("a room includes only itself and the rooms below it", () => {
  const faults = Object.entries(rooms).flatMap(([layer, order]) =>
    sources(`src/${layer}`).flatMap((file) => {
      const parts = file.split("/").slice(2)
      const room = parts.length > 1 ? order.indexOf(String(parts[0])) : order.length
      assert.notEqual(room, -1, `${file}: ${parts[0]} is no known room of ${layer}`)
      return includesOf(file).flatMap((header) => {
        const [at, to, ...rest] = header.split("/")
        if (at !== layer) return []
        const target = rest.length > 0 ? order.indexOf(String(to)) : order.length
        return target > room ? [`${file}: ${parts[0]} must not include ${header}`] : []
      })
    }),
  )
  assert.deepEqual(faults, [])
})

test("no units of a directory include each other in a circle", () => {
  // A unit is a header with its source, x.h and x.cc, and with its private half, x_impl.h and x_impl.cc.
  const unitOf = (/** @type {string} */ path) => path.replace(/(_impl)?\.(h|cc)$/, "")
  for (const layer of Object.keys(allowed).filter((name) => name !== "orchestrator")) {
    /** @type {Map<string, Set<string>>} */
    const graph = new Map()
    for (const file of sources(`src/${layer}`)) {
      const unit = unitOf(file.slice("src/".length))
      const uses = graph.get(unit) ?? new Set()
      for (const header of includesOf(file)) if (header.startsWith(`${layer}/`) && unitOf(header) !== unit) uses.add(unitOf(header))
      graph.set(unit, uses)
    }
    /** @type {Map<string, "open" | "closed">} */
    const marks = new Map()
    /** @param {string} unit @param {string[]} path */
    const visit = (unit, path) => {
      if (marks.get(unit) === "closed") return
      assert.notEqual(marks.get(unit), "open", `${[...path.slice(path.indexOf(unit)), unit].join(" -> ")}`)
      marks.set(unit, "open")
      for (const next of graph.get(unit) ?? []) visit(next, [...path, unit])
      marks.set(unit, "closed")
    }
    for (const unit of graph.keys()) visit(unit, [])
  }
})

test("the core knows no clock, file, thread or randomness", () => {
  const forbidden = /#include <(chrono|thread|mutex|atomic|random|fstream|filesystem|iostream|ctime|unistd\.h|sys\/.*)>/
  const files = [...sources("src/core"), ...sources("include")]
  assert.deepEqual(
    files.filter((file) => forbidden.test(readFileSync(join(root, file), "utf8"))),
    [],
  )
})

/** Words of a host's client, events and hooks, which js/plugin must not see. */
const hostWords = [
  /\bclient\b/i,
  /\b_client\b|promptAsync|showToast|noReply|parentID|providerID|maxOutputTokens/,
  /\b(session|message|part|call|request)ID\b/,
  /["'`](session|message|permission|question|tool|chat|command|experimental|server|file|todo)\.[a-z.]+["'`]/,
]

/** @param {string} file @returns {string[]} the modules that it names, also in JSDoc types */
const importsOf = (file) =>
  [...readFileSync(join(root, file), "utf8").matchAll(/\b(?:from |import\(?)\s*"([^"]+)"/g)].map((m) => String(m[1]))

/** @param {string} dir */
const modules = (dir) => readdirSync(join(root, dir)).filter((name) => name.endsWith(".js")).map((name) => join(dir, name))

test("js/plugin knows no host: only the seam's types, and no word of a client, an event or a hook", () => {
  const files = modules("js/plugin")
  assert.ok(files.length > 5, `${files}`)
  const faults = files.flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8")
    const foreign = importsOf(file).filter((name) => !/^\.\/[\w-]+\.js$|^node:|^\.\.\/native\.mjs$|^\.\.\/host\/host\.js$/.test(name))
    const values = [...text.matchAll(/^import .*host\.js"/gm)].map(([line]) => line)
    const words = hostWords.flatMap((pattern) => pattern.exec(text)?.[0] ?? [])
    return [...foreign, ...values, ...words].map((fault) => `${file}: ${fault}`)
  })
  assert.deepEqual(faults, [])
})

test("the seam is types alone, and an adapter reaches the engine only through js/plugin", () => {
  const seam = readFileSync(join(root, "js/host/host.js"), "utf8")
  assert.equal(seam.replace(/\/\*\*.*?\*\//gs, "").replace(/^\/\/.*/gm, "").trim(), "export {}")
  const plugin = ["plugin", "directory-state", "contribution"].map((name) => `../../plugin/${name}.js`)
  const faults = modules("js/host/opencode1").flatMap((file) =>
    importsOf(file)
      .filter((name) => !/^\.\/[\w-]+\.js$|^node:|^\.\.\/host\.js$/.test(name) && !plugin.includes(name))
      .map((name) => `${file}: ${name}`),
  )
  assert.deepEqual(faults, [])
})

test("the top level holds what it should and nothing else", () => {
  const known = new Set([
    ...["CMakeLists.txt", "CMakePresets.json", "binding.gyp", "package.json", "package-lock.json", "LICENSE", "README.md", "CONTRIBUTING.md"],
    ...["src", "include", "js", "agents", "tests", "docs", "schema"],
    ...["build", "node_modules", "prebuilds"], // never committed
  ])
  const strangers = readdirSync(root).filter((name) => !name.startsWith(".") && !known.has(name) && !name.endsWith(".tgz"))
  assert.deepEqual(strangers, [])
})
