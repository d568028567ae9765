// `replay`: a mission's timeline from its log, its state at any event, and the proof (src/tools/replay.cc).

import { runNativeTool } from "./native_tool.mjs"

/** @param {string[]} args @returns {Promise<number>} the exit code */
export function main(args) {
  return runNativeTool("replay", args)
}
