// Rows to text: every figure with its comparison and whether it meets its target.

/**
 * @typedef {object} Row
 * @property {string} group
 * @property {string} name
 * @property {string} figure   as written
 * @property {string} beside   what it is compared with
 * @property {string} target   as written, "" where there is none
 * @property {boolean|null} met null: no target
 */

/** @param {Row[]} rows @returns {string} */
export function table(rows) {
  const verdict = (/** @type {Row} */ row) => (row.met === null ? "" : row.met ? "met" : "NOT met")
  const cells = rows.map((row) => [row.name, row.figure, row.target, verdict(row), row.beside])
  const heads = ["", "figure (min … max)", "target", "", "beside it"]
  const width = heads.map((head, i) => Math.max(...[heads, ...cells].map((line) => [...(line[i] ?? "")].length), head.length))
  const line = (/** @type {string[]} */ texts) => `  ${texts.map((text, i) => pad(text, width[i] ?? 0)).join("  ")}`.trimEnd()
  const out = [line(heads)]
  let group = ""
  for (const [i, row] of rows.entries()) {
    if (row.group !== group) out.push("", (group = row.group))
    out.push(line(cells[i] ?? []))
  }
  return out.join("\n")
}

/** @param {string} text @param {number} width */
const pad = (text, width) => text + " ".repeat(Math.max(0, width - [...text].length))

/** @param {Row[]} rows @returns {string} the last line */
export function conclusion(rows) {
  const missed = rows.filter((row) => row.met === false)
  const aimed = rows.filter((row) => row.met !== null).length
  if (!missed.length) return `All ${aimed} targets are met.`
  return `${missed.length} of ${aimed} targets are NOT met: ${missed.map((row) => row.name).join("; ")}.`
}
