// Committed files that the C++ sources give, and the settings' JSON Schema against the engine that reads them.

import Ajv from "ajv"
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { generatedFiles, generatedText } from "../../js/dev/generate.mjs"
import { missionTools } from "../../js/plugin/tools.js"
import { root } from "./support.mjs"

/** @param {string} file */
const committed = (file) => readFileSync(join(root, file), "utf8")

for (const [file, word] of Object.entries(generatedFiles)) {
  test(`${file} is what the sources give (else: npm run generate)`, () => {
    assert.equal(committed(file), generatedText(word))
  })
}

/** @param {string[]} args @param {unknown} input */
function protocol(args, input) {
  const program = join(root, "build", "cmake", "release", "protocol")
  const { status, stdout } = spawnSync(program, args, { input: JSON.stringify(input), encoding: "utf8" })
  assert.ok(status === 0 || status === 1, `protocol ${args.join(" ")} ended with ${status}: ${stdout}`)
  return { accepted: status === 0, says: stdout }
}

const schemaFile = "schema/orchestrator.schema.json"

/** Whether the engine takes these settings, and what it says: all settings, or the problems. @param {unknown} settings */
const engine = (settings) => protocol(["check-settings"], settings)

/** A public validator's opinion. */
function validator() {
  const ajv = new Ajv.default({ strict: true, allErrors: true })
  return ajv.compile(JSON.parse(committed(schemaFile)))
}

/** Every documented key, with a value that is not its default. */
const everyKey = {
  $schema: "../schema/orchestrator.schema.json",
  parallel: { initial: 2, max: 6, per_model: { "a/b": 3 } },
  budget: { tokens: 1_000_000, usd: 2.5, minutes: 30 },
  limits: { attempts: 2, iterations: 4, depth: 1, tasks: 50, continuations: 2 },
  timeouts: { stall_s: 60, task_min: 30, permission_s: 120 },
  isolation: "worktree",
  resume: "manual",
  review: { shadow: "off" },
  models: { commander: "a/b", planner: "a/b", worker: "a/b", reviewer: "a/b", "master-reviewer": "a/b" },
  memory: { budget_tokens: 100 },
  verify: ["npm test"],
  snapshots: "off",
  log: { level: "debug" },
  lsp: { cpp: { command: ["clangd"] }, go: { disabled: true }, python: {}, rust: {}, typescript: {} },
  fallback: { worker: "a/c", "a/b": "a/c" },
}

