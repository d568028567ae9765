// What each role answers: a function of the scenario, of what the conversation shows, and of the two
// counters that span sessions (which rework, which review of a task this is).

import { isFinalReport, textOf } from "./conversation.mjs"
import { commandsNamed, failed, isRefusal, nextCalls, offered, showsFailure } from "./goals.mjs"

/** @typedef {import("./conversation.mjs").Turn} Turn */
/** @typedef {import("./goals.mjs").Goal} Goal */
/** @typedef {import("./scenario.mjs").Scenario} Scenario */
/** @typedef {import("./scenario.mjs").Work} Work */
/** @typedef {import("./scenario.mjs").Review} Review */
/** @typedef {import("./wire.mjs").Answer} Answer */

/** A role that has spoken this often since its prompt says so and ends its turn. */
const kAnswersMax = 60
const kSubmitTries = 3

export class Roles {
  /** @param {Scenario} scenario @param {Record<string, string[]>} [counters] of an earlier server */
  constructor(scenario, counters = {}) {
    this.scenario = scenario
    /** @type {Record<string, string[]>} for each counted thing the prompts that were it, in order */
    this.counters = structuredClone(counters)
  }

  /** @param {Turn} turn @param {string} session @returns {Answer} */
  answer(turn, session) {
    const { scenario } = this
    if (turn.role === "title") return { text: scenario.title }
    if (turn.role === "summary") return { text: summaryOf(turn) }
    if (turn.role === "chat") return chat(turn, scenario)
    if (turn.answers >= kAnswersMax) return { text: `I stop here: ${kAnswersMax} answers and no end.` }
    if (turn.role === "commander") return this.commander(turn)
    const again = scenario.goes_on?.includes(turn.role) ? takenSubmission(turn) : undefined
    if (again) return { calls: [{ name: again.name, args: again.args }] }
    if (turn.role === "planner") return this.planner(turn)
    if (turn.role === "worker") return this.worker(turn, session)
    return this.reviewer(turn, session)
  }

  /** Which occurrence of `what` this prompt is, from 0. The same prompt asked again is the same one. */
  occurrence(/** @type {string} */ what, /** @type {Turn} */ turn, /** @type {string} */ session) {
    const key = `${session}#${turn.ordinal}`
    const seen = (this.counters[what] ??= [])
    if (!seen.includes(key)) seen.push(key)
    // A restarted server has forgotten other sessions, never this one's own earlier prompts.
    return Math.max(seen.indexOf(key), turn.ordinal - 1)
  }

  /** @param {Turn} turn @returns {Answer} */
  commander(turn) {
    const c = this.scenario.commander ?? {}
    const runs = turn.calls.filter((call) => call.name === "mission_run")
    const report = runs.at(-1)?.result ?? ""
    if (!runs.length) {
      if (turn.texts < (c.early_stops ?? 0)) {
        return { text: `I have looked at the request and will begin shortly (${turn.texts + 1}).` }
      }
      /** @type {Goal[]} */
      const before = (c.calls ?? []).map((g) => ({ ...g, tries: g.tries ?? 1, alone: true }))
      if (c.plans_itself) before.push({ tool: "submit_plan", args: this.scenario.plan, alone: true })
      const calls = nextCalls(offered(before, turn), turn)
      if (calls.length) return { calls }
      const text = c.says ?? ""
      const run = [{ tool: "mission_run", args: c.mission_run ?? {}, standIn: true, alone: true, tries: 3 }]
      const start = nextCalls(offered(run, turn), turn)
      return start.length ? { text, calls: start } : { text: "The mission has no more for me to do." }
    }
    const last = runs[runs.length - 1]
    const since = turn.calls.slice(turn.calls.lastIndexOf(last) + 1)
    const reaction = c.reactions?.find((r) => new RegExp(r.match, "i").test(report))
    const goals = (reaction?.calls ?? []).map((g) => ({ ...g, tries: g.tries ?? 1, alone: true }))
    const react = nextCalls(offered(goals, turn), turn)
    if (react.length) return { calls: react }
    const goesOn = (reaction && since.length > 0) || last.result === null || !isFinalReport(report)
    if (goesOn && !reaction?.ends && runs.length < (c.max_runs ?? 8)) {
      return { calls: [{ name: "mission_run", args: c.mission_run_again ?? {} }] }
    }
    const first = report.trim().split("\n", 1)[0]
    return { text: c.final ?? `The mission has ended. ${first}`.trim() }
  }

