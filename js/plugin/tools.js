// The tools that mission roles see: descriptions and argument schemas. What they mean is the engine's.

/** @typedef {Record<string, any>} Schema */

const everyone = ["commander", "planner", "worker", "reviewer", "master-reviewer"]
const string = { type: "string" }
const strings = { type: "array", items: string }
/** @param {Schema} items */
const list = (items) => ({ type: "array", items })
/** @param {Schema} schema @param {string} description */
const says = (schema, description) => ({ ...schema, description })
/** @param {Schema} properties @param {string[]} required */
const object = (properties, required) => ({ type: "object", properties, ...(required.length > 0 ? { required } : {}) })

const task = object(
  {
    id: says(string, "e.g. T1"),
    title: string,
    description: says(string, "all that a Worker needs to know"),
    agent: says(string, "default: worker"),
    files: says(strings, "files or globs that it writes"),
    deps: says(strings, "ids of tasks that must be done before"),
    accept: strings,
    verify: says(strings, "shell commands that prove it"),
    race: strings,
  },
  ["id", "title", "description"],
)
const evidence = list(object({ command: string, exit_code: { type: "integer" } }, ["command", "exit_code"]))
const finding = object(
  {
    file: string,
    line: { type: "integer" },
    severity: { type: "string", enum: ["error", "warning", "note"] },
    message: string,
  },
  ["severity", "message"],
)

/**
 * @typedef {object} MissionTool
 * @property {string} event        the engine's name for a call of it
 * @property {string[]} roles      who sees it
 * @property {string} [like]       the host's tool that does the same; who may not use that does not see it
 * @property {string} description
 * @property {Schema} schema
 */

/** @type {Record<string, MissionTool>} */
export const missionTools = {
  mission_run: {
    event: "run_called",
    roles: ["commander"],
    description:
      "Runs the mission and blocks, with live progress, until it is sealed or needs you; returns a report that ends with what is asked of you. Call it again to go on.",
    schema: object(
      {
        objective: says(string, "only to make the user's own words more precise"),
        acceptance: says(strings, "what must be true at the end"),
        verify: says(strings, "shell commands that prove the whole"),
        notes: says(string, "for the Planner"),
      },
      [],
    ),
  },
  submit_plan: {
    event: "plan_submitted",
    roles: ["commander", "planner"],
    description: "Hands in the plan. Refused with all problems at once if something is wrong with it.",
    schema: object(
      {
        summary: string,
        verify: says(strings, "shell commands that prove the whole"),
        verify_reason: says(string, "why verify is empty"),
        tasks: list(task),
        decisions: strings,
      },
      ["summary", "verify", "tasks"],
    ),
  },
  update_todo: {
    event: "todo_updated",
    roles: ["commander"],
    description: "Changes one task, or adds one. retry starts a blocked or dropped task again.",
    schema: object(
      {
        id: string,
        status: { type: "string", enum: ["pending", "retry", "blocked", "dropped", "done"] },
        title: string,
        note: string,
        add: task,
      },
      ["id"],
    ),
  },
  submit_work: {
    event: "work_submitted",
    roles: ["worker"],
    description: "Hands in your finished task for review.",
    schema: object(
      {
        task: string,
        summary: string,
        files: strings,
        evidence: list(object({ command: string, exit_code: { type: "integer" } }, [])),
        follow_ups: says(list(object({ id: string, title: string, description: string, files: strings }, [])), "tasks still needed"),
      },
      ["task", "summary", "files"],
    ),
  },
  submit_review: {
    event: "review_submitted",
    roles: ["reviewer", "master-reviewer"],
    description: "Hands in your verdict. A pass needs your own green run of each verify command after the last change.",
    schema: object(
      {
        task: says(string, "its id, or mission"),
        verdict: { type: "string", enum: ["pass", "reject"] },
        findings: list(finding),
        evidence: says(evidence, "commands you ran in this session"),
      },
      ["task", "verdict", "findings", "evidence"],
    ),
  },
  ast_search: {
    event: "ast_search_asked",
    roles: everyone,
    like: "grep",
    description:
      "Finds code by structure, e.g. foo($A, $$$REST): $A is one node, $$$REST any siblings; a name twice is equal code.",
    schema: object(
      {
        pattern: string,
        query: says(string, "or a tree-sitter query"),
        language: string,
        paths: says(strings, "files or globs"),
        limit: { type: "integer" },
      },
      [],
    ),
  },
  ast_replace: {
    event: "ast_replace_asked",
    roles: ["worker"],
    like: "edit",
    description: "Replaces what an ast_search pattern finds; apply writes the diff.",
    schema: object(
      { pattern: string, rewrite: string, language: string, paths: strings, apply: { type: "boolean" } },
      ["pattern", "rewrite"],
    ),
  },
  ast_outline: {
    event: "ast_outline_asked",
    roles: everyone,
    like: "grep",
    description: "What files declare, with line ranges.",
    schema: object({ paths: strings }, ["paths"]),
  },
  lsp_diagnostics: {
    event: "diagnostics_asked",
    roles: ["worker", "reviewer", "master-reviewer"],
    description: "What language servers say of files.",
    schema: object({ paths: strings }, ["paths"]),
  },
  mission_status: {
    event: "status_asked",
    roles: everyone,
    description: "The mission's state in short.",
    schema: object({}, []),
  },
}

/** The host's own tools that a role works with. */
export const hostTools = {
  commander: ["read", "glob", "grep"],
  planner: ["read", "glob", "grep"],
  worker: ["read", "glob", "grep", "write", "edit", "bash"],
  reviewer: ["read", "glob", "grep", "bash"],
  "master-reviewer": ["read", "glob", "grep", "bash"],
}
