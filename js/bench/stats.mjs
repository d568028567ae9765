// A few numbers out of many, and how they are written.

/** @typedef {{n: number, median: number, min: number, max: number, p95: number}} Spread */

/** @param {number[]} sorted @param {number} p from 0 to 1 */
export function quantile(sorted, p) {
  if (!sorted.length) return NaN
  const at = (sorted.length - 1) * p
  const low = sorted[Math.floor(at)] ?? NaN
  return low + ((sorted[Math.ceil(at)] ?? NaN) - low) * (at - Math.floor(at))
}

/** @param {number[]} values @returns {Spread} */
export function spread(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return {
    n: sorted.length,
    median: quantile(sorted, 0.5),
    min: sorted[0] ?? NaN,
    max: sorted.at(-1) ?? NaN,
    p95: quantile(sorted, 0.95),
  }
}

/** @param {number} value @param {number} digits */
const fixed = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : "-")

/** @type {Record<string, (value: number) => string>} */
export const units = {
  ratio: (v) => fixed(v, 2),
  s: (v) => `${fixed(v / 1000, 2)} s`, // from ms
  ms: (v) => `${fixed(v, v < 10 ? 1 : 0)} ms`,
  us: (v) => `${fixed(v, 1)} µs`,
  MB: (v) => `${fixed(v / 1e6, 1)} MB`, // from bytes
  kB: (v) => `${fixed(v / 1000, 1)} kB`, // from bytes
}

/** @param {Spread} s @param {string} unit */
export function written(s, unit) {
  const one = /** @type {(value: number) => string} */ (units[unit])
  if (s.n <= 1) return one(s.median)
  return `${one(s.median)} (${one(s.min)} … ${one(s.max)})`
}
