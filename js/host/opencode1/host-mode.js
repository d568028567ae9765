// How OpenCode was started, read from its arguments (host contract 9).

/** @typedef {"run" | "serve" | "tui"} Mode */

/** verb -> mode @type {Record<string, Mode | undefined>} */
const verbs = { run: "run", serve: "serve", web: "serve", acp: "serve", agent: undefined, session: undefined, export: undefined }

/**
 * @param {string[]} argv
 * @returns {Mode | undefined} undefined: a short command such as `agent list`, for which nothing is loaded
 */
export function hostMode(argv) {
  const words = argv.slice(1)
  if (words.some((word) => /cli\/tui\/worker\.[jt]s$/.test(word))) return "tui"
  // argv is [program, perhaps its script inside the program, verb, …]; options, and their values, may come before the verb.
  const verb = words.find((word) => Object.hasOwn(verbs, word))
  return verb === undefined ? undefined : verbs[verb]
}

/** @param {Mode | undefined} mode @returns {import("../host.js").Traits} */
export const traitsOf = (mode) => ({ mode, interactive: mode === "tui", endsWhenIdle: mode === "run" })
