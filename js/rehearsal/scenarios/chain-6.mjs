// For the bench: six tasks, each after the one before it.

const ids = Array.from({ length: 6 }, (_, i) => i + 1)
const file = (/** @type {number} */ n) => `src/link${n}.mjs`
const source = (/** @type {number} */ n) =>
  n === 1
    ? "export const link1 = 1;\n"
    : `import { link${n - 1} } from "./link${n - 1}.mjs";\n\nexport const link${n} = link${n - 1} + 1;\n`

export default {
  name: "chain-6",
  title: "A chain of six links",
  objective: "Write six modules, each on top of the one before.",
  expect: { phase: "sealed" },
  test: `node --check ${file(6)}`,
  seed: {},
  planner: { explore: [] },
  plan: {
    summary: "One link after the other.",
    verify: [`node --check ${file(6)}`],
    tasks: ids.map((n) => ({
      id: `T${n}`,
      title: `Link ${n}`,
      description: `Export link${n}.`,
      files: [file(n)],
      deps: n > 1 ? [`T${n - 1}`] : [],
      verify: [`node --check ${file(n)}`],
    })),
  },
  workers: Object.fromEntries(ids.map((n) => [`T${n}`, { files: { [file(n)]: source(n) } }])),
}
