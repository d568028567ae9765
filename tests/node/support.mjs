// The tests' addon: the shipped binding code around an echo.

import { createRequire } from "node:module"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const echoPath = join(root, "build", "cmake", "release", "orchestrator_echo.node")

/** @returns {import("../../js/native.mjs").Addon} */
export function loadEcho() {
  return createRequire(import.meta.url)(echoPath)
}

/** A fresh directory that goes away after the test. @param {import("node:test").TestContext} t */
export function temporaryDirectory(t) {
  const path = mkdtempSync(join(tmpdir(), "orch-node-"))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Opens a binding and keeps what arrives. @param {import("../../js/native.mjs").Addon} addon @param {string} directory */
export function listen(addon, directory) {
  /** @type {unknown[]} */
  const got = []
  let wake = () => {}
  const binding = addon.open({
    directory,
    options: "{}",
    onEffects(json) {
      got.push(...JSON.parse(json))
      wake()
    },
  })
  /** Waits until the condition holds. @param {(got: unknown[]) => boolean} enough */
  async function until(enough) {
    const deadline = Date.now() + 5_000
    while (!enough(got)) {
      if (Date.now() > deadline) throw new Error(`waited for more than ${JSON.stringify(got.slice(0, 5))}…`)
      // The timer also keeps the process alive: the addon does not.
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, 200)
        wake = () => (clearTimeout(timer), resolve(undefined))
      })
    }
    return got
  }
  return { binding, got, until }
}