  /** @param {Turn} turn @returns {Answer} */
  planner(turn) {
    const { plan, bad_plan, planner } = this.scenario
    const explore = planner?.explore ?? [{ tool: "read", args: { filePath: turn.directory || "." } }]
    const first = explore.map((g) => ({ ...g, tries: 1 }))
    const calls = nextCalls(offered(first, turn), turn)
    if (calls.length) return { calls }

    const bad = bad_plan ? [bad_plan].flat() : []
    const tool = turn.tools.has("submit_plan") ? "submit_plan" : "todowrite"
    const sent = turn.calls.filter((c) => c.name === tool && c.args)
    const last = sent.at(-1)
    if (last && last.result !== null && !isRefusal(last.result)) {
      return { text: `The plan is ready: ${plan.tasks.length} tasks.` }
    }
    if (sent.length >= bad.length + kSubmitTries) {
      return { text: `My plan was refused: ${last?.result?.slice(0, 300) ?? "no answer"}` }
    }
    const args = bad[sent.length] ?? plan
    const next = nextCalls(offered([{ tool: "submit_plan", args, standIn: true, tries: Infinity }], turn), turn)
    return next.length ? { calls: next } : { text: "The plan is ready." }
  }

  /** @param {Turn} turn @param {string} session @returns {Answer} */
  worker(turn, session) {
    const known = this.taskOf(turn)
    known.work = known.work.strategies?.[strategyOf(turn)] ?? known.work
    const reworks = known.work.rework ? [known.work.rework].flat() : []
    let work = known.work
    const goals = []
    if (turn.rework) {
      const k = this.occurrence(`rework|${turn.task}`, turn, session)
      work = reworks[Math.min(k, reworks.length - 1)] ?? { files: work.files }
    }
    // A fresh session for a task that was rejected before: work and fix at once.
    else if (reworks.length && /\bwas rejected\b/.test(turn.prompt)) {
      goals.push(...workGoals(work, turn))
      work = reworks[0]
    }
    goals.push(...workGoals(work, turn))
    const files = work.claims ?? [
      ...new Set([...Object.keys(work.files ?? {}), ...(work.edits ?? []).map((e) => e.path)]),
    ]
    const submit = {
      task: turn.task,
      summary: work.summary ?? `${turn.rework ? "Reworked" : "Built"}: ${turn.title}`,
      files,
      evidence: evidenceOf(work.commands ?? [], turn, "submit_work"),
      ...(work.follow_ups ? { follow_ups: work.follow_ups } : {}),
    }
    if (!work.forgets_to_submit || turn.texts >= 1) {
      goals.push({ tool: "submit_work", args: submit, standIn: true, alone: true, tries: kSubmitTries })
    }
    const calls = nextCalls(offered(goals, turn), turn)
    if (calls.length) return { calls: one(calls, work.one_by_one) }
    const refused = turn.calls.findLast((c) => c.name === "submit_work")
    if (refused && failed(refused)) return { text: `I could not submit: ${refused.result?.slice(0, 300)}` }
    return { text: `${turn.task}: ${submit.summary}` }
  }

  /** @param {Turn} turn @param {string} session @returns {Answer} */
  reviewer(turn, session) {
    const master = turn.role === "master"
    const known = master ? null : this.taskOf(turn)
    const verify = known?.verify ?? this.scenario.plan.verify ?? []
    const reviews = (master ? this.scenario.master : known?.reviews) ?? []
    const k = this.occurrence(`review|${turn.task}`, turn, session)
    const entry = reviews[k] ?? { verdict: "pass" }

    const submits = turn.calls.filter((c) => c.name === "submit_review" && c.args)
    const refusal = submits.at(-1) && failed(submits[submits.length - 1]) ? (submits.at(-1)?.result ?? "") : ""
    const asked = entry.skip_verify && !submits.length ? [] : [...(entry.commands ?? []), ...verify]
    const commands = [...new Set([...asked, ...commandsNamed(refusal)])]
    /** @type {Goal[]} */
    const goals = commands.map((command) => ({
      tool: "bash",
      args: { command, description: "Verify the work" },
      alone: true,
      tries: 3,
    }))
    // What a refusal asks for must be run again, after it.
    const after = submits.at(-1) ? turn.calls.slice(turn.calls.lastIndexOf(submits[submits.length - 1]) + 1) : []
    const named = new Set(commandsNamed(refusal))
    for (const goal of offered(goals, turn)) {
      const seen = named.has(goal.args.command) ? { ...turn, calls: after } : turn
      const run = nextCalls([goal], seen)
      if (run.length) return { calls: run }
    }

    const evidence = evidenceOf(commands, turn, "submit_review")
    const broken = evidence.filter((e) => e.exit_code !== 0)
    const review = verdictOf(entry, broken, turn)
    const goal = {
      tool: "submit_review",
      args: { task: turn.task, ...review, evidence },
      standIn: true,
      alone: true,
      tries: kSubmitTries,
    }
    const calls = nextCalls(offered([goal], turn), turn)
    if (calls.length) return { calls }
    return { text: `${turn.task}: ${review.verdict}` }
  }

