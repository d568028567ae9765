// The role prompts of agents/*.md: front matter of `key: value` lines, then the instructions.

import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const directory = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), "agents")

/**
 * @typedef {object} Role
 * @property {string} name
 * @property {string} description
 * @property {string} mode          primary or subagent
 * @property {string} identity      the agent's own prompt: one line, by which its requests are known
 * @property {string} instructions  put into the system text of its sessions
 */

/** @param {string} name @returns {Role} */
function readRole(name) {
  const text = readFileSync(join(directory, `${name}.md`), "utf8")
  const [, head, body] = /^---\n(.*?)\n---\n(.*)$/s.exec(text) ?? []
  if (head === undefined || body === undefined) throw new Error(`agents/${name}.md: front matter is missing`)
  /** @type {Record<string, string>} */
  const keys = {}
  for (const line of head.split("\n")) {
    const colon = line.indexOf(":")
    keys[line.slice(0, colon).trim()] = line.slice(colon + 1).trim()
  }
  for (const key of ["description", "mode", "identity"]) {
    if (!keys[key]) throw new Error(`agents/${name}.md: ${key} is missing in its front matter`)
  }
  return {
    name,
    description: keys.description ?? "",
    mode: keys.mode ?? "",
    identity: keys.identity ?? "",
    instructions: body.trim(),
  }
}

/** @type {ReadonlyMap<string, Role>} */
export const roles = new Map(
  ["commander", "planner", "worker", "reviewer", "master-reviewer"].map((name) => [name, readRole(name)]),
)
