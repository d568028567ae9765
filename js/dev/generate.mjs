// Files that are written from the C++ sources by the native program `protocol`, and committed.

import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { root } from "./setup.mjs"

/** File of the checkout -> what `protocol` calls it. @type {Record<string, string>} */
export const generatedFiles = {
  "js/plugin/protocol.json": "tools",
  "docs/user/tools.md": "tools-table",
  "schema/orchestrator.schema.json": "settings-schema",
  "docs/user/settings.md": "settings-table",
}

/** @param {string} word @returns {string} what the sources give; `protocol` must be built */
export function generatedText(word) {
  return execFileSync(join(root, "build", "cmake", "release", "protocol"), [word], { encoding: "utf8", maxBuffer: 1 << 24 })
}

export function writeGenerated() {
  for (const [file, word] of Object.entries(generatedFiles)) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), generatedText(word))
    console.log(`wrote ${file}`)
  }
}
