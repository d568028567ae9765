// Faults of a model provider, chosen by seed. The choice hangs on *which* answer is asked for, never on
// the order in which parallel requests arrive, so a seed gives the same faults in every run.

/** @typedef {"rate-limit"|"error-500"|"error-503"|"cut"|"empty"|"malformed"|"stall"|"unauthorized"} FaultKind */
/**
 * @typedef {object} FaultOptions
 * @property {number} [p]              probability per answer, 0 to 1
 * @property {FaultKind[]} [kinds]     default: all but "stall" and "unauthorized"
 * @property {number} [seed]
 * @property {number} [retry_after_s]  default 1
 * @property {number} [max_per_answer] how often the same answer may fail, default 1, so that missions end
 * @property {string[]} [roles]        only these roles; default all mission roles
 * @property {{role?: string, task?: string, nth?: number, kind: FaultKind}[]} [exactly]
 *   faults at known places: the nth answer (from 1) of that role and task
 * @property {Record<string, FaultKind>} [models] a model that always answers so, in every mission role
 */

/** @type {FaultKind[]} */
export const kFaultKinds = ["rate-limit", "error-500", "error-503", "cut", "empty", "malformed", "stall", "unauthorized"]
/** Only where they are asked for: the one takes minutes, the other never passes. */
const kRare = new Set(["stall", "unauthorized"])

/** FNV-1a over the text, then a splitmix finish: 32 well-mixed bits. @param {string} text */
export function hash32(text) {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad)
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97)
  return (h ^ (h >>> 15)) >>> 0
}

/** @param {number|FaultOptions|undefined} faults @param {number} [seed] @returns {FaultOptions} */
export function faultOptions(faults, seed) {
  const given = typeof faults === "number" ? { p: faults } : (faults ?? {})
  const p = given.p ?? 0
  if (!(p >= 0 && p <= 1)) throw new RangeError(`faults: p must be between 0 and 1, not ${p}`)
  const unknown = (given.kinds ?? []).filter((k) => !kFaultKinds.includes(k))
  if (unknown.length) {
    throw new RangeError(`faults: unknown kind ${unknown.join(", ")}; known are ${kFaultKinds.join(", ")}`)
  }
  return { ...given, p, seed: given.seed ?? seed ?? 1 }
}

export class Faults {
  /** @param {FaultOptions} options */
  constructor(options) {
    this.options = options
    /** @type {Map<string, number>} how often an answer was asked for */
    this.asked = new Map()
    /** @type {Map<string, number>} how many answers a role gave for a task */
    this.given = new Map()
  }

  /**
   * @param {{role: string, task: string|null, position: string, malformable: boolean, model?: string}} answer
   * @returns {FaultKind|null}
   */
  choose({ role, task, position, malformable, model = "" }) {
    const o = this.options
    if (role === "title" || role === "summary" || role === "chat") return null
    const always = o.models?.[model]
    if (always) return always
    const place = `${role}|${task ?? ""}`
    const nth = (this.given.get(place) ?? 0) + 1
    this.given.set(place, nth)
    for (const e of o.exactly ?? []) {
      if ((e.role ?? role) === role && (e.task ?? task) === task && (e.nth ?? 1) === nth) return e.kind
    }
    if (!o.p || (o.roles && !o.roles.includes(role))) return null
    const key = `${place}|${position}`
    const before = this.asked.get(key) ?? 0
    this.asked.set(key, before + 1)
    if (before >= (o.max_per_answer ?? 1)) return null
    const roll = hash32(`${o.seed}|${key}|${before}`)
    if (roll / 2 ** 32 >= o.p) return null
    const kinds = (o.kinds ?? kFaultKinds.filter((k) => !kRare.has(k))).filter((k) => malformable || k !== "malformed")
    return kinds.length ? kinds[hash32(`${roll}|kind`) % kinds.length] : null
  }
}
