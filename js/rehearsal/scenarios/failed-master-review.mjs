// Each task passes its own review, but the whole does not hold: the Master Reviewer finds it, its findings
// become tasks whose ids only the engine knows, and a second Master Review passes.

const kFinding = "roundTrip loses an escaped comma: join() must escape the separator inside fields"

const split = `/** Splits at commas; a backslash takes the next sign as it is. */
export function split(line) {
  const fields = [""];
  for (let i = 0; i < line.length; i++) {
    if (line[i] === "\\\\") fields[fields.length - 1] += line[++i] ?? "";
    else if (line[i] === ",") fields.push("");
    else fields[fields.length - 1] += line[i];
  }
  return fields;
}
`
const splitTest = `import assert from "node:assert/strict";
import test from "node:test";
import { split } from "../src/split.js";

test("a line is split at commas", () => assert.deepEqual(split("a,b,,c"), ["a", "b", "", "c"]));
test("an escaped comma stays in its field", () => assert.deepEqual(split("a\\\\,b"), ["a,b"]));
`
const join = `/** Joins fields with commas. */
export function join(fields) {
  return fields.join(",");
}
`
const joinTest = `import assert from "node:assert/strict";
import test from "node:test";
import { join } from "../src/join.js";

test("fields are joined by commas", () => assert.equal(join(["a", "b"]), "a,b"));
`
const wholeTest = `import assert from "node:assert/strict";
import test from "node:test";
import { join } from "../src/join.js";
import { split } from "../src/split.js";

test("what is joined splits into the same fields", () => {
  const fields = ["a,b", "c\\\\d", ""];
  assert.deepEqual(split(join(fields)), fields);
});
`

export default {
  name: "failed-master-review",
  title: "Round trip, found at the end",
  objective: "Build split and join for comma-separated lines; what join writes, split reads back.",
  expect: { phase: "sealed" },
  test: "node --test",
  seed: { "package.json": '{ "name": "csv", "type": "module" }\n' },
  plan: {
    summary: "split and join side by side.",
    verify: ["node --test"],
    tasks: [
      {
        id: "T1",
        title: "Module split",
        description: "split(line) with escapes",
        files: ["src/split.js", "test/split.test.js"],
        verify: ["node --test test/split.test.js"],
      },
      {
        id: "T2",
        title: "Module join",
        description: "join(fields)",
        files: ["src/join.js", "test/join.test.js"],
        verify: ["node --test test/join.test.js"],
      },
    ],
  },
  workers: {
    T1: { files: { "src/split.js": split, "test/split.test.js": splitTest } },
    T2: { files: { "src/join.js": join, "test/join.test.js": joinTest } },
  },
  master: [
    {
      verdict: "reject",
      findings: [{ file: "src/join.js", line: 3, severity: "error", message: kFinding }],
    },
  ],
  fixes: [
    {
      match: kFinding,
      edits: [
        {
          path: "src/join.js",
          old: 'return fields.join(",");',
          new: 'return fields.map((f) => f.replace(/[\\\\,]/g, "\\\\$&")).join(",");',
        },
      ],
      files: { "test/round-trip.test.js": wholeTest },
      summary: "join() escapes commas and backslashes; a round-trip test",
    },
  ],
}
