// For the bench: twelve tasks that do not touch each other, one file each, one quick command to verify.

const ids = Array.from({ length: 12 }, (_, i) => i + 1)
const file = (/** @type {number} */ n) => `src/part${n}.mjs`

export default {
  name: "independent-12",
  title: "Twelve independent parts",
  objective: "Write twelve independent modules, one constant each.",
  expect: { phase: "sealed" },
  test: ids.map((n) => `node --check ${file(n)}`).join(" && "),
  seed: {},
  planner: { explore: [] },
  plan: {
    summary: "Twelve parts, all at once.",
    verify: [`node --check ${file(1)}`],
    tasks: ids.map((n) => ({
      id: `T${n}`,
      title: `Part ${n}`,
      description: `Export the constant part${n}.`,
      files: [file(n)],
      verify: [`node --check ${file(n)}`],
    })),
  },
  workers: Object.fromEntries(ids.map((n) => [`T${n}`, { files: { [file(n)]: `export const part${n} = ${n};\n` } }])),
}
