// What the orchestrator adds to its host: roles, commands and tools. The adapter registers it with the host.

import { roles } from "./roles.js"
import { hostTools, missionTools } from "./tools.js"

/** name -> description. */
const commands = {
  task: "Start a mission: plan, build, review and verify an objective",
  "extreme-mission": "Start a mission with up to 50 sessions at once",
  stop: "Cancel the mission (--pause: pause it)",
  cancel: "Cancel the mission",
  resume: "Go on with the mission after a pause, a block or a crash",
  mission: "Show the mission's state",
}

/** @type {import("../host/host.js").Contribution} */
export const contribution = { roles, commands, tools: missionTools, hostTools }
