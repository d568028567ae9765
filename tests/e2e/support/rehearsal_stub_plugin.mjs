// A stub of the orchestrator's plugin: its agents and tools by their names, and a mission that runs its
// sessions one after the other. It lets the rehearsal be tested in the real OpenCode without the engine.

import { writeFileSync } from "node:fs"

const text = { type: "string" }
const list = { type: "array", items: { type: "object" } }

/** @param {string} description @param {any} args @param {(args: any, context: any) => Promise<string>} execute */
const tool = (description, args, execute) => ({ description, args, execute })

const kAgents = {
  commander: ["primary", ["mission_run", "submit_plan"]],
  planner: ["subagent", ["submit_plan"]],
  worker: ["subagent", ["submit_work"]],
  reviewer: ["subagent", ["submit_review"]],
}

export default {
  id: "rehearsal-stub",
  server: async (/** @type {any} */ { client, directory }) => {
    /** @type {any} */
    let plan = null
    const submitted = new Map()

    /** @param {string} parent @param {string} agent @param {string} prompt @param {string} [session] */
    async function ask(parent, agent, prompt, session) {
      const id = session ?? (await client.session.create({ body: { parentID: parent, title: agent } })).data.id
      await client.session.prompt({ path: { id }, body: { agent, parts: [{ type: "text", text: prompt }] } })
      return id
    }

    async function mission(/** @type {any} */ _args, /** @type {any} */ context) {
      await ask(context.sessionID, "planner", "Plan: the objective")
      for (const { id, title } of plan.tasks) {
        const worker = await ask(context.sessionID, "worker", `Task ${id}: ${title}`)
        await ask(context.sessionID, "reviewer", `Task ${id}: ${title}`)
        if (submitted.get(id) !== "reject") continue
        await ask(context.sessionID, "worker", `Rework ${id}: ${title}`, worker)
        await ask(context.sessionID, "reviewer", `Task ${id}: ${title}`)
      }
      await ask(context.sessionID, "reviewer", "Mission review: the objective")
      const tasks = plan.tasks.map((/** @type {any} */ t) => ({ id: t.id, title: t.title, status: "done" }))
      const phase = [...submitted.values()].every((v) => v === "pass") ? "sealed" : "failed"
      writeFileSync(`${directory}/.opencode/mission_loop.json`, JSON.stringify({ phase, tasks, sessions: [] }))
      return `Mission ${phase}.`
    }

    return {
      config: async (/** @type {any} */ config) => {
        config.command = { ...config.command, task: { template: "$ARGUMENTS", agent: "commander" } }
        const names = Object.values(kAgents).flatMap(([, tools]) => tools)
        config.permission = { ...config.permission, ...Object.fromEntries(names.map((n) => [n, "deny"])) }
        for (const [name, [mode, tools]] of Object.entries(kAgents)) {
          const permission = Object.fromEntries([...tools].map((t) => [t, "allow"]))
          config.agent = { ...config.agent, [name]: { prompt: `You are the ${name}.`, mode, permission } }
        }
      },
      tool: {
        mission_run: tool("Run the mission", {}, mission),
        submit_plan: tool("Submit the plan", { summary: text, tasks: list }, async (args) => {
          const ids = args.tasks.map((/** @type {any} */ t) => t.id)
          if (new Set(ids).size < ids.length) throw new Error("The plan was refused: a duplicate id")
          plan = args
          return "Plan accepted."
        }),
        submit_work: tool("Submit the work", { task: text, summary: text }, async () => "Submitted for review."),
        submit_review: tool("Submit the review", { task: text, verdict: text, findings: list }, async (args) => {
          submitted.set(args.task, args.verdict)
          return "Review recorded."
        }),
      },
    }
  },
}
