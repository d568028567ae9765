import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { copyFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { test } from "node:test"
import { Worker } from "node:worker_threads"
import { echoPath, listen, loadEcho, root, temporaryDirectory } from "./support.mjs"

/** Runs a script in a Node of its own. @param {string} script @param {string[]} args */
function node(script, args = []) {
  const begin = Date.now()
  const done = spawnSync(process.execPath, ["-e", script, echoPath, ...args], { encoding: "utf8", timeout: 30_000 })
  return { code: done.status, signal: done.signal, out: done.stdout, err: done.stderr, ms: Date.now() - begin }
}

/** A Worker that floods the echo. */
const flood = `
  const { parentPort, workerData } = require("node:worker_threads")
  const addon = require(workerData.echoPath)
  let count = 0
  const binding = addon.open({ directory: workerData.directory, options: "{}", onEffects() { count++ } })
  parentPort.postMessage("up")
  setInterval(() => { for (let i = 0; i < 500; i++) binding.post('"' + "x".repeat(200) + '"') }, 0)
`

test("brings its own libuv, not the host's", () => {
  const info = loadEcho().info()
  assert.match(info.uvVersion, /^1\./)
  assert.notEqual(info.uvVersion, process.versions.uv)
})

test("exports the entry points alone", () => {
  const addon = join(root, "build", "orchestrator.node")
  const script = join(root, "tests", "node", "check_exports.cmake")
  const done = spawnSync("cmake", ["-DNM=nm", `-DADDON=${addon}`, "-P", script], { encoding: "utf8" })
  assert.equal(done.status, 0, done.stderr)
})

test("answers in order, in batches, in the main thread", async (t) => {
  const side = listen(loadEcho(), temporaryDirectory(t))
  const sent = Array.from({ length: 5_000 }, (_, i) => i)
  for (const i of sent) assert.equal(side.binding.post(JSON.stringify(i)), true)
  await side.until((got) => got.length === sent.length + 1)
  assert.deepEqual(side.got, ["bound", ...sent])
  side.binding.close()
})

test("carries every kind of text unchanged", async (t) => {
  const side = listen(loadEcho(), temporaryDirectory(t))
  const texts = ["", "quotes \" ' `", "line\nfeed\0nul", "ü 日本語 🦊", "x".repeat(1 << 20)]
  for (const text of texts) side.binding.post(JSON.stringify(text))
  await side.until((got) => got.length === texts.length + 1)
  assert.deepEqual(side.got.slice(1), texts)
  side.binding.close()
})

test("tells at once which sessions are watched", async (t) => {
  const side = listen(loadEcho(), temporaryDirectory(t))
  assert.equal(side.binding.watches("ses_1"), false)
  side.binding.post('"watch:ses_1"')
  await side.until((got) => got.includes("watch:ses_1"))
  assert.equal(side.binding.watches("ses_1"), true)
  assert.equal(side.binding.watches("x".repeat(500)), false)
  assert.equal(side.binding.sessionInfo("ses_1"), undefined)
  side.binding.post('"say:ses_1"')
  await side.until(() => side.binding.sessionInfo("ses_1") === '{"ü":"🦊"}')
  side.binding.close()
  assert.equal(side.binding.watches("ses_1"), false)
  assert.equal(side.binding.sessionInfo("ses_1"), undefined)
})

test("two instances of one directory: the newest gets the messages, then the older again", async (t) => {
  const directory = temporaryDirectory(t)
  const addon = loadEcho()
  const older = listen(addon, directory)
  await older.until((got) => got.length === 1)
  const newer = listen(addon, directory)
  await newer.until((got) => got.length === 1)
  older.binding.post("1")
  await newer.until((got) => got.includes(1))
  newer.binding.close()
  newer.binding.close()
  older.binding.post("2")
  await older.until((got) => got.includes(2))
  assert.equal(newer.binding.post("3"), false)
  older.binding.close()
})

test("two copies of the file in one process have an engine each", async (t) => {
  const directory = temporaryDirectory(t)
  const copy = join(directory, "copy.node")
  copyFileSync(echoPath, copy)
  const first = listen(loadEcho(), directory)
  const second = listen(createRequire(import.meta.url)(copy), directory)
  await first.until((got) => got.includes("bound"))
  await second.until((got) => got.includes("bound"))
  first.binding.close()
  second.binding.close()
})

test("refuses wrong arguments with a sentence", (t) => {
  const addon = loadEcho()
  const directory = temporaryDirectory(t)
  const onEffects = () => {}
  assert.throws(() => addon.open({ directory: join(directory, "missing"), onEffects }), /missing: cannot resolve/)
  // @ts-expect-error on purpose
  assert.throws(() => addon.open({ directory }), /onEffects: function/)
  // @ts-expect-error on purpose
  assert.throws(() => addon.open(), /an object is needed/)
  const { binding } = listen(addon, directory)
  // @ts-expect-error on purpose
  assert.throws(() => binding.post({ an: "object" }), /JSON string/)
  // @ts-expect-error on purpose
  assert.throws(() => binding.watches(), /session id/)
  assert.throws(() => binding.sessionInfo(), /session id/)
  binding.close()
})

test("a callback that throws is counted and harms nothing", async (t) => {
  const addon = loadEcho()
  let calls = 0
  const binding = addon.open({
    directory: temporaryDirectory(t),
    onEffects() {
      calls++
      throw new Error("from the callback")
    },
  })
  const before = addon.info().callbackErrors
  const deadline = Date.now() + 5_000
  for (let i = 0; calls < 3 && Date.now() < deadline; i++) {
    binding.post(String(i))
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.ok(addon.info().callbackErrors >= before + 2)
  assert.equal(addon.info().lastCallbackError, "Error: from the callback")
  binding.close()
})

test("an idle engine does not keep the process alive", () => {
  const done = node(`require(process.argv[1]).open({ directory: ".", onEffects() {} })`)
  assert.deepEqual([done.code, done.signal, done.err], [0, null, ""])
  assert.ok(done.ms < 5_000)
})

test("process.exit, an uncaught throw and a signal under load end the process as they should", () => {
  const start = `
    const b = require(process.argv[1]).open({ directory: ".", onEffects() {} })
    setInterval(() => { for (let i = 0; i < 1000; i++) b.post('"x"') }, 0)
  `
  for (let round = 0; round < 5; round++) {
    const exited = node(`${start}; setTimeout(() => process.exit(7), 100)`)
    assert.deepEqual([exited.code, exited.signal, exited.err], [7, null, ""])
  }
  const thrown = node(`${start}; setTimeout(() => { throw new Error("on purpose") }, 100)`)
  assert.deepEqual([thrown.code, thrown.signal], [1, null])
  assert.match(thrown.err, /on purpose/)
  const killed = node(`${start}; setTimeout(() => process.kill(process.pid, "SIGTERM"), 100)`)
  assert.equal(killed.signal, "SIGTERM")
})

test("process.exit while Workers are busy", (t) => {
  const script = `
    const { Worker } = require("node:worker_threads")
    const workerData = { echoPath: process.argv[1], directory: process.argv[2] }
    for (let i = 0; i < 3; i++) new Worker(${JSON.stringify(flood)}, { eval: true, workerData })
    setTimeout(() => process.exit(7), 400)
  `
  const done = node(script, [temporaryDirectory(t)])
  assert.deepEqual([done.code, done.signal, done.err], [7, null, ""])
})

test("works in a Worker, and a Worker that is terminated under load harms no other one, 30 times", async (t) => {
  const directory = temporaryDirectory(t)
  for (let round = 0; round < 30; round++) {
    const worker = new Worker(flood, { eval: true, workerData: { echoPath, directory } })
    await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject))
    await new Promise((resolve) => setTimeout(resolve, round % 7))
    await worker.terminate()
  }
  assert.equal(loadEcho().info().environments <= 1, true)
})

test("the engine stops with its last environment and starts again", async (t) => {
  const directory = temporaryDirectory(t)
  const script = `
    const { Worker } = require("node:worker_threads")
    const addon = require(process.argv[1])
    const workerData = { echoPath: process.argv[1], directory: process.argv[2] }
    async function round() {
      const worker = new Worker(${JSON.stringify(flood)}, { eval: true, workerData })
      await new Promise((resolve) => worker.once("message", resolve))
      const during = addon.info().running
      await worker.terminate()
      return [during, addon.info().running]
    }
    round().then(async (first) => console.log(JSON.stringify([first, await round()])))
  `
  const done = node(script, [directory])
  assert.equal(done.err, "")
  assert.deepEqual(JSON.parse(done.out), [[true, false], [true, false]])
})
