// A person edits .opencode/todo.md with an editor of their own while the mission runs in the real OpenCode.

import assert from "node:assert/strict"
import { renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, test } from "node:test"
import { asked, atGate, ended, gate, longTest, openGate, ourFiles, small, Stage, there, todo, until } from "./support/story.mjs"
import { missionWhere } from "./support/project.mjs"

const stage = new Stage()
after(() => stage.stop())

/** A Worker that waits at a gate before it submits. @param {string} id @param {string} name */
const held = (id, name) => ({
  calls: [{ tool: "bash", args: { command: gate(name), description: "Wait" }, tries: 1 }],
  files: { [`${id}.txt`]: `${id}\n` },
})

/** As vi saves: a new file in the old one's place. @param {import("./support/story.mjs").Project} project @param {string} text */
function save(project, text) {
  const path = join(project.dir, ".opencode/todo.md")
  writeFileSync(`${path}~`, text)
  renameSync(`${path}~`, path)
}

/** @param {any} mission @param {string} id */
const task = (mission, id) => mission.tasks.find((/** @type {any} */ t) => t.id === id)

longTest("a Worker that ticks another task with its shell accepts nothing: that task is built and reviewed", async (t) => {
  const tick = "sed -i 's/- ... T2/- [x] T2/' .opencode/todo.md; grep -c 'x. T2' .opencode/todo.md; sleep 0.5"
  const scenario = small(["T1", "T2"], {
    verify: ["test -s T1.txt"],
    workers: {
      T1: { calls: [{ tool: "bash", args: { command: tick, description: "Tick" }, tries: 1 }], files: { "T1.txt": "1\n" } },
      T2: { files: { "T2.txt": "2\n" } },
    },
  })
  scenario.plan.tasks[1].deps = ["T1"]
  const { project, client } = await stage.story(t, { scenario })
  const session = await client.createSession()
  await client.command(session.id, "task", "Write them")
  const mission = await ended(project, "sealed")
  assert.ok(there(project, "T2.txt"))
  assert.ok(!task(mission, "T2").review.accepted_manually)
  assert.deepEqual(mission.unattributed.map((/** @type {any} */ s) => s.path), [".opencode/todo.md"])
  const master = asked(project, (r) => r.role === "master")[0]
  assert.match(JSON.stringify(master?.body), /\.opencode\/todo\.md/)
})

test("new lines, ticks and removals in todo.md are the mission's", async (t) => {
  const scenario = small(["T1", "T2", "T3", "T4"], {
    verify: ["test -s T1.txt", "test -s T5.txt"],
    workers: { T1: held("T1", "first"), T2: held("T2", "second"), T4: { files: { "T4.txt": "4\n" } } },
  })
  scenario.plan.tasks[2].deps = ["T1"]
  scenario.plan.tasks[3].deps = ["T1"]
  const { project, client } = await stage.story(t, { scenario })
  // No plan names it: the person adds it.
  Object.assign(project.scenario.workers ?? {}, { T5: { files: { "T5.txt": "5\n" } } })
  const session = await client.createSession()
  const command = client.command(session.id, "task", "Write them").catch((error) => error)
  await Promise.all([atGate(project, "first"), atGate(project, "second")])
  const before = await until(() => /\[~\] T2/.test(todo(project)) && todo(project), "T2 in todo.md")
  const edited = before
    .replace("[~] T2", "[x] T2") // done by hand
    .replace(/^.* T3 .*\n/m, "") // not wanted any more
    .replace("File T4", "A better title")
    .concat("Notes of mine\n- [ ] T5 File T5 (files: T5.txt; deps: T1)\n")
  save(project, edited)
  writeFileSync(join(project.dir, "T2.txt"), "by hand\n")
  // The engine looks at the next event, and a person's next word is one.
  await client.prompt(session.id, "I have changed the plan").catch(() => {})
  const taken = await missionWhere(project, (m) => task(m, "T2").status === "done")
  assert.equal(task(taken, "T3").status, "dropped")
  assert.equal(task(taken, "T4").title, "A better title")
  assert.equal(task(taken, "T5").title, "File T5")
  assert.deepEqual(task(taken, "T5").deps, ["T1"])
  assert.match(task(taken, "T2").note, /by a person/)
  await until(() => todo(project).includes("- [x] T2") && !todo(project).includes("Notes of mine"), "todo.md restored")
  openGate(project, "first")
  const mission = await ended(project, "sealed")
  openGate(project, "second")
  await command
  assert.equal(task(mission, "T5").status, "done")
  assert.equal(task(mission, "T4").status, "done")
  assert.ok(there(project, "T5.txt"))
  assert.ok(!there(project, "T3.txt"))
  const reviewed = new Set(asked(project, (r) => r.role === "reviewer").map((r) => r.task))
  assert.deepEqual([...reviewed].sort(), ["T1", "T4", "T5"], "no Reviewer gets a task that a person accepted")
})

test("an invalid todo.md is kept aside, reported, and restored", async (t) => {
  const { project, client } = await stage.story(t, {
    scenario: small(["T1"], { workers: { T1: held("T1", "first") } }),
  })
  const session = await client.createSession()
  const command = client.command(session.id, "task", "Write it").catch((error) => error)
  await atGate(project, "first")
  await until(() => /\[~\] T1/.test(todo(project)), "T1 in todo.md")
  save(project, "my shopping list\n")
  await client.prompt(session.id, "How far is it?").catch(() => {})
  const kept = await until(
    () => Object.entries(ourFiles(project)).find(([name]) => name.startsWith("todo.md.damaged-")),
    "the old text beside the new one",
  )
  assert.equal(kept[1], "my shopping list\n")
  await until(() => /\[~\] T1/.test(todo(project)), "todo.md restored")
  openGate(project, "first")
  const mission = await ended(project, "sealed")
  await command
  assert.equal(task(mission, "T1").status, "done")
  assert.match(todo(project), /^# Write it\n/)
  assert.match(todo(project), /- \[x\] T1 File T1/)
})
