// Parses command lines; a mistake in one is a usage error (exit code 2).

import { parseArgs } from "node:util"

export class UsageError extends Error {}

/**
 * node:util's parseArgs, whose errors become usage errors.
 * @template {import("node:util").ParseArgsConfig} T
 * @param {T} config
 * @returns {ReturnType<typeof parseArgs<T>>}
 */
export function parsed(config) {
  try {
    return parseArgs(config)
  } catch (error) {
    throw new UsageError(/** @type {Error} */ (error).message.split(". To specify", 1)[0])
  }
}

/**
 * @param {string|undefined} text @param {string} name @param {{min: number, max: number}} range
 * @returns {number|undefined}
 */
export function numberOption(text, name, { min, max }) {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() === "" || !(value >= min && value <= max)) {
    throw new UsageError(`--${name} must be a number from ${min} to ${max}, not "${text}"`)
  }
  return value
}
