// The faults that `npm run mutate` makes, one small change each: patterns of ast_search with what ast_replace would write, and
// queries whose nodes are changed here.

/** @typedef {{name: string, language: "cpp" | "javascript", pattern: string, rewrite: string}} PatternRule */
/** @typedef {{name: string, language: "cpp" | "javascript", query: string, change: (text: string) => string[]}} QueryRule */
/** @typedef {{language: "cpp" | "javascript", query: string}} Exclusion Spans in which nothing is changed. */

/** Of both languages: name, pattern, rewrites. @type {[string, string, ...string[]][]} */
const common = [
  ["negated condition", "if ($C) $S", "if (!($C)) $S"],
  ["dropped condition", "if ($C) $S", "if (true) $S", "if (false) $S"],
  ["swapped branches", "$C ? $A : $B", "$C ? $B : $A"],
  ["negated condition of a loop", "while ($C) $S", "while (!($C)) $S"],
  ["&& to ||, dropped clause", "$A && $B", "$A || $B", "$A", "$B"],
  ["|| to &&, dropped clause", "$A || $B", "$A && $B", "$A", "$B"],
  ["dropped negation", "!$A", "$A"],
  ["limit of a comparison", "$A < $B", "$A <= $B"],
  ["limit of a comparison", "$A <= $B", "$A < $B"],
  ["limit of a comparison", "$A > $B", "$A >= $B"],
  ["limit of a comparison", "$A >= $B", "$A > $B"],
  ["+ to -", "$A + $B", "$A - $B"],
  ["- to +", "$A - $B", "$A + $B"],
  ["+= to -=", "$A += $B", "$A -= $B"],
  ["-= to +=", "$A -= $B", "$A += $B"],
  ["++ to --", "++$A", "--$A"],
  ["swapped arguments", "$F($A, $B)", "$F($B, $A)"],
  ["swapped arguments", "$F($A, $B, $C)", "$F($B, $A, $C)", "$F($A, $C, $B)"],
]

/** @type {[string, string, ...string[]][]} */
const cpp = [
  ["negated comparison", "$A == $B", "$A != $B"],
  ["negated comparison", "$A != $B", "$A == $B"],
  ["min to max", "std::min($A, $B)", "std::max($A, $B)"],
  ["max to min", "std::max($A, $B)", "std::min($A, $B)"],
  ["any to all", "std::ranges::any_of($A, $B)", "std::ranges::all_of($A, $B)"],
  ["all to any", "std::ranges::all_of($A, $B)", "std::ranges::any_of($A, $B)"],
  ["none to any", "std::ranges::none_of($A, $B)", "std::ranges::any_of($A, $B)"],
]

/** @type {[string, string, ...string[]][]} */
const javascript = [
  ["negated comparison", "$A === $B", "$A !== $B"],
  ["negated comparison", "$A !== $B", "$A === $B"],
  ["dropped default", "$A ?? $B", "$A", "$B"],
  ["min to max", "Math.min($A, $B)", "Math.max($A, $B)"],
  ["max to min", "Math.max($A, $B)", "Math.min($A, $B)"],
  ["any to all", "$A.some($B)", "$A.every($B)"],
  ["all to any", "$A.every($B)", "$A.some($B)"],
]

/** @param {string} text @returns {string[]} A small number by one, a large one doubled. */
function otherNumber(text) {
  const [, digits = "", suffix = ""] = /^(\d[\d_']*)([uU]?)$/.exec(text) ?? []
  if (digits === "") return []
  const value = Number(digits.replaceAll(/[_']/g, ""))
  return [`${value <= 16 ? value + 1 : value * 2}${suffix}`]
}

/** Preparations and log texts, which change no behaviour that a test should notice. @param {string} text @returns {string[]} */
const nothing = (text) => (/^\s*[\w.>-]+\.(?:reserve|shrink_to_fit)\(/.test(text) ? [] : [";"])

/** @returns {(PatternRule | QueryRule)[]} */
export function rules() {
  /** @type {(PatternRule | QueryRule)[]} */
  const all = []
  for (const language of /** @type {const} */ (["cpp", "javascript"])) {
    for (const [name, pattern, ...rewrites] of [...common, ...(language === "cpp" ? cpp : javascript)]) {
      for (const rewrite of rewrites) all.push({ name, language, pattern, rewrite })
    }
    const number = language === "cpp" ? "number_literal" : "number"
    all.push(
      { name: "changed constant", language, query: `(${number}) @site`, change: otherNumber },
      { name: "changed constant", language, query: "[(true) (false)] @site", change: (text) => [text === "true" ? "false" : "true"] },
      { name: "dropped statement", language, query: "[(expression_statement) (continue_statement) (break_statement)] @site", change: nothing },
      {
        name: "dropped return",
        language,
        query: "(return_statement) @site",
        change: (text) => (/^return\s*;?$/.test(text) ? [";"] : []),
      },
    )
    const bare = language === "cpp" ? "return {};" : "return"
    all.push({ name: "returns nothing", language, query: "(return_statement) @site", change: (text) => (/^return\s*(?:;|\{\};)?$/.test(text) ? [] : [bare]) })
  }
  return all
}

/** Assertions, log texts. @type {Exclusion[]} */
export const exclusions = [
  { language: "cpp", query: "(static_assert_declaration) @site" },
  .../** @type {{language: Exclusion["language"], call: string, where: string}[]} */ ([
    { language: "cpp", call: "(call_expression function: (_) @f)", where: '(#match? @f "^(ORCH_[A-Z_]+|assert)$")' },
    { language: "cpp", call: "(call_expression arguments: (argument_list . (_) @level))", where: '(#match? @level "^LogLevel::")' },
    { language: "javascript", call: "(call_expression function: (_) @f)", where: '(#match? @f "(console|app)[.](log|warn|error)$")' },
  ]).flatMap(({ language, call, where }) => [
    { language, query: `(${call} @site ${where})` },
    { language, query: `((expression_statement ${call}) @site ${where})` },
  ]),
]

/** Calls whose arguments can be swapped without an effect. */
const symmetric = /^(?:std::(?:ranges::)?(?:min|max|equal|swap)|Math\.(?:min|max|hypot))\(/

/**
 * Whether a change has an effect and is not only text.
 * @param {string} name @param {string} before @param {string} after
 */
export function isFault(name, before, after) {
  const bare = (/** @type {string} */ text) => text.replaceAll(/\s+/g, "")
  if (bare(before) === bare(after)) return false
  if (name === "swapped arguments" && symmetric.test(before)) return false
  // An empty text is what a text is without a value.
  if (name === "returns nothing" && /return\s*"";/.test(before)) return false
  // Concatenation of texts: + is no sum.
  return !(name === "+ to -" && /["'`]/.test(before))
}
