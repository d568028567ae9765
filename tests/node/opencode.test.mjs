// The addon inside the real OpenCode, which is Bun: a path plugin of a few lines loads it and echoes.

import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { opencodeBinary } from "../../js/dev/opencode.mjs"
import { echoPath, temporaryDirectory } from "./support.mjs"

const plugin = `
import { createRequire } from "node:module"
import { writeFileSync } from "node:fs"
export default {
  id: "echo-of-the-tests",
  server: async ({ directory }) => {
    const addon = createRequire(import.meta.url)(process.env.TEST_ECHO)
    const got = []
    const posted = 5000
    let wake
    const all = new Promise((resolve) => (wake = resolve))
    const binding = addon.open({ directory, options: "{}", onEffects(json) {
      got.push(...JSON.parse(json))
      if (got.length > posted) wake()
    } })
    binding.post('"watch:ses_1"')
    for (let i = 1; i < posted; i++) binding.post(JSON.stringify("message " + i))
    await all
    const begin = process.hrtime.bigint()
    for (let i = 0; i < 100000; i++) binding.watches("ses_1")
    const watchNs = Number(process.hrtime.bigint() - begin) / 100000
    writeFileSync(process.env.TEST_RESULT, JSON.stringify({
      got: [got[0], got[1], got.at(-1)], watched: binding.watches("ses_1"), watchNs, bun: process.versions.bun,
      info: addon.info(),
    }))
    setInterval(() => { for (let i = 0; i < 100; i++) binding.post('"load"') }, 1).unref()
    return {}
  },
}
`

/** A HOME in which OpenCode starts without asking npm for anything, and a project with the plugin. @param {string} top */
function prepare(top) {
  const home = join(top, "home")
  const project = join(top, "project")
  const config = join(home, ".config", "opencode")
  mkdirSync(join(config, "node_modules"), { recursive: true })
  const lock = { lockfileVersion: 3, packages: { "": { dependencies: { "@opencode-ai/plugin": "*" } } } }
  writeFileSync(join(config, "package-lock.json"), JSON.stringify(lock))
  mkdirSync(project)
  writeFileSync(join(top, "echo.mjs"), plugin)
  writeFileSync(join(project, "opencode.json"), JSON.stringify({ autoupdate: false, plugin: [join(top, "echo.mjs")] }))
  const result = join(top, "result.json")
  const env = { PATH: process.env.PATH, HOME: home, TEST_ECHO: echoPath, TEST_RESULT: result, OPENCODE_DISABLE_MODELS_FETCH: "1" }
  return { project, result, env }
}

/** @param {string[]} args @param {ReturnType<typeof prepare>} place @param {string} log */
function opencode(args, place, log) {
  const output = openSync(log, "w")
  const child = spawn(opencodeBinary(), args, { cwd: place.project, env: place.env, stdio: ["ignore", output, output], timeout: 60_000 })
  closeSync(output)
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })))
  return { child, ended }
}

/** @param {string} path @param {string} log */
function checkResult(path, log) {
  assert.ok(existsSync(path), `the plugin wrote nothing; OpenCode said:\n${readFileSync(log, "utf8")}`)
  const result = JSON.parse(readFileSync(path, "utf8"))
  assert.deepEqual(result.got, ["bound", "watch:ses_1", "message 4999"])
  assert.equal(result.watched, true)
  assert.ok(result.bun, "this is not Bun")
  assert.equal(result.info.failures, 0)
  assert.match(result.info.uvVersion, /^1\./)
}

test("a command of OpenCode ends cleanly while the addon is busy", { timeout: 90_000 }, async (t) => {
  const top = temporaryDirectory(t)
  const place = prepare(top)
  const log = join(top, "log")
  const { ended } = opencode(["agent", "list"], place, log)
  assert.deepEqual(await ended, { code: 0, signal: null }, readFileSync(log, "utf8"))
  checkResult(place.result, log)
})

test("a server of OpenCode loads it and ends at SIGTERM", { timeout: 90_000 }, async (t) => {
  const top = temporaryDirectory(t)
  const place = prepare(top)
  const log = join(top, "log")
  const { child, ended } = opencode(["serve", "--port", "0", "--hostname", "127.0.0.1"], place, log)
  t.after(() => child.kill("SIGKILL"))
  const deadline = Date.now() + 60_000
  while (!existsSync(place.result) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 300))
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(readFileSync(log, "utf8"))?.[0]
    // The first request can hang while the server starts: short time-out, and again.
    if (url) await fetch(`${url}/agent?directory=${encodeURIComponent(place.project)}`, { signal: AbortSignal.timeout(5_000) }).catch(() => {})
  }
  checkResult(place.result, log)
  child.kill("SIGTERM")
  const end = await ended
  assert.ok(end.code === 0 || end.code === 143 || end.signal === "SIGTERM", JSON.stringify(end))
})
