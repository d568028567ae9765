// The marks by which message parts that the plugin has put into OpenCode are recognized.

/** The mark on every part of ours, so that it is not taken for a person's message. */
export const ourMark = { orchestrator: true }

/**
 * @param {string} text
 * @param {number} [effect]  of the engine; a later process reads from it which prompts the host has
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
