// The end of a turn in the real OpenCode: with its accepted submission a session asks its model for nothing more
// (docs/host-contract.md, A.24), however long that model would go on.

import assert from "node:assert/strict"
import test, { after } from "node:test"
import { missionWhere } from "./support/project.mjs"
import { asked, ended, small, Stage } from "./support/story.mjs"

const stage = new Stage()
after(() => stage.stop())

/** What the session has handed in since its newest prompt was taken. @param {import("./support/story.mjs").Request} request */
function askedAfterSubmission(request) {
  const messages = request.body.messages
  const since = messages.slice(messages.findLastIndex((/** @type {any} */ m) => m.role === "user") + 1)
  return since.some((/** @type {any} */ m) => m.role === "tool" && /^(Taken:|Plan taken:)/.test(String(m.content)))
}

for (const goesOn of [[], ["planner", "worker", "reviewer", "master"]]) {
  test(`no request follows an accepted submission${goesOn.length > 0 ? ", also where each model would submit for ever" : ""}`, async (t) => {
    const finding = { file: "T1.txt", line: 1, severity: "error", message: "It lacks a second line." }
    const scenario = small(["T1", "T2"], {
      goes_on: goesOn,
      commander: {},
      workers: {
        T1: { files: { "T1.txt": "T1\n" }, rework: { files: { "T1.txt": "T1\nmore\n" } } },
        T2: { files: { "T2.txt": "T2\n" } },
      },
      reviews: { T1: [{ verdict: "reject", findings: [finding] }] },
    })
    const { project, client } = await stage.story(t, { scenario })
    const root = await client.createSession()
    await client.command(root.id, "task", scenario.objective)
    const mission = await ended(project, "sealed")
    assert.equal(mission.tasks[0].attempt, 2)
    for (const request of asked(project, (r) => r.role !== "commander")) {
      assert.ok(!askedAfterSubmission(request), `${request.role} ${request.task} was asked again`)
    }
    const { errors, retries, slowdowns, continuations } = mission.metrics
    assert.deepEqual({ errors, retries, slowdowns, continuations }, { errors: 0, retries: 0, slowdowns: 0, continuations: 0 })
    // A Planner, two Workers, three Reviewers, a Master Reviewer: one session each, the reworked one among them.
    assert.equal(mission.sessions.length, 7)
    for (const { id, role } of mission.sessions) {
      const last = await lastMessage(client, id)
      assert.match(last.info.error?.data?.message ?? "", /^Submitted\. /, `${role}: ${JSON.stringify(last.info.error)}`)
    }
    // A person may ask a session of a mission that is over.
    const worker = mission.sessions.find((/** @type {any} */ s) => s.role === "worker")
    assert.equal(worker.state, "ended")
    await missionWhere(project, (m) => m.phase === "sealed")
  })
}

/** The message of the refused request comes a moment after the seal. @param {any} client @param {string} session */
async function lastMessage(client, session) {
  for (let tries = 0; ; tries++) {
    const last = (await client.messages(session)).at(-1)
    if (last?.info.error || tries > 50) return last
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
