// A few real kills at the points that matter; tests/long/kill.test.mjs has a hundred.

import assert from "node:assert/strict"
import { course, expectTheSame } from "./support/kill.mjs"
import { longTest, small } from "./support/story.mjs"

longTest("killed while planning, as a submission is logged, in review and at the last submission: each time it goes on", async () => {
  const scenario = small(["T1", "T2"], { commander: {} })
  scenario.plan.tasks[1].deps = ["T1"]
  const alone = await course({ scenario, mode: "serve", points: [] })
  const killed = await course({
    scenario,
    mode: "serve",
    points: [
      { nth: 1, when: "answered", which: (r) => r.role === "planner" },
      { nth: 1, when: "logged", which: (r) => r.role === "worker" && r.answer.startsWith("submit_work") },
      { nth: 1, when: "answered", which: (r) => r.role === "reviewer" && r.answer.startsWith("submit_review") },
      { nth: 1, when: "answered", which: (r) => r.role === "master" && r.answer.startsWith("submit_review") },
    ],
  })
  // The last submission may be sealed already when the process dies.
  assert.ok(killed.kills >= 3, `${killed.kills} kills`)
  assert.equal(killed.resumed, killed.kills)
  expectTheSame(killed, alone)
})
