// Isolation "worktree" in the real OpenCode: each Worker in a git worktree of its own, merged, gone in the end.

import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import test, { after } from "node:test"
import { missionWhere, projectFor } from "./support/project.mjs"
import { asked, ended, improvise, longTest, said, small, Stage, there, until, userTexts } from "./support/story.mjs"

/** @typedef {import("./support/story.mjs").Project} Project */

const stage = new Stage()
after(() => stage.stop())

const isolated = { isolation: "worktree" }

/** @param {Project} project @param {...string} args */
const git = (project, ...args) => execFileSync("git", args, { cwd: project.dir, env: project.env, encoding: "utf8" })

/** All that is the user's own in the repository. @param {Project} project */
const usersOwn = (project) => ({
  head: readFileSync(join(project.dir, ".git/HEAD"), "utf8"),
  refs: git(project, "for-each-ref"),
  stash: git(project, "stash", "list"),
  index: git(project, "ls-files", "--stage"),
  worktrees: git(project, "worktree", "list", "--porcelain"),
  config: readFileSync(join(project.dir, ".git/config"), "utf8"),
})

/** @param {Project} project @returns {string[]} */
const trees = (project) => {
  const top = join(project.dir, ".opencode/orchestrator/worktrees")
  return existsSync(top) ? readdirSync(top) : []
}

/** Until nothing of the mission is in git any more. @param {Project} project */
const cleared = (project) =>
  until(() => trees(project).length === 0 && !/opencode-orchestrator/.test(git(project, "for-each-ref")), "the worktrees' end")

