// Gate 2 in the real OpenCode: a Worker's type error comes back with its place before any Reviewer sees it.

import assert from "node:assert/strict"
import { existsSync, readdirSync, readlinkSync } from "node:fs"
import { delimiter, join } from "node:path"
import test from "node:test"
import { kCheckout, projectFor } from "./support/project.mjs"
import { asked, ended, improvise, small, storedResults, toolNames, toolResults, until, userTexts } from "./support/story.mjs"

/** @typedef {import("./support/story.mjs").Answer} Answer */

/** @param {string} name @param {any} args @returns {Answer} */
const call = (name, args) => ({ calls: [{ name, args }] })

const server = [join(kCheckout, "node_modules/.bin"), ...(process.env.PATH ?? "").split(delimiter)]
  .map((dir) => join(dir, "typescript-language-server"))
  .find((path) => existsSync(path))

/** What was wrong before the mission. */
const kWrong = "export const old: number = 'text'\n"

/** Processes that run in a directory. @param {string} dir @returns {string[]} */
function processesIn(dir) {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      return readlinkSync(`/proc/${name}/cwd`) === dir && Number(name) !== process.pid
    } catch {
      return false
    }
  })
}

test(
  "a new type error is refused with file and line, an old one is not; fixed, the mission seals; no server outlives a killed host",
  { skip: server ? false : "typescript-language-server is not installed (npm ci installs it)" },
  async (t) => {
    const scenario = small(["T1"], {
      plan: {
        summary: "One unit.",
        verify: ["grep -q number unit.ts"],
        tasks: [
          {
            id: "T1",
            title: "The unit",
            description: "Write unit.ts",
            files: ["unit.ts", "old.ts", "unit.go"],
            verify: ["grep -q number unit.ts"],
          },
        ],
      },
    })
    const project = await projectFor(t, {
      scenario,
      keepBodies: true,
      snapshot: false,
      files: { "tsconfig.json": '{"compilerOptions": {"strict": true, "types": []}}', "old.ts": kWrong },
      orchestrator: { lsp: { typescript: { command: [server, "--stdio"] }, go: { command: ["no-such-server"] } } },
    })
    /** @param {string} name @param {string} content */
    const write = (name, content) => call("write", { filePath: join(project.dir, name), content })
    /** @type {Answer[]} */
    const worker = [
      call("read", { filePath: join(project.dir, "old.ts") }),
      write("old.ts", `// moved\n${kWrong}`),
      write("unit.go", "package unit\n"),
      write("unit.ts", "const one = 1\nexport const unit: number = `${one}`\n"),
      call("submit_work", { task: "T1", summary: "Wrote it.", files: ["unit.ts"] }),
      call("lsp_diagnostics", { paths: ["unit.ts"] }),
      write("unit.ts", "const one = 1\nexport const unit: number = one\n"),
      call("submit_work", { task: "T1", summary: "Fixed it.", files: ["unit.ts"] }),
    ]
    improvise(project, (turn) => (turn.role === "worker" ? worker.shift() : undefined))
    const serve = await project.startServe()
    const client = serve.at(project.dir)
    const session = await client.createSession()
    await client.command(session.id, "task", scenario.objective)
    const mission = await ended(project, "sealed", 120_000)

    const [refused, taken] = await storedResults(client, mission, "submit_work", "worker")
    assert.match(refused ?? "", /not accepted[^]*unit\.ts:2:14: Type 'string' is not assignable to type 'number'/)
    assert.doesNotMatch(refused ?? "", /old\.ts/)
    assert.match(taken ?? "", /^Taken: T1[^]*Note: Go is not checked: lsp\.go\.command: there is no no-such-server/)
    assert.match(toolResults(project, "lsp_diagnostics")[0] ?? "", /^unit\.ts:2:14: error: Type 'string'/)
    const reviewer = asked(project, (r) => r.role === "reviewer")[0]
    assert.ok(reviewer)
    assert.match(userTexts(reviewer).join("\n"), /typescript-language-server: no new error/)
    assert.ok(toolNames(reviewer).includes("lsp_diagnostics"))

    // Its own process group does not get what is sent to the host's: the kernel must end it.
    assert.ok(processesIn(project.dir).length >= 1, "the language server runs")
    serve.process.kill("SIGKILL")
    await until(() => processesIn(project.dir).length === 0, "the end of every process in the project")
  },
)
