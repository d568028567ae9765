// Twenty real missions whose models lie; a few more of them are among the end-to-end tests.

import test, { after } from "node:test"
import { lyingMission } from "../e2e/support/lies.mjs"
import { Stage } from "../e2e/support/story.mjs"

const stage = new Stage()
after(() => stage.stop())
let lies = 0
let refused = 0

for (let seed = 101; seed <= 120; seed++) {
  test(`seed ${seed}`, async (t) => {
    const counted = await lyingMission(t, stage, seed)
    lies += counted.lies
    refused += counted.refused
    t.diagnostic(`${counted.lies} lies; all missions so far: ${lies} lies, ${refused} refusals`)
  })
}
