// `simulate`: the deterministic simulator (src/tools/simulate.cc).

import { runNativeTool } from "./native_tool.mjs"

/** @param {string[]} args @returns {Promise<number>} the exit code */
export function main(args) {
  return runNativeTool("simulate", args)
}
