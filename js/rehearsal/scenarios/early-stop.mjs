// The Commander once ends its turn with words before it calls mission_run: the engine makes it go on.

import plain from "./plan-with-errors.mjs"

const { bad_plan: _bad, ...rest } = plain

export default {
  ...rest,
  name: "early-stop",
  title: "A Commander that stops early",
  commander: { early_stops: 1 },
}