/** The directory of each Worker and Reviewer, as its card names it. @param {Project} project @param {string} role */
function directories(project, role) {
  /** @type {Record<string, string>} */
  const found = {}
  for (const request of asked(project, (r) => r.role === role)) {
    const system = JSON.stringify(request.body.messages)
    found[request.task ?? ""] = /Working directory: ([^\\\n"]+)/.exec(system)?.[1] ?? ""
  }
  return found
}

/** A command that ends when the test opens the gate of its worktree. */
const wait = "touch worker.at; until test -e worker.open; do sleep 0.05; done"
/** Worktrees whose Worker waits. @param {Project} project */
const standing = (project) => trees(project).filter((name) => there(project, `.opencode/orchestrator/worktrees/${name}/worker.at`))
/** @param {Project} project @param {string} name */
const open = (project, name) => writeFileSync(join(project.dir, ".opencode/orchestrator/worktrees", name, "worker.open"), "")

longTest("two Workers in worktrees of their own, merged into the project; what is the user's own is as it was", async (t) => {
  const scenario = { ...small(["T1", "T2"]), seed: { "kept.txt": "kept\n", ".gitignore": "secret.txt\n" } }
  const { project, client } = await stage.story(t, { scenario, orchestrator: isolated, files: { "secret.txt": "s\n" } })
  const before = usersOwn(project)
  const session = await client.createSession()
  await client.command(session.id, "task", scenario.objective)
  const mission = await ended(project, "sealed")
  assert.equal(readFileSync(join(project.dir, "T1.txt"), "utf8"), "T1\n")
  assert.equal(readFileSync(join(project.dir, "T2.txt"), "utf8"), "T2\n")
  for (const role of ["worker", "reviewer"]) {
    const where = directories(project, role)
    assert.match(where.T1, /\/\.opencode\/orchestrator\/worktrees\/m-[a-z]+\.T1-\d$/)
    assert.match(where.T2, /\/\.opencode\/orchestrator\/worktrees\/m-[a-z]+\.T2-\d$/)
  }
  assert.equal(directories(project, "master").mission ?? Object.values(directories(project, "master"))[0], project.dir)
  assert.deepEqual(mission.tasks.map((/** @type {any} */ x) => x.progress.touched), [["T1.txt"], ["T2.txt"]])
  assert.deepEqual(mission.unattributed, [])
  await cleared(project)
  assert.deepEqual(usersOwn(project), before)
  assert.equal(git(project, "status", "--porcelain").includes("T1.txt"), true)
})

test("two Workers' shells write one file: a task shows both sides, and merges them", async (t) => {
  const scenario = {
    ...small(["T1", "T2"], {
      fixes: [{ match: "with what was integrated", files: { "common.txt": "of both\n" }, summary: "Brought together" }],
    }),
    seed: { "common.txt": "of neither\n" },
  }
  for (const id of ["T1", "T2"]) scenario.workers[id].commands = [`echo of ${id} > common.txt`]
  const { project, client } = await stage.story(t, { scenario, orchestrator: isolated })
  const session = await client.createSession()
  await client.command(session.id, "task", scenario.objective)
  const mission = await ended(project, "sealed")
  const [solved] = mission.tasks.filter((/** @type {any} */ x) => x.worktree.resolves_conflict_of)
  assert.equal(solved.id, `${solved.worktree.resolves_conflict_of}-merge`)
  assert.deepEqual(solved.files, ["common.txt"])
  const [card] = asked(project, (r) => r.role === "worker" && r.task === solved.id).map((r) => userTexts(r).at(-1) ?? "")
  const other = solved.worktree.resolves_conflict_of === "T1" ? "T2" : "T1"
  assert.match(card, new RegExp(`In the project \\(ours\\):\n\`\`\`\nof ${other}\n`))
  assert.match(card, new RegExp(`By ${solved.worktree.resolves_conflict_of} \\(theirs\\):\n\`\`\`\nof ${solved.worktree.resolves_conflict_of}\n`))
  assert.match(card, /Before both:\n```\nof neither\n/)
  assert.equal(readFileSync(join(project.dir, "common.txt"), "utf8"), "of both\n")
  assert.ok(mission.tasks.every((/** @type {any} */ x) => x.status === "done"))
  await cleared(project)
})

test("a project without git says so, and its Workers share the directory", async (t) => {
  const scenario = small(["T1"])
  const { project, client } = await stage.story(t, { scenario, orchestrator: isolated })
  rmSync(join(project.dir, ".git"), { recursive: true })
  const session = await client.createSession()
  await client.command(session.id, "task", scenario.objective)
  const mission = await ended(project, "sealed")
  assert.match(mission.worktrees.problem, /git/)
  assert.ok(there(project, "T1.txt"))
  assert.deepEqual(trees(project), [])
  const report = asked(project, (r) => r.role === "commander").map((r) => JSON.stringify(r.body.messages)).at(-1) ?? ""
  assert.match(report, /Isolation: shared, since there are no worktrees: /)
})

longTest("the project's instance is reloaded while two Workers are in their worktrees: they go on undisturbed", async (t) => {
  const scenario = { ...small(["T1", "T2"]), seed: { ".gitignore": "*.at\n*.open\n" } }
  for (const id of ["T1", "T2"]) scenario.workers[id].commands = [wait]
  const { project, client } = await stage.story(t, { scenario, orchestrator: isolated })
  const session = await client.createSession()
  client.command(session.id, "task", scenario.objective).catch(() => {}) // its turn ends with the reload
  await until(() => standing(project).length === 2, "two Workers at work")
  await client.call("POST", "/instance/dispose")
  await new Promise((wake) => setTimeout(wake, 4_000))
  await client.call("GET", "/session")
  for (const name of standing(project)) open(project, name)
  const mission = await ended(project, "sealed")
  assert.deepEqual(mission.tasks.map((/** @type {any} */ x) => x.attempt), [1, 1])
  await cleared(project)
})

longTest("in `opencode run`, by the flag, with a part that is delegated: merged and gone when the process ends", async (t) => {
  const scenario = small(["T1", "T2"], {
    fixes: [{ match: "The part", files: { "part.txt": "a part\n" }, summary: "Wrote part.txt", verify: [] }],
  })
  const project = await projectFor(t, { scenario, keepBodies: true, snapshot: false })
  const first = { name: "delegate_task", args: { title: "The part", prompt: "Write part.txt", files: ["part.txt"] } }
  let delegated = false
  improvise(project, (turn) => {
    if (turn.role !== "worker" || turn.task !== "T1" || delegated) return undefined
    delegated = true
    return { calls: [first] }
  })
  const before = usersOwn(project)
  const args = ["run", "--command", "task", `${scenario.objective} --isolation worktree`]
  const run = await project.runOpencode({ args })
  assert.equal(run.code, 0, said(run))
  const mission = await project.mission()
  assert.equal(mission.phase, "sealed")
  assert.equal(readFileSync(join(project.dir, "part.txt"), "utf8"), "a part\n")
  const where = directories(project, "worker")
  assert.equal(where["T1.1"], where.T1)
  assert.notEqual(where.T1, where.T2)
  assert.deepEqual(trees(project), [])
  assert.deepEqual(usersOwn(project), before)
})

longTest("killed while two Workers are in their worktrees: it goes on there, and leaves nothing behind", async (t) => {
  const scenario = { ...small(["T1", "T2"]), seed: { ".gitignore": "*.at\n*.open\n" } }
  for (const id of ["T1", "T2"]) scenario.workers[id].commands = [wait]
  const project = await projectFor(t, { scenario, orchestrator: isolated, keepBodies: true, snapshot: false })
  const before = usersOwn(project)
  const first = await project.startServe()
  const session = await first.createSession()
  const running = first.command(session.id, "task", scenario.objective).catch(() => {})
  await until(() => standing(project).length === 2, "two Workers at work")
  first.process.kill("SIGKILL")
  await first.process.ended
  await running
  for (const name of standing(project)) open(project, name)
  await project.startServe()
  await missionWhere(project, (m) => m.phase === "sealed", { timeoutMs: 90_000 })
  assert.equal(readFileSync(join(project.dir, "T1.txt"), "utf8"), "T1\n")
  assert.equal(readFileSync(join(project.dir, "T2.txt"), "utf8"), "T2\n")
  await cleared(project)
  assert.deepEqual(usersOwn(project), before)
})
