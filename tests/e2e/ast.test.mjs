// The tools that look at code, in the real OpenCode: who sees them, what they answer, and that a replacement is a write
// of its Worker like any other.

import assert from "node:assert/strict"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import test, { after } from "node:test"
import { asked, ended, improvise, small, Stage, toolNames, toolResults } from "./support/story.mjs"

/** @typedef {import("./support/story.mjs").Project} Project */

const stage = new Stage()
after(() => stage.stop())

/** @param {Project} project @param {string} name @param {string} text */
function put(project, name, text) {
  mkdirSync(join(project.dir, name, ".."), { recursive: true })
  writeFileSync(join(project.dir, name), text)
}

test("a Worker searches, sees the diff, writes it; a file of another task and code that breaks are refused", async (t) => {
  const scenario = small(["T1", "T2"])
  scenario.plan.tasks[0].files.push("src/**")
  scenario.plan.tasks[1].files.push("lib/**")
  const { project, client } = await stage.story(t, { scenario })
  put(project, "src/a.ts", "export const a = old(1)\nexport const b = old(2, 3)\n")
  put(project, "lib/b.ts", "old(4)\n")
  put(project, "gen/c.ts", "old(5)\n")
  put(project, ".gitignore", "gen/\n")
  const replace = { pattern: "old($$$A)", rewrite: "fresh($$$A)" }
  const calls = [
    { name: "ast_search", args: { pattern: "old($A)" } },
    { name: "ast_search", args: { query: "(call_expression function: (identifier) @f)", language: "typescript", paths: ["src"] } },
    { name: "ast_outline", args: { paths: ["src/*.ts"] } },
    { name: "ast_replace", args: { ...replace, paths: ["src"] } },
    { name: "ast_replace", args: { ...replace, rewrite: "fresh($$$A", paths: ["src"], apply: true } },
    { name: "ast_replace", args: { ...replace, apply: true } },
    { name: "ast_replace", args: { ...replace, paths: ["src"], apply: true } },
  ]
  improvise(project, (turn) => {
    if (turn.role !== "worker" || turn.task !== "T1") return undefined
    const call = calls.shift()
    return call && { calls: [call] }
  })
  const session = await client.createSession()
  await client.command(session.id, "task", scenario.objective)
  await ended(project, "sealed")

  const [search, query] = toolResults(project, "ast_search")
  assert.match(search ?? "", /^2 matches in 2 files, of \d+ searched\.\nlib\/b\.ts\n1:1 old\(4\)\nsrc\/a\.ts\n1:18 /)
  assert.match(query ?? "", /^2 matches.*@f=old/s)
  assert.match(toolResults(project, "ast_outline")[0] ?? "", /src\/a\.ts\n 1 variable a\n 2 variable b/)
  const [preview, broken, foreign, written] = toolResults(project, "ast_replace")
  assert.match(preview ?? "", /-export const a = old\(1\)\n\+export const a = fresh\(1\)\n-export const b/)
  assert.match(broken ?? "", /Refused, and nothing written:\nsrc\/a\.ts: the result would not parse/)
  // T2 may be done before, and then no task claims its file.
  assert.match(foreign ?? "", /lib\/b\.ts belongs to task T2|Written: 2 files/)
  assert.match(written ?? "", /Written: 1 file|Nothing matches/)
  assert.equal(readFileSync(join(project.dir, "src/a.ts"), "utf8"), "export const a = fresh(1)\nexport const b = fresh(2, 3)\n")
  assert.equal(readFileSync(join(project.dir, "gen/c.ts"), "utf8"), "old(5)\n")
})

test("every role searches and outlines; only a Worker replaces; other agents see none of it", async (t) => {
  const scenario = small(["T1"])
  const { project, client } = await stage.story(t, { scenario })
  const session = await client.createSession()
  await client.command(session.id, "task", scenario.objective)
  await ended(project, "sealed")
  for (const role of ["commander", "worker", "reviewer", "master"]) {
    const [first] = asked(project, (request) => request.role === role)
    assert.ok(first, role)
    const ours = toolNames(first).filter((name) => name.startsWith("ast_"))
    const expected = role === "worker" ? ["ast_outline", "ast_replace", "ast_search"] : ["ast_outline", "ast_search"]
    assert.deepEqual(ours, expected, role)
  }
})
