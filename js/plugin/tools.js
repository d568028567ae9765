// The tools that mission roles see. They are defined in include/orchestrator/tool_args.h; protocol.json is generated from there
// (npm run generate).

import { readFileSync } from "node:fs"

/** @typedef {Record<string, any>} Schema */

/**
 * @typedef {object} MissionTool
 * @property {string[]} roles      who sees it
 * @property {string} [like]       the host's tool that does the same; who may not use that does not see it
 * @property {string} description
 * @property {Schema} schema       of its arguments
 */

/** By name, which is also the type of the engine's message for a call. @type {Record<string, MissionTool>} */
export const missionTools = JSON.parse(readFileSync(new URL("./protocol.json", import.meta.url), "utf8")).tools

/** The host's own tools that a role works with. */
export const hostTools = {
  commander: ["read", "glob", "grep"],
  planner: ["read", "glob", "grep"],
  worker: ["read", "glob", "grep", "write", "edit", "bash"],
  reviewer: ["read", "glob", "grep", "bash"],
  "master-reviewer": ["read", "glob", "grep", "bash"],
}
