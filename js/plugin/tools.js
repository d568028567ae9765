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
      "Runs the mission until it is sealed or needs you; its report ends with what is asked of you. Called again it goes on.",
    schema: object(
      {
        objective: says(string, "only to make the user's words more precise"),
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
    description: "Hands in the plan.",
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
    description: "Changes a task, or adds one. retry: a blocked or dropped one starts again.",
    schema: object(
      {
        id: string,
        status: { type: "string", enum: ["pending", "retry", "blocked", "dropped", "done"] },
        title: string,
        note: string,
        add: says({ type: "object" }, "a task as in submit_plan"),
      },
      ["id"],
    ),
  },
  submit_work: {
    event: "work_submitted",
    roles: ["worker"],
    description: "Hands in your task.",
    schema: object(
      {
        task: string,
        summary: string,
        files: strings,
        evidence: says(list({ type: "object" }), "command, exit_code"),
        follow_ups: says(list({ type: "object" }), "new tasks"),
      },
      ["summary", "files"],
    ),
  },
  delegate_task: {
    event: "delegate_called",
    roles: ["commander", "worker"],
    description: "Another Worker does a part; its summary comes back.",
    schema: object(
      {
        title: string,
        prompt: string,
        agent: string,
        files: strings,
        background: { type: "boolean" },
        race: strings,
      },
      ["title", "prompt"],
    ),
  },
  get_task_result: {
    event: "result_asked",
    roles: ["commander", "worker"],
    description: "Waits for it.",
    schema: object({ task: string }, ["task"]),
  },
  list_tasks: {
    event: "list_asked",
    roles: ["commander", "worker"],
    description: "The plan's state.",
    schema: object({ status: string }, []),
  },
  cancel_task: {
    event: "cancel_called",
    roles: ["commander", "worker"],
    description: "Drops a task.",
    schema: object({ task: string, reason: string }, ["task"]),
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
      "Finds code by structure: foo($A, $$$B) with $A a node, $$$B siblings.",
    schema: object(
      {
        pattern: string,
        query: says(string, "tree-sitter's"),
        language: string,
        paths: strings,
        limit: { type: "integer" },
      },
      [],
    ),
  },
  ast_replace: {
    event: "ast_replace_asked",
    roles: ["worker"],
    like: "edit",
    description: "Replaces what ast_search finds; apply writes the diff.",
    schema: object(
      { pattern: string, rewrite: string, language: string, paths: strings, apply: { type: "boolean" } },
      ["pattern", "rewrite"],
    ),
  },
  ast_outline: {
    event: "ast_outline_asked",
    roles: everyone,
    like: "grep",
    description: "What files declare.",
    schema: object({ paths: strings }, ["paths"]),
  },
  lsp_diagnostics: {
    event: "diagnostics_asked",
    roles: ["worker", "reviewer", "master-reviewer"],
    description: "Language servers on files.",
    schema: object({ paths: strings }, ["paths"]),
  },
  mission_status: {
    event: "status_asked",
    roles: everyone,
    description: "The mission's state.",
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
