// npm's install script of the package. Only a global installation registers the plugin; where npm runs no install scripts,
// `opencode-orchestrator install` does the same. Never fails an installation.

import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const program = join(dirname(dirname(fileURLToPath(import.meta.url))), "cli", "main.mjs")
if (process.env.npm_config_global === "true" && existsSync(program)) {
  const done = spawnSync(process.execPath, [program, "install"], { stdio: "inherit" })
  if (done.status !== 0) console.error("The plugin is not registered yet. Run: opencode-orchestrator install")
}
