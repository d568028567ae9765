// The host's client and the marks by which what we put into the host is known again.

/** Stands on every message part of ours, so that it is not taken for the user's own words. */
export const ourMark = { orchestrator: true }

/**
 * @param {string} text
 * @param {number} [effect]  of the engine, by which a later process can tell which prompt the host has
 */
export function ourPart(text, effect) {
  return { type: "text", text, metadata: effect ? { ...ourMark, effect } : ourMark }
}

/** @param {any} part */
export function isOurs(part) {
  return part?.metadata?.orchestrator === true
}

/** @param {any} message one of ours @returns {number} the effect that sent it */
export function promptOf(message) {
  return message.parts.find(isOurs)?.metadata.effect ?? 0
}

/** @param {any} error @returns {string} */
export function words(error) {
  return String(error?.data?.message ?? error?.message ?? error?.name ?? JSON.stringify(error))
}

/** @param {Promise<any>} call The host's client answers `{error}` rather than throwing. */
export async function result(call) {
  const { data, error } = await call
  if (error) throw new Error(words(error))
  return data
}
