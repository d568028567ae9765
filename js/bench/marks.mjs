// The measurements, read from the model's record of a run, for mission and oracle by the same code: a request is "needed"
// if its answer submits something, with our tools or with the oracle's substitute.

/** @typedef {import("../rehearsal/record.mjs").ModelRequest} ModelRequest */
/** @typedef {import("../rehearsal/scenario.mjs").Plan} Plan */
/** @typedef {"review"|"next task"|"master"} HandOverKind */
/** @typedef {{kind: HandOverKind, task: string, ms: number}} HandOver */
/**
 * @typedef {object} RunMarks
 * @property {number} wall_ms   accepted plan -> last needed answer
 * @property {HandOver[]} hand_overs
 * @property {number} answers   of planner, workers and reviewers that ended in between
 * @property {number[]} step_ms end of an answer -> the same session's next request
 */

/** Does this answer hand in a plan, work or a verdict? @param {ModelRequest} request */
export function submits(request) {
  return /^(submit_(plan|work|review)|todowrite)\(/.test(request.answer)
}

/** @param {ModelRequest[]} requests @param {string} role @param {string|null} [task] */
function submission(requests, role, task = null) {
  const found = requests.findLast((r) => r.role === role && (task === null || r.task === task) && submits(r))
  if (!found || found.ended_at === null) throw new Error(`no submission of ${role} ${task ?? ""} in the record`)
  return { ...found, ended_at: found.ended_at }
}

/** @param {ModelRequest[]} requests @param {string} role @param {string|null} [task] */
function firstRequest(requests, role, task = null) {
  const found = requests.find((r) => r.role === role && (task === null || r.task === task))
  if (!found) throw new Error(`no request of ${role} ${task ?? ""} in the record`)
  return found
}

/** @param {ModelRequest[]} requests all of a run @param {Plan} plan @returns {RunMarks} */
export function marksOf(requests, plan) {
  const accepted = submission(requests, "planner").ended_at
  const verdict = submission(requests, "master").ended_at
  /** @type {HandOver[]} */
  const hand_overs = []
  for (const { id, deps = [] } of plan.tasks) {
    const worked = submission(requests, "worker", id).ended_at
    hand_overs.push({ kind: "review", task: id, ms: firstRequest(requests, "reviewer", id).at - worked })
    if (!deps.length) continue
    const freed = Math.max(...deps.map((dep) => submission(requests, "reviewer", dep).ended_at))
    hand_overs.push({ kind: "next task", task: id, ms: firstRequest(requests, "worker", id).at - freed })
  }
  const reviewed = Math.max(...plan.tasks.map(({ id }) => submission(requests, "reviewer", id).ended_at))
  hand_overs.push({ kind: "master", task: "mission", ms: firstRequest(requests, "master").at - reviewed })
  return {
    wall_ms: verdict - accepted,
    hand_overs,
    answers: requests.filter((r) => between(r, accepted, verdict)).length,
    step_ms: stepTimes(requests.filter((r) => between(r, accepted, verdict))),
  }
}

/** @param {ModelRequest} r @param {number} from @param {number} to */
const between = (r, from, to) =>
  ["worker", "reviewer", "master"].includes(r.role) && r.ended_at !== null && r.ended_at >= from && r.ended_at <= to

/** @param {ModelRequest[]} requests */
function stepTimes(requests) {
  /** @type {Map<string, ModelRequest>} */
  const before = new Map()
  const times = []
  for (const r of requests) {
    const last = before.get(r.session)
    if (last?.ended_at) times.push(r.at - last.ended_at)
    before.set(r.session, r)
  }
  return times
}
