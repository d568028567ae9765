// The first plan has a duplicate id, an unknown dependency and a cycle; the second one is right.

const task = (/** @type {string} */ id, /** @type {string} */ name, /** @type {string[]} */ deps) => ({
  id,
  title: `Module ${name}`,
  description: `src/${name}.js with tests in test/${name}.test.js`,
  files: [`src/${name}.js`, `test/${name}.test.js`],
  deps,
  verify: [`node --test test/${name}.test.js`],
})
const test = (/** @type {string} */ name, /** @type {string} */ body) =>
  `import assert from "node:assert/strict";
import test from "node:test";
import { ${name} } from "../src/${name}.js";

test("${name}", () => {
  ${body}
});
`
const common = { summary: "A stack, a queue of two stacks.", verify: ["node --test"] }

export default {
  name: "plan-with-errors",
  title: "A plan that is refused first",
  objective: "Build a stack and a queue made of two stacks, with tests.",
  expect: { phase: "sealed" },
  test: "node --test",
  seed: { "package.json": '{ "name": "queue", "type": "module" }\n' },
  bad_plan: {
    ...common,
    tasks: [
      task("T1", "stack", ["T2"]),
      task("T2", "queue", ["T1"]),
      task("T2", "twin", []),
      task("T4", "other", ["T9"]),
    ],
  },
  plan: { ...common, tasks: [task("T1", "stack", []), task("T2", "queue", ["T1"])] },
  workers: {
    T1: {
      files: {
        "src/stack.js":
          "export function stack() {\n  const list = [];\n  return {\n    push: (x) => void list.push(x),\n" +
          "    pop: () => list.pop(),\n    get size() {\n      return list.length;\n    },\n  };\n}\n",
        "test/stack.test.js": test(
          "stack",
          "const s = stack();\n  s.push(1);\n  s.push(2);\n  assert.equal(s.pop(), 2);\n  assert.equal(s.size, 1);",
        ),
      },
    },
    T2: {
      files: {
        "src/queue.js":
          'import { stack } from "./stack.js";\n\nexport function queue() {\n  const front = stack();\n' +
          "  const back = stack();\n  return {\n    put: (x) => back.push(x),\n    take: () => {\n" +
          "      if (!front.size) while (back.size) front.push(back.pop());\n      return front.pop();\n    },\n  };\n}\n",
        "test/queue.test.js": test(
          "queue",
          "const q = queue();\n  q.put(1);\n  q.put(2);\n  assert.equal(q.take(), 1);\n  assert.equal(q.take(), 2);",
        ),
      },
    },
  },
}
