// The engine starts language servers inside of a host that has children of its own: neither may take the other's.

import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { loadAddon } from "../../js/native.mjs"
import { root } from "./support.mjs"

/** @param {import("node:test").TestContext} t */
function openProject(t) {
  const dir = mkdtempSync(join(tmpdir(), "orch-lsp-"))
  mkdirSync(join(dir, "tools"))
  copyFileSync(join(root, "tests/runtime/support/fake_language_server.mjs"), join(dir, "tools/clangd.mjs"))
  writeFileSync(join(dir, "compile_flags.txt"), "")
  /** @type {any[]} */
  const got = []
  const options = { lsp: { cpp: { command: [process.execPath, join(dir, "tools/clangd.mjs")] } } }
  const binding = loadAddon().open({
    directory: dir,
    options: JSON.stringify({ options, agents: ["worker"] }),
    onEffects: (json) => void got.push(...JSON.parse(json)),
  })
  t.after(async () => {
    binding.close()
    // The engine goes on with the mission until this process ends, and may write while its directory is taken away:
    // rm lists the directory again at each try, rmSync would only try to remove it again.
    await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  })
  let requests = 0
  /** @param {any} message */
  const say = (message) => assert.equal(binding.post(JSON.stringify(message)), true)
  /** @param {(m: any) => boolean} fits */
  const first = async (fits) => {
    const deadline = Date.now() + 60_000
    for (;;) {
      const at = got.findIndex(fits)
      if (at >= 0) return got.splice(at, 1)[0]
      assert.ok(Date.now() < deadline, `waited in vain beside ${JSON.stringify(got).slice(0, 500)}`)
      await new Promise((wake) => setTimeout(wake, 10))
    }
  }
  /** @param {any} message */
  const ask = (message) => {
    const request = `r${++requests}`
    say({ ...message, request })
    return first((m) => m.type === "reply" && m.request === request)
  }
  return { dir, say, ask, first }
}

test("Node hears of all its own children while language servers come and go", async (t) => {
  const { dir, say, ask, first } = openProject(t)
  say({ type: "hello", mode: "serve" })
  const started = await ask({ type: "mission_requested", session: "root", arguments: "x", mode: "serve" })
  assert.equal(started.ok, true, started.text)
  const plan = { summary: "s", verify: ["true"], tasks: [{ id: "T1", title: "t", description: "d", verify: ["true"] }] }
  assert.equal((await ask({ type: "submit_plan", session: "root", args: plan })).ok, true)
  say({ type: "mission_run", session: "root", request: "run", args: {} })
  const { effect } = await first((m) => m.type === "create_session")
  say({ type: "session_created", effect, session: "worker" })
  const prompt = await first((m) => m.type === "prompt_session")
  say({ type: "prompt_accepted", effect: prompt.effect })
  say({ type: "turn_started", session: "worker" })

  /** @param {number} code */
  const own = (code) =>
    new Promise((resolve) => spawn("sh", ["-c", `exit ${code}`]).on("exit", (status) => resolve(status)))
  for (const text of ["wrong 1\n", "crash!\nwrong 2\n", "wrong 3\n"]) {
    assert.equal((await ask({ type: "write_asked", session: "worker", paths: ["a.c"] })).ok, true)
    writeFileSync(join(dir, "a.c"), text)
    const children = [1, 2, 3, 4, 5].map(own)
    const answer = await ask({ type: "lsp_diagnostics", session: "worker", args: { paths: ["a.c"] } })
    assert.match(answer.text, /a\.c:\d:1: error: wrong: wrong \d/)
    assert.deepEqual(await Promise.all([...children, own(6)]), [1, 2, 3, 4, 5, 6])
  }
})
