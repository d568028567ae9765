#!/usr/bin/env node
// A language server for tests: each line with the word "wrong" is an error. What a text says beside that is done:
//   crash!    it exits, once for each file `crashed` that does not stand beside it yet (crash-always!: every time)
//   hang!     it says nothing about that text
//   garbage!  it writes what is no message
//   deaf!     it says nothing, and does not end when its input does
// With the argument --pull it answers textDocument/diagnostic instead of publishing, the first time with "later".
// It writes the number of each request that it must cancel into a file `cancelled`.
import { appendFileSync, existsSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const say = (message) => {
  const body = JSON.stringify({ jsonrpc: "2.0", ...message })
  process.stdout.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

let deaf = false
const pulls = process.argv.includes("--pull")
let asked = 0
const texts = new Map()

function diagnose({ uri, version, text }, pull) {
  texts.set(uri, text)
  if (pulls && pull === undefined) return
  const file = fileURLToPath(uri)
  const crashed = join(dirname(file), "crashed")
  if (text.includes("crash-always!")) process.exit(3)
  if (text.includes("crash!") && !existsSync(crashed)) {
    writeFileSync(crashed, "")
    process.exit(3)
  }
  if (text.includes("deaf!")) deaf = true
  if (text.includes("hang!") || deaf) return
  if (text.includes("garbage!")) {
    process.stdout.write("Segmentation fault (core dumped)\r\n\r\n")
    return
  }
  const diagnostics = text.split("\n").flatMap((line, i) => {
    const at = line.indexOf("wrong")
    const start = { line: i, character: at }
    return at < 0 ? [] : [{ range: { start, end: start }, severity: 1, code: "w", message: `wrong: ${line.trim()}` }]
  })
  if (pulls) say({ id: pull, result: { kind: "full", items: diagnostics } })
  else say({ method: "textDocument/publishDiagnostics", params: { uri, version, diagnostics } })
}

function hear({ id, method, params }) {
  if (method === "initialize") say({ id, result: { capabilities: { textDocumentSync: 1, diagnosticProvider: pulls } } })
  else if (method === "shutdown") say({ id, result: null })
  else if (method === "exit") process.exit(0)
  else if (method === "textDocument/didOpen") diagnose(params.textDocument)
  else if (method === "textDocument/didChange")
    diagnose({ ...params.textDocument, text: params.contentChanges[0].text })
  else if (method === "$/cancelRequest") appendFileSync("cancelled", `${params.id}\n`)
  else if (method === "textDocument/diagnostic" && ++asked === 1)
    say({ id, error: { code: -32802, message: "still reading the project" } })
  else if (method === "textDocument/diagnostic")
    diagnose({ uri: params.textDocument.uri, text: texts.get(params.textDocument.uri) }, id)
  else if (id !== undefined) say({ id, error: { code: -32601, message: "unknown" } })
}

let input = Buffer.alloc(0)
process.stdin.on("data", (bytes) => {
  input = Buffer.concat([input, bytes])
  for (;;) {
    const end = input.indexOf("\r\n\r\n")
    if (end < 0) return
    const length = Number(/Content-Length: (\d+)/.exec(input.subarray(0, end).toString())?.[1])
    if (input.length < end + 4 + length) return
    const body = input.subarray(end + 4, end + 4 + length).toString()
    input = input.subarray(end + 4 + length)
    hear(JSON.parse(body))
  }
})
process.stdin.on("end", () => {
  if (!deaf) process.exit(0)
})
setInterval(() => {}, 1000)
