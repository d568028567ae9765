// T2's first submission has a real bug, and its test shows it: the Reviewer rejects, the Worker fixes it.

const slug = (/** @type {string} */ pattern) => `export function slug(text) {
  return text
    .toLowerCase()
    .replace(${pattern}, "-")
    .replace(/^-|-$/g, "");
}
`
const slugTest = `import assert from "node:assert/strict";
import test from "node:test";
import { slug } from "../src/slug.js";

test("words are joined by dashes", () => assert.equal(slug("Hello World"), "hello-world"));
test("runs of other signs become one dash", () => assert.equal(slug("a -- b!"), "a-b"));
`
const words = `export const words = (text) => text.split(/\\s+/).filter(Boolean);
`
const wordsTest = `import assert from "node:assert/strict";
import test from "node:test";
import { words } from "../src/words.js";

test("words are what stands between white space", () => {
  assert.deepEqual(words("  a bc\\td "), ["a", "bc", "d"]);
});
`
const task = (/** @type {string} */ id, /** @type {string} */ name) => ({
  id,
  title: `Module ${name}`,
  description: `src/${name}.js with tests in test/${name}.test.js`,
  files: [`src/${name}.js`, `test/${name}.test.js`],
  verify: [`node --test test/${name}.test.js`],
})

export default {
  name: "rejected-task",
  title: "Slugs, once rejected",
  objective: "Build two text modules, words and slug, with tests.",
  expect: { phase: "sealed" },
  test: "node --test",
  seed: { "package.json": '{ "name": "text", "type": "module" }\n' },
  plan: {
    summary: "Two independent modules.",
    verify: ["node --test"],
    tasks: [task("T1", "words"), task("T2", "slug")],
  },
  workers: {
    T1: { files: { "src/words.js": words, "test/words.test.js": wordsTest } },
    T2: {
      files: { "src/slug.js": slug("/[^a-z0-9]/g"), "test/slug.test.js": slugTest },
      summary: "slug() with tests",
      rework: {
        edits: [{ path: "src/slug.js", old: "/[^a-z0-9]/g", new: "/[^a-z0-9]+/g" }],
        commands: ["node --test test/slug.test.js"],
        summary: "Runs of other signs become one dash",
      },
    },
  },
  reviews: {
    T2: [
      {
        verdict: "reject",
        when: "failing",
        findings: [
          {
            file: "src/slug.js",
            line: 4,
            severity: "error",
            message: "slug('a -- b!') gives several dashes: the pattern replaces single signs, not runs",
          },
        ],
      },
    ],
  },
}
