// Races in the real OpenCode: each strategy of a task in a git worktree of its own, the first accepted one wins.

import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import test, { after } from "node:test"
import { asked, atGate, ended, gate, hold, openGate, small, Stage, there, until, userTexts } from "./support/story.mjs"

/** @typedef {import("./support/story.mjs").Project} Project */

const stage = new Stage()
after(() => stage.stop())

const strategies = ["careful", "fast", "clever"]

/** T1 by three strategies, of which two wait for ever; T2 beside it. */
function raced() {
  const scenario = small(["T1", "T2"], { workers: { T1: {}, T2: { commands: [gate("side")], files: { "T2.txt": "T2\n" } } } })
  scenario.plan.tasks[0].race = strategies
  const wait = "touch worker.at; until test -e worker.open; do sleep 0.05; done"
  // The host says that a session is idle a quarter of a second after its abort, whatever still runs there.
  const stubborn = `trap "" TERM; echo $$ >> ../../../../losers.at; ${wait}`
  const by = (/** @type {string} */ name) => ({
    files: { "T1.txt": `${name}\n` },
    commands: [name === "fast" ? wait : stubborn],
  })
  scenario.workers = { ...scenario.workers, T1: { strategies: Object.fromEntries(strategies.map((s) => [s, by(s)])) } }
  return { ...scenario, seed: { ".gitignore": "*.at\n*.open\n" } }
}

/** @param {Project} project @returns {string[]} */
const trees = (project) => {
  const top = join(project.dir, ".opencode/orchestrator/worktrees")
  return existsSync(top) ? readdirSync(top).sort() : []
}
/** @param {Project} project @param {string} name */
const inTree = (project, name) => join(project.dir, ".opencode/orchestrator/worktrees", name)

test("the first strategy that is accepted wins; the others are aborted, counted and gone", async (t) => {
  const scenario = raced()
  const { project, client } = await stage.story(t, { scenario })
  const git = (/** @type {string[]} */ ...args) =>
    execFileSync("git", args, { cwd: project.dir, env: project.env, encoding: "utf8" })
  const refs = git("for-each-ref")
  const session = await client.createSession()
  const command = client.command(session.id, "task", scenario.objective)
  await atGate(project, "side")
  await until(() => trees(project).filter((name) => existsSync(join(inTree(project, name), "worker.at"))).length === 3, "three at work")
  // Each Worker's task is T1, its directory and its strategy are its own.
  const cards = asked(project, (r) => r.role === "worker" && r.task === "T1").map((r) => userTexts(r)[0] ?? "")
  for (const strategy of strategies) {
    const card = cards.find((text) => text.includes(`Your strategy:\n${strategy}\n`))
    assert.match(card ?? "", /^Task T1: File T1\n/)
    assert.match(card ?? "", /worktrees\/m-[a-z]+\.T1_\d-\d/)
  }
  const fast = trees(project).find((name) => readFileSync(join(inTree(project, name), "T1.txt"), "utf8") === "fast\n") ?? ""
  writeFileSync(join(inTree(project, fast), "worker.open"), "")
  await until(() => trees(project).length === 0, "the end of all three worktrees")
  // Nothing of the losers runs any more that could bring back their worktrees.
  const losers = readFileSync(join(project.dir, "losers.at"), "utf8").trim().split("\n").map(Number)
  assert.equal(losers.length, 2)
  for (const pid of losers) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" })
  await until(() => there(project, "T1.txt"), "what the fast one has made")
  assert.equal(readFileSync(join(project.dir, "T1.txt"), "utf8"), "fast\n")
  openGate(project, "side")
  const mission = await ended(project, "sealed")
  await command
  const task = (/** @type {string} */ id) => mission.tasks.find((/** @type {any} */ x) => x.id === id)
  assert.equal(task("T1").status, "done")
  assert.equal(task("T1").note, "T1.2 (fast) has won")
  assert.deepEqual(task("T1").review.proved_by, ["test -s T1.txt"])
  assert.deepEqual(["T1.1", "T1.2", "T1.3"].map((id) => task(id).status), ["dropped", "done", "dropped"])
  for (const id of ["T1.1", "T1.3"]) {
    assert.ok(task(id).tokens > 0, `${id} has cost something`)
    const [lost] = mission.sessions.filter((/** @type {any} */ s) => s.task === id)
    assert.equal(lost.state, "ended")
    assert.match(JSON.stringify(await client.messages(lost.id)), /MessageAbortedError|Tool execution aborted/)
  }
  const spent = mission.tasks.reduce((/** @type {number} */ sum, /** @type {any} */ x) => sum + x.tokens, 0)
  assert.ok(spent <= mission.budget.tokens)
  await until(() => git("for-each-ref") === refs, "the refs as they were")
  assert.equal(git("worktree", "list", "--porcelain").match(/^worktree /gm)?.length, 1)
})

test("while an extreme mission's Planner thinks, the host opens worktrees; the race begins in them", async (t) => {
  const scenario = small(["T1"], {
    commander: {},
    workers: { T1: { strategies: Object.fromEntries(strategies.map((s) => [s, { files: { "T1.txt": `${s}\n` } }])) } },
  })
  scenario.plan.tasks[0].race = strategies
  const { project, client } = await stage.story(t, { scenario })
  const planner = hold(project, "planner")
  const session = await client.createSession()
  const command = client.command(session.id, "extreme-mission", scenario.objective)
  await planner.asked
  const opened = await until(async () => {
    const spares = (await project.mission())?.worktrees?.trees ?? []
    return spares.filter((/** @type {any} */ tree) => tree.opened).length === 3 && spares
  }, "three instances")
  const places = opened.map((/** @type {any} */ tree) => tree.directory).sort()
  assert.deepEqual(places.map((/** @type {string} */ place) => place.replace(/.*-/, "")), ["1", "2", "3"])
  assert.equal(asked(project, (r) => r.role === "worker").length, 0)
  planner.release()
  const mission = await ended(project, "sealed")
  await command
  assert.match(mission.tasks[0].note, /has won/)
  const cards = asked(project, (r) => r.role === "worker").map((r) => userTexts(r)[0] ?? "")
  for (const card of cards) assert.ok(places.some((/** @type {string} */ place) => card.includes(`${place}:`)), card)
  await until(() => trees(project).length === 0, "the end of the worktrees")
})

test("without git nothing is raced: one Worker gets all strategies", async (t) => {
  const scenario = small(["T1"])
  scenario.plan.tasks[0].race = strategies
  const { project, client } = await stage.story(t, { scenario })
  rmSync(join(project.dir, ".git"), { recursive: true })
  const session = await client.createSession()
  await client.command(session.id, "task", scenario.objective)
  const mission = await ended(project, "sealed")
  assert.equal(mission.tasks.length, 1)
  assert.ok(there(project, "T1.txt"))
  const [card] = asked(project, (r) => r.role === "worker").map((r) => userTexts(r)[0] ?? "")
  assert.match(card ?? "", /in the order to try them:\n- careful\n- fast\n- clever\n/)
  const report = asked(project, (r) => r.role === "commander").map((r) => JSON.stringify(r.body.messages)).at(-1) ?? ""
  assert.match(report, /Races: none, since there are no worktrees: /)
})