/** Keys of the table: the last column's rows, maps with any key as `<`. @returns {string[]} */
function documentedKeys() {
  return [...committed("docs/user/settings.md").matchAll(/^\| `([^`]+)` \|/gm)].map(([, key]) => key)
}

test("the engine and the schema accept every documented key", () => {
  const validate = validator()
  assert.ok(validate(everyKey), JSON.stringify(validate.errors))
  const { accepted, says } = engine(everyKey)
  assert.ok(accepted, says)
  for (const key of documentedKeys()) {
    let value = /** @type {any} */ (everyKey)
    for (const part of key.split(/\.(?![^<]*>)/)) {
      const next = part.startsWith("<") ? Object.values(value).find((item) => typeof item !== "object" || Object.keys(item).length > 0) : value[part]
      if (next === undefined && key.endsWith(".disabled")) break // its sibling is under the first language
      assert.notEqual(next, undefined, `${key} is documented and not in this test`)
      value = next
    }
  }
})

/** Each is wrong in one place. @type {[string, unknown][]} */
const wrong = [
  ["paralel", { paralel: { max: 3 } }],
  ["parallel.maxx", { parallel: { maxx: 3 } }],
  ["limits.$schema", { limits: { $schema: "x" } }],
  ["$schema", { $schema: 5 }],
  ["parallel.max", { parallel: { max: 51 } }],
  ["parallel.initial", { parallel: { initial: 0 } }],
  ["parallel.per_model", { parallel: { per_model: { nomodel: 3 } } }],
  ["parallel.per_model", { parallel: { per_model: { "a/b": 0 } } }],
  ["budget.usd", { budget: { usd: -1 } }],
  ["budget.tokens", { budget: { tokens: "many" } }],
  ["limits.attempts", { limits: { attempts: 0 } }],
  ["limits.depth", { limits: { depth: 11 } }],
  ["limits.tasks", { limits: { tasks: 501 } }],
  ["timeouts.stall_s", { timeouts: { stall_s: 0 } }],
  ["timeouts.task_min", { timeouts: { task_min: 0 } }],
  ["timeouts.permission_s", { timeouts: { permission_s: 0 } }],
  ["timeouts.permission_s", { timeouts: { permission_s: 1.5 } }],
  ["isolation", { isolation: "none" }],
  ["review.shadow", { review: { shadow: true } }],
  ["models.boss", { models: { boss: "a/b" } }],
  ["models.worker", { models: { worker: "no-slash" } }],
  ["memory.budget_tokens", { memory: { budget_tokens: 1_000_001 } }],
  ["verify", { verify: "npm test" }],
  ["verify", { verify: [1] }],
  ["log.level", { log: { level: "loud" } }],
  ["lsp.cobol", { lsp: { cobol: {} } }],
  ["lsp.cpp.command", { lsp: { cpp: { command: "clangd" } } }],
  ["fallback.boss", { fallback: { boss: "a/b" } }],
  ["fallback.worker", { fallback: { worker: "no-slash" } }],
]

test("the engine and the schema refuse the same mistakes, and the engine names the place", () => {
  const validate = validator()
  for (const [place, settings] of wrong) {
    assert.equal(validate(settings), false, `the schema accepts ${JSON.stringify(settings)}`)
    const { accepted, says } = engine(settings)
    assert.equal(accepted, false, `the engine accepts ${JSON.stringify(settings)}`)
    assert.ok(says.startsWith(place), `${place}: ${says}`)
  }
  assert.match(engine({ paralel: {} }).says, /did you mean "parallel"/)
  assert.match(engine({ models: { wroker: "a/b" } }).says, /did you mean "worker"/)
})

test("every setting's range in the schema is the engine's: both ends in, one beyond out", () => {
  /** @param {any} schema @param {string[]} path @returns {[string[], any][]} */
  const ranged = (schema, path = []) =>
    Object.entries(schema.properties ?? {}).flatMap(([key, property]) => ranged(property, [...path, key])).concat("maximum" in schema ? [[path, schema]] : [])
  const settings = ranged(JSON.parse(committed(schemaFile)))
  assert.ok(settings.length >= 13, `${settings.length}`)
  for (const [path, { minimum, maximum }] of settings) {
    /** @param {number} value */
    const at = (value) => engine(path.reduceRight((inner, key) => ({ [key]: inner }), /** @type {any} */ (value))).accepted
    assert.deepEqual([minimum, maximum, minimum - 1, maximum + 1].map(at), [true, true, false, false], path.join("."))
  }
})

test("defaults in the schema are the engine's", () => {
  const settings = JSON.parse(engine({}).says)
  let compared = 0
  /** @param {any} schema @param {any} value @param {string} path */
  const compare = (schema, value, path) => {
    for (const [key, property] of Object.entries(/** @type {Record<string, any>} */ (schema.properties ?? {}))) {
      if ("default" in property) assert.deepEqual([`${path}${key}`, value[key]], [`${path}${key}`, property.default], String(++compared))
      compare(property, value[key], `${path}${key}.`)
    }
  }
  compare(JSON.parse(committed(schemaFile)), settings, "")
  assert.ok(compared >= 18, `${compared}`)
})

// ---- the tools

/** What a value of a schema may be, with every argument. @param {any} schema @returns {any} */
function sample(schema) {
  if (schema.enum) return schema.enum[0]
  if (schema.type === "string") return "x"
  if (schema.type === "integer") return 1
  if (schema.type === "boolean") return true
  if (schema.type === "array") return [sample(schema.items)]
  const properties = Object.entries(schema.properties ?? {})
  return Object.fromEntries(properties.map(([key, property]) => [key, sample(property)]))
}

/** Arguments that the schema leaves open and the engine reads as a task or a claimed command. @type {Record<string, any>} */
const inside = { evidence: [{ command: "x", exit_code: 0 }], follow_ups: [{ id: "T9", title: "x" }], add: { id: "T9", title: "x" } }

/** @param {any} value @param {string} key @param {any} to @returns {any} a copy with one key changed, or without it */
function changed(value, key, to) {
  const { [key]: _, ...others } = value
  return to === undefined ? others : { ...others, [key]: to }
}

test("a tool's schema demands what the engine demands: no less, no more", () => {
  let compared = 0
  for (const [name, tool] of Object.entries(missionTools)) {
    const schema = /** @type {any} */ (tool.schema)
    const validate = new Ajv.default({ strict: true }).compile(schema)
    /** @param {any} args @param {boolean} good @param {string} what */
    const both = (args, good, what) => {
      assert.equal(validate(args), good, `${name}, ${what}: the schema`)
      const { accepted, says } = protocol(["check-tool", name], args)
      assert.equal(accepted, good, `${name}, ${what}: the engine: ${says}`)
      ++compared
    }
    const full = sample(schema)
    for (const [key, value] of Object.entries(inside)) if (key in full) full[key] = value
    both(full, true, "all arguments")
    for (const key of Object.keys(full)) {
      both(changed(full, key, undefined), !schema.required?.includes(key), `without ${key}`)
      const property = schema.properties[key]
      both(changed(full, key, property.type === "string" ? 5 : 'a word'), false, `${key} of another type`)
      const item = property.items
      for (const part of Object.keys(item?.properties ?? {})) {
        const less = [changed(full[key][0], part, undefined)]
        both(changed(full, key, less), !item.required?.includes(part), `${key} without ${part}`)
      }
      if (property.enum) both(changed(full, key, "no such word"), false, `${key} of no such word`)
    }
  }
  assert.ok(compared > 100, `${compared}`)
})