  /**
   * The scenario's entry for a task: by its title, for engine-made tasks by a fix whose `match` is a part of
   * the title or prompt, else by its id.
   * @param {Turn} turn
   * @returns {{work: Work, verify?: string[], reviews?: Review[]}}
   */
  taskOf(turn) {
    const { plan, workers = {}, reviews = {}, fixes = [] } = this.scenario
    const titled = plan.tasks.find((t) => t.title === turn.title && (t.id === turn.task || !byId()))
    /** @returns {any} */
    function byId() {
      return plan.tasks.find((t) => t.id === turn.task)
    }
    const cut = turn.title.replace(/(…|\.\.\.)$/, "").trim()
    const fix =
      fixes.find((f) => turn.title.includes(f.match) || (cut && f.match.startsWith(cut))) ??
      (byId() ? undefined : fixes.find((f) => turn.prompt.includes(f.match)))
    if (!titled && fix) {
      return { work: fix, verify: fix.verify ?? plan.verify, reviews: fix.reviews }
    }
    const task = titled ?? byId()
    const id = task?.id ?? turn.task ?? ""
    return { work: workers[id] ?? {}, verify: task ? (task.verify ?? []) : plan.verify, reviews: reviews[id] }
  }
}

/** The race's strategy that the conversation's card names. @param {Turn} turn */
const strategyOf = (turn) =>
  turn.messages.map((m) => /Your strategy:\n(.+)\n/.exec(textOf(m.content))?.[1]).findLast(Boolean) ?? ""

/** @template T @param {T[]} list @param {boolean|undefined} single */
const one = (list, single) => (single ? list.slice(0, 1) : list)

/** @param {Work} work @param {Turn} turn @returns {Goal[]} */
function workGoals(work, turn) {
  const at = (/** @type {string} */ path) =>
    turn.directory && !path.startsWith("/") ? `${turn.directory}/${path}` : path
  /** @type {Goal[]} */
  const goals = []
  for (const [path, content] of Object.entries(work.files ?? {})) {
    goals.push({ tool: "write", args: { filePath: at(path), content } })
  }
  for (const edit of work.edits ?? []) {
    const args = { filePath: at(edit.path), oldString: edit.old, newString: edit.new }
    goals.push({ tool: "edit", args, alone: true })
  }
  for (const call of work.calls ?? []) goals.push({ ...call, tries: call.tries ?? 1, alone: true })
  for (const command of work.commands ?? []) {
    goals.push({ tool: "bash", args: { command, description: "Check the work" }, alone: true })
  }
  return goals
}

/** What the role has handed in since its prompt, once that was taken. @param {Turn} turn */
function takenSubmission(turn) {
  return turn.calls.findLast((call) => call.name.startsWith("submit_") && call.result !== null && !failed(call))
}

/** What a command printed when the role last ran it. @param {string} command @param {Turn} turn */
const outputOf = (command, turn) =>
  turn.calls.findLast((c) => c.name === "bash" && c.args?.command === command && !failed(c))?.result ?? ""

/**
 * How each command ended, as far as its output shows it; the engine knows better, and its refusal says so.
 * @param {string[]} commands @param {Turn} turn @param {string} tool
 */
function evidenceOf(commands, turn, tool) {
  const refusals = turn.calls.filter((c) => c.name === tool && failed(c)).map((c) => c.result ?? "")
  return commands.map((command) => {
    const said = refusals
      .map((text) => text.split(command)[1] ?? "")
      .map((rest) => /^\W*ended with exit code (\d+)/.exec(rest))
    const known = said.findLast(Boolean)?.[1]
    return { command, exit_code: known ? Number(known) : showsFailure(outputOf(command, turn)) ? 1 : 0 }
  })
}

/**
 * The scenario's verdict; a scripted pass over a test run that failed becomes an honest rejection, and a
 * rejection that only reports a failing run becomes a pass when the run is green.
 * @param {Review} entry @param {{command: string}[]} broken @param {Turn} turn
 */
function verdictOf(entry, broken, turn) {
  if (entry.verdict === "reject" && (entry.when !== "failing" || broken.length)) {
    return { verdict: "reject", findings: entry.findings ?? [] }
  }
  if (broken.length && !entry.insists) {
    const output = outputOf(broken[0].command, turn)
    const line = output.split("\n").find((l) => /not ok|Error|✖/.test(l)) ?? "it exits with an error"
    const message = `\`${broken[0].command}\` fails: ${line.trim().slice(0, 200)}`
    return { verdict: "reject", findings: [{ severity: "error", message }] }
  }
  return { verdict: "pass", findings: entry.verdict === "pass" ? (entry.findings ?? []) : [] }
}

/** @param {Turn} turn @param {Scenario} scenario @returns {Answer} */
function chat(turn, scenario) {
  for (const c of scenario.chat ?? []) {
    if (!new RegExp(c.match, "i").test(turn.userText)) continue
    const calls = nextCalls(
      offered(
        (c.calls ?? []).map((g) => ({ tries: 1, ...g })),
        turn,
      ),
      turn,
    )
    return calls.length ? { calls } : { text: c.text }
  }
  return { text: "Hello. I am the rehearsal model; I only know the scripts of my scenario." }
}

/** @param {Turn} turn */
function summaryOf(turn) {
  return `Summary: the conversation so far has ${turn.messages.length} messages. Go on with the task.`
}
