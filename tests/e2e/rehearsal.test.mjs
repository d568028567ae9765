// The harness in the real OpenCode, bare or with a stub for the plugin.

import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import test from "node:test"
import { fileURLToPath } from "node:url"
import { rehearse } from "../../js/cli/rehearse.mjs"
import { createProject } from "../../js/rehearsal/host.mjs"
import { loadScenario } from "../../js/rehearsal/scenario.mjs"
import { longTest } from "./support/story.mjs"

const kStub = fileURLToPath(new URL("support/rehearsal_stub_plugin.mjs", import.meta.url))

longTest("a whole rehearsal: the refused task is reworked, the built project's tests pass", async () => {
  /** @type {string[]} */
  const lines = []
  const outcome = await rehearse({ plugin: kStub, scenario: "rejected-task", say: (line) => lines.push(line) })
  const said = lines.join("\n")
  assert.equal(outcome.exit, 0, said)
  assert.equal(outcome.test_ok, true)
  assert.match(
    said,
    /submit_review\(reject\)[\s\S]*edit\(src\/slug\.js\)[\s\S]*submit_review\(pass\)[\s\S]*phase sealed \(2\/2/,
  )
  assert.ok(outcome.sessions >= 7 && outcome.requests > 20)
})

longTest("a mission that ends otherwise than expected is exit 1, and its directory is gone", async () => {
  const scenario = { ...(await loadScenario("early-stop")), commander: {}, expect: { phase: "cancelled" } }
  const outcome = await rehearse({ plugin: kStub, scenario })
  assert.deepEqual([outcome.exit, outcome.phase, outcome.test_ok], [1, "sealed", true])
})

longTest("bare OpenCode over HTTP: a worker writes its files; events tell; the model server may be replaced", async (t) => {
  const project = await createProject({ scenario: "library", plugin: null, snapshot: false })
  t.after(() => project.stop())
  const serve = await project.startServe()
  const events = await serve.events()
  const session = await serve.createSession({ title: "worker" })
  const first = project.model.requests.length
  await serve.promptAsync(session.id, "Task T1: Module money")
  const ended = await project.model.waitFor((r) => r.session === session.id && r.last, { from: first })
  assert.equal(ended.task, "T1")
  await events.waitFor((e) => e.type === "session.idle" && e.properties.sessionID === session.id)
  assert.ok(existsSync(join(project.dir, "src/money.js")))
  await project.restartModel()
  const answer = await serve.prompt(session.id, "Go on.")
  assert.match(answer.parts.find((/** @type {any} */ p) => p.type === "text").text, /^T1: Module money/)
  assert.equal((await serve.messages(session.id)).filter((m) => m.info.role === "user").length, 2)
  assert.deepEqual(await serve.permissions(), [])
  events.close()
  assert.equal((await project.test()).ok, false)
})

test("a run over its time is killed, and nothing of it is left", async (t) => {
  const project = await createProject({ scenario: "library", plugin: null, latencyMs: 60_000 })
  t.after(() => project.stop())
  const ended = await project.runOpencode({ args: ["run", "hi"], timeoutMs: 3000 })
  assert.deepEqual([ended.timedOut, ended.signal], [true, "SIGKILL"])
  assert.equal(project.processes.size, 0)
})

test("a directory that holds files is refused, and left alone", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "oc-full-"))
  t.after(() => rm(dir, { recursive: true }))
  await writeFile(join(dir, "mine.txt"), "mine")
  await assert.rejects(createProject({ scenario: "library", plugin: null, dir }), /is not empty \(mine.txt\)/)
})
