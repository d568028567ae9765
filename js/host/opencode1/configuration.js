// Puts the contribution (agents, commands, permissions) into OpenCode's configuration. A user's own agent or command of the
// same name wins, field by field; no other agent may see a mission tool.

import { contribution } from "../../plugin/contribution.js"

const { roles, commands, tools: missionTools, hostTools } = contribution

/** @typedef {Record<string, any>} Config */

/** OpenCode puts a command's arguments into its template and then runs shell that it finds there; a placeholder that no
 * user reaches receives nothing (host contract A.21). */
const emptyTemplate = "$99999"

/** Files that unattended sessions must not read. OpenCode's default asks a person. */
const readRules = { "*": "allow", "*.env": "deny", "*.env.*": "deny", "*.env.example": "allow" }

/** @param {any} permission @returns {Config} The long form of a permission entry. */
function rules(permission) {
  return typeof permission === "string" ? { "*": permission } : { ...permission }
}

const toolDenials = Object.fromEntries(Object.keys(missionTools).map((name) => [name, "deny"]))

/**
 * An agent's rules with our tools and our agents denied. Hidden agents are still listed in the description of the `task`
 * tool (host contract A.22). Other tools get no rule: it would override those of the host's own agents. The last matching
 * rule counts, so ours come last.
 * @param {Config} user @param {string[]} subagents @returns {Config}
 */
function withoutOurs(user, subagents) {
  const { task, ...others } = user
  // An object key keeps its first place: the user's rule for one of our tools would come before their "*".
  for (const name of Object.keys(missionTools)) delete others[name]
  const keys = Object.keys(user)
  const overruled = keys.indexOf("*") > keys.indexOf("task")
  const tasks = task === undefined || overruled ? {} : rules(task)
  return { ...others, task: { ...tasks, ...Object.fromEntries(subagents.map((name) => [name, "deny"])) }, ...toolDenials }
}

/**
 * Whether the user allows a host tool without a question or an exception. A tool of ours with the same effect would bypass
 * these. @param {string | undefined} like @param {Config} user
 */
function mayDoLike(like, user) {
  const rule = like === undefined ? undefined : (user[like] ?? user["*"])
  return rule === undefined || Object.values(rules(rule)).every((action) => action === "allow")
}

/**
 * What a role may do: nothing but its tools, and none of these beyond what the user allows.
 * @param {string} role
 * @param {Config} user  the user's own global permissions
 * @param {boolean} interactive
 * @param {Config} own  the user's permissions for this role's agent
 */
function rolePermission(role, user, interactive, own) {
  /** @type {Config} */
  const permission = { "*": "deny" }
  for (const tool of hostTools[role] ?? []) {
    const key = tool === "write" ? "edit" : tool // the host asks for `edit` for every tool that writes
    permission[key] = user[key] ?? (key === "read" && user["*"] === undefined ? readRules : (user["*"] ?? "allow"))
  }
  for (const [name, tool] of Object.entries(missionTools)) {
    if (tool.roles.includes(role) && mayDoLike(tool.like, { ...user, ...own })) permission[name] = "allow"
  }
  permission.invalid = "allow" // how the host answers a call that it cannot read; no model sees it as a tool
  if (role === "commander" && interactive) permission.question = user.question ?? "allow"
  return permission
}

/** @param {Config} agents @param {string} name @returns {string | undefined} The user's key for an agent, whatever its case. */
function keyOf(agents, name) {
  return Object.keys(agents).find((key) => key.toLowerCase() === name)
}

/**
 * Adds agents, commands and permissions to the host's configuration, in place.
 * @param {Config} config
 * @param {{interactive: boolean}} host
 * @returns {{ownCommands: Set<string>, replacedPrompts: Set<string>, identities: Map<string, string>,
 *   names: Map<string, string>}}
 *   identities: the first line of an agent's system text -> its role; names: role -> the host's name of its agent
 */
export function configure(config, host) {
  const user = rules(config.permission)
  const agents = (config.agent ??= {})
  const names = new Map([...roles.keys()].map((role) => [role, keyOf(agents, role) ?? role]))
  // An agent with a prompt of the user's own is theirs: it stays visible, and others may call it.
  const theirs = (/** @type {string} */ role) => agents[names.get(role) ?? ""]?.prompt !== undefined
  const subagents = [...roles.values()]
    .filter((role) => role.mode === "subagent" && !theirs(role.name))
    .map((role) => names.get(role.name) ?? "")
  const own = new Set(names.values())
  for (const [name, agent] of Object.entries(agents)) {
    // A user's `"*": "allow"` for one agent must not open what is ours to it.
    if (agent?.permission !== undefined && !own.has(name)) agent.permission = withoutOurs(rules(agent.permission), subagents)
  }
  const identities = new Map()
  const replacedPrompts = new Set()
  for (const role of roles.values()) {
    const { permission, ...fields } = agents[names.get(role.name) ?? ""] ?? {}
    const ownRules = Object.entries(rules(permission ?? {})).filter(([name]) => !(name in missionTools))
    if (fields.prompt) replacedPrompts.add(role.name)
    identities.set(fields.prompt ?? role.identity, role.name)
    agents[names.get(role.name) ?? ""] = {
      description: role.description,
      mode: role.mode,
      ...(subagents.includes(names.get(role.name) ?? "") ? { hidden: true } : {}),
      prompt: role.identity,
      ...fields,
      permission: { ...rolePermission(role.name, user, host.interactive, rules(permission ?? {})), ...Object.fromEntries(ownRules) },
    }
  }
  config.permission = withoutOurs(user, subagents)
  const ownCommands = new Set()
  config.command ??= {}
  for (const [name, description] of Object.entries(commands)) {
    if (config.command[name]) continue
    config.command[name] = { template: emptyTemplate, description, agent: names.get("commander") }
    ownCommands.add(name)
  }
  return { ownCommands, replacedPrompts, identities, names }
}
