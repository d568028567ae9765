// Many sessions at once in the real OpenCode: what somebody waits for comes first (docs/design/concurrency.md, "Last words").

import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { after } from "node:test"
import { kCheckout, missionWhere } from "./support/project.mjs"
import { asked, atGate, ended, gate, longTest, openGate, small, Stage } from "./support/story.mjs"

const stage = new Stage()
after(() => stage.stop())

longTest("beside many at work last words wait, without a slot; all are said in the end", async (t) => {
  const ids = Array.from({ length: 14 }, (_, i) => `T${i + 1}`)
  const own = (/** @type {string} */ id) => ({ files: { [`${id}.txt`]: `${id}\n` }, commands: [gate(id)] })
  const workers = Object.fromEntries(ids.map((id) => [id, own(id)]))
  const scenario = small(ids, { workers, verify: ["test -s T14.txt"] })
  const { project, client } = await stage.story(t, { scenario })
  const root = await client.createSession()
  const command = client.command(root.id, "task", `--parallel 14 ${scenario.objective}`)
  for (const id of ids) await atGate(project, id)
  // All slots are taken: T1's Reviewer begins only if its Worker's last words wait.
  openGate(project, "T1")
  await missionWhere(project, (m) => m.tasks[0].status === "done", { timeoutMs: 60_000 })
  for (const id of ids.slice(1)) openGate(project, id)
  await ended(project, "sealed")
  await command
  const last = await missionWhere(project, (m) => m.sessions.every((/** @type {any} */ s) => s.state === "ended"), { timeoutMs: 8000 })
  const wal = join(project.dir, ".opencode/orchestrator", `${last.mission}.wal`)
  const check = spawnSync(process.execPath, [join(kCheckout, "js/cli/main.mjs"), "replay", wal, "--check"], { encoding: "utf8" })
  assert.equal(check.status, 0, check.stderr)
  const of = (/** @type {string} */ role) => asked(project, (r) => r.role === role && r.task === "T1")
  const [verdict, words] = [of("reviewer")[0], of("worker").at(-1)]
  assert.ok(verdict && words?.last && verdict.index < words.index, "the Reviewer was asked before the Worker's last words")
  assert.equal(last.sessions.length, 2 * ids.length + 1)
  assert.equal(last.metrics.sessions_peak, 14)
  for (const { id, outcome } of last.sessions) {
    const messages = await client.messages(id)
    assert.equal(outcome, "ok")
    assert.equal(messages.at(-1)?.info.finish, "stop")
    for (const part of messages.flatMap((m) => m.parts)) {
      if (part.type === "tool") assert.equal(part.state.status, "completed", `${part.tool}: ${part.state.error}`)
    }
  }
})
