// The verb `replay`, over logs that lie beside the native tests.

import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { test } from "node:test"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const golden = join(root, "tests/store/golden")

/** @param {string[]} args */
function replay(...args) {
  const done = spawnSync(process.execPath, [join(root, "js/cli/main.mjs"), "replay", ...args], { encoding: "utf8", timeout: 60_000 })
  return { code: done.status, out: done.stdout, err: done.stderr }
}

/** A copy that may be spoiled. @param {import("node:test").TestContext} t @param {string} name */
function copyOf(t, name) {
  const dir = mkdtempSync(join(tmpdir(), "orch-replay-"))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  cpSync(join(golden, name), dir, { recursive: true })
  return dir
}

/** The segment that grew last. @param {string} dir */
const growing = (dir) => join(dir, String(readdirSync(dir).find((name) => /^m-[a-z]+\.wal$/.test(name))))

for (const name of ["v1", "v2", "v3"]) {
  test(`${name}: the timeline tells the phases and the tasks, in order`, () => {
    const { code, out } = replay(growing(join(golden, name)))
    assert.equal(code, 0)
    const places = [/mission_requested by commander/, /none -> briefing/, /submit_plan/, /T1 .*reviewing/, /T1 reviewing -> done/, /integrating -> sealed/]
    const at = places.map((place) => out.search(place))
    assert.ok(
      at.every((place, i) => place >= 0 && place >= (at[i - 1] ?? 0)),
      `${at}\n${out}`,
    )
  })

  test(`${name}: the state at any event`, () => {
    const log = growing(join(golden, name))
    const early = JSON.parse(replay(log, "--until", "1", "--json").out)
    assert.equal(early.phase, "briefing")
    assert.equal(early.last_seq, 1)
    const late = JSON.parse(replay(log, "--until=1000000", "--json").out)
    assert.equal(late.phase, "sealed")
    assert.match(replay(log, "--until", "1000000").out, /- \[x\] T1/)
  })
}

test("--check proves every witness and every hash, through all segments", () => {
  const { code, out } = replay(growing(join(golden, "v3")), "--check")
  assert.equal(code, 0, out)
  const data = JSON.parse(replay(growing(join(golden, "v3")), "--check", "--json").out)
  assert.equal(data.ok, true)
  assert.equal(data.witnesses, data.events)
  assert.ok(data.marks > 0 && data.segments > 1)
  assert.match(data.last_hash, /^[0-9a-f]{64}$/)
})

test("--check names the first event that differs, and damage by its offset; nothing is written", (t) => {
  const dir = copyOf(t, "v3")
  const archived = join(dir, String(readdirSync(dir).find((name) => name.includes(".0000"))))
  const bytes = readFileSync(archived)
  bytes[bytes.length >> 1] ^= 0xff
  writeFileSync(archived, bytes)
  const before = readdirSync(dir)
  const { code, err } = replay(growing(dir), "--check")
  assert.equal(code, 1)
  assert.match(err, /\.0000\d+\.wal, byte [1-9]\d+, event \d+: there is no sound record/)
  assert.deepEqual(readdirSync(dir), before)
  assert.deepEqual(readFileSync(archived), bytes)
})

test("a missing segment is reported, not skipped", (t) => {
  const dir = copyOf(t, "v3")
  const middle = readdirSync(dir).filter((name) => name.includes(".0000"))[1]
  rmSync(join(dir, String(middle)))
  const { code, err } = replay(growing(dir), "--check")
  assert.equal(code, 1)
  assert.match(err, /\d+ events before the checkpoint of event \d+ are in no log/)
})

test("usage is 2, no such file 3, another file 1", (t) => {
  assert.equal(replay().code, 2)
  assert.equal(replay("a", "b").code, 2)
  assert.equal(replay("x.wal", "--until", "soon").code, 2)
  assert.equal(replay("x.wal", "--what").code, 2)
  const none = replay(join(golden, "none.wal"))
  assert.equal(none.code, 3)
  assert.match(none.err, /there is no log/)
  const dir = copyOf(t, "v1")
  writeFileSync(join(dir, "text.wal"), "no log at all, but long enough")
  const other = replay(join(dir, "text.wal"))
  assert.equal(other.code, 1)
  assert.match(other.err, /is no orchestrator log/)
})

test("what a log holds commands no terminal", (t) => {
  const out = replay(growing(join(golden, "v1"))).out
  assert.doesNotMatch(out, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
  t.diagnostic(`${out.split("\n").length} lines`)
})
