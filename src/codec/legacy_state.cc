#include "codec/legacy_state.h"

#include <utility>

/// One table for both directions: each line names a field of old and the field that has taken its
/// place.
namespace orchestrator::codec::legacy {
namespace {

template <class Move>
void pair(Task& old, orchestrator::Task& now, const Move& move);
template <class Move>
void pair(Session& old, orchestrator::Session& now, const Move& move);
template <class Move>
void pair(ModelLoad& old, orchestrator::ModelLoad& now, const Move& move);
template <class Move>
void pair(Worktree& old, orchestrator::Worktree& now, const Move& move);

struct FromLegacy {
  template <class Field>
  void operator()(Field& old, Field& now) const {
    now = std::move(old);
  }
  template <class Old, class Now>
  void each(std::vector<Old>& old, std::vector<Now>& now) const {
    now.resize(old.size());
    for (std::size_t i = 0; i < old.size(); ++i) pair(old[i], now[i], *this);
  }
};

struct ToLegacy {
  template <class Field>
  void operator()(Field& old, Field& now) const {
    old = std::move(now);
  }
  template <class Old, class Now>
  void each(std::vector<Old>& old, std::vector<Now>& now) const {
    old.resize(now.size());
    for (std::size_t i = 0; i < now.size(); ++i) pair(old[i], now[i], *this);
  }
};

template <class Move>
void pair(Task& old, orchestrator::Task& now, const Move& move) {
  move(old.id, now.id);
  move(old.title, now.title);
  move(old.agent, now.agent);
  move(old.status, now.status);
  move(old.attempt, now.attempt);
  move(old.deps, now.deps);
  move(old.files, now.files);
  move(old.session, now.session);
  move(old.summary, now.summary);
  move(old.description, now.spec.description);
  move(old.accept, now.spec.accept);
  move(old.verify, now.spec.verify);
  move(old.race, now.spec.strategies);
  move(old.note, now.note);
  move(old.findings, now.review.findings);
  move(old.touched, now.progress.touched);
  move(old.rejections, now.review.rejections);
  move(old.review_attempts, now.review.attempts);
  move(old.retries, now.progress.retries);
  move(old.iteration, now.iteration);
  move(old.proved_by, now.review.proved_by);
  move(old.started_ms, now.started_ms);
  move(old.ended_ms, now.ended_ms);
  move(old.on_word, now.review.accepted_manually);
  move(old.proofs, now.review.proofs);
  move(old.last_written, now.progress.last_written);
  move(old.looked_at, now.review.early_review_attempt);
  move(old.diagnosis, now.review.diagnosis);
  move(old.refused_errors, now.progress.refused_errors);
  move(old.refused_same, now.progress.refused_same);
  move(old.refused_diagnoses, now.progress.refused_diagnoses);
  move(old.losses, now.progress.sessions_lost);
  move(old.tokens, now.tokens);
  move(old.usd, now.usd);
  move(old.wants, now.progress.blocked_path);
  move(old.waits_for, now.progress.blocked_by);
  move(old.gave_way, now.progress.preemptions);
  move(old.parent, now.parent);
  move(old.commit, now.worktree.commit);
  move(old.merge, now.worktree.merge);
  move(old.brings, now.worktree.resolves_conflict_of);
  move(old.tree_base, now.worktree.base);
  move(old.strategy, now.race.strategy);
  move(old.racing, now.race.running);
}

template <class Move>
void pair(Session& old, orchestrator::Session& now, const Move& move) {
  move(old.id, now.id);
  move(old.role, now.role);
  move(old.task, now.task);
  move(old.state, now.state);
  move(old.agent, now.agent);
  move(old.attempt, now.attempt);
  move(old.effect, now.effect);
  move(old.continuations, now.lease.continuations);
  move(old.refusals, now.lease.refusals);
  move(old.submitted, now.lease.submitted);
  move(old.errored, now.turn.premature_idle_due);
  move(old.failed, now.turn.failed);
  move(old.compacted, now.lease.compacted);
  move(old.prompt, now.lease.prompt);
  move(old.timer, now.timer);
  move(old.tokens, now.tokens);
  move(old.usd, now.usd);
  move(old.started_ms, now.started_ms);
  move(old.seen_ms, now.seen_ms);
  move(old.began, now.lease.began);
  move(old.inspecting, now.turn.inspecting);
  move(old.inspections, now.turn.inspections);
  move(old.leased_ms, now.lease.since_ms);
  move(old.parent, now.parent);
  move(old.sent, now.lease.sent);
  move(old.paid_message, now.metering.paid_message);
  move(old.denied, now.turn.denied);
  move(old.aborting, now.turn.aborting);
  move(old.first_look, now.lease.early_review);
  move(old.outcome, now.outcome);
  move(old.model_asked, now.model_use.named);
  move(old.model, now.model_use.told);
  move(old.fault, now.turn.error_class);
  move(old.faults, now.model_use.failures);
  move(old.asked_ms, now.metering.asked_ms);
  move(old.retrying, now.turn.retrying);
  move(old.tool_error, now.tool_errors.newest);
  move(old.tool_errors, now.tool_errors.repeats);
  move(old.tool_warnings, now.tool_errors.warnings);
  move(old.asked_missing, now.lease.asked_missing);
  move(old.wrote, now.lease.wrote);
  move(old.reserved_tokens, now.metering.reserved.tokens);
  move(old.reserved_usd, now.metering.reserved.usd);
  move(old.answer_tokens, now.metering.answer.tokens);
  move(old.answer_bytes, now.metering.answer.bytes);
  move(old.request_bytes, now.metering.request.bytes);
  move(old.asking, now.metering.request.waiting);
  move(old.asking_output, now.metering.request.output_max);
  move(old.asking_input_usd, now.metering.request.input_usd);
  move(old.asking_output_usd, now.metering.request.output_usd);
  move(old.answer_model, now.metering.answer.model);
  move(old.asking_model, now.metering.request.model);
  move(old.refusal, now.lease.refusal);
  move(old.after_submission, now.lease.after_submission);
}

template <class Move>
void pair(Commander& old, orchestrator::Commander& now, const Move& move) {
  move(old.waiting, now.waiting);
  move(old.background, now.background);
  move(old.busy, now.turn.busy);
  move(old.continued, now.turn.continued);
  move(old.errored, now.turn.premature_idle_due);
  move(old.owed, now.owed);
  move(old.early_ends, now.early_ends);
  move(old.continuations, now.continuations);
  move(old.effect, now.effect);
  move(old.timer, now.timer);
  move(old.prompted, now.turn.prompted);
  move(old.unanswered, now.turn.unanswered);
  move(old.paid_message, now.metering.paid_message);
  move(old.model, now.model);
  move(old.reserved_tokens, now.metering.reserved.tokens);
  move(old.reserved_usd, now.metering.reserved.usd);
  move(old.answer_tokens, now.metering.answer.tokens);
  move(old.answer_usd, now.metering.answer.usd);
  move(old.request_bytes, now.metering.request.bytes);
  move(old.answer_bytes, now.metering.answer.bytes);
  move(old.asking, now.metering.request.waiting);
  move(old.asking_output, now.metering.request.output_max);
  move(old.asking_input_usd, now.metering.request.input_usd);
  move(old.asking_output_usd, now.metering.request.output_usd);
  move(old.asked_ms, now.metering.asked_ms);
  move(old.closing, now.closing);
  move(old.answer_model, now.metering.answer.model);
  move(old.asking_model, now.metering.request.model);
  move(old.cut_off, now.turn.cut_off);
}

template <class Move>
void pair(ModelLoad& old, orchestrator::ModelLoad& now, const Move& move) {
  move(old.model, now.model);
  move(old.limit, now.limit);
  move(old.ceiling, now.ceiling);
  move(old.run, now.run);
  move(old.failures, now.failures);
  move(old.breaker, now.breaker);
  move(old.openings, now.trips);
  move(old.not_before_ms, now.not_before_ms);
  move(old.slowed_ms, now.slowed_ms);
  move(old.error, now.error);
  move(old.refused, now.refused);
  move(old.misses, now.misses);
}

template <class Move>
void pair(Limiter& old, orchestrator::Limiter& now, const Move& move) {
  move.each(old.models, now.models);
  move(old.seen, now.seen);
  move(old.load, now.load);
  move(old.load_why, now.load_why);
  move(old.run, now.run);
  move(old.slowed_ms, now.slowed_ms);
  move(old.timer, now.timer);
  move(old.timer_at_ms, now.timer_at_ms);
}

template <class Move>
void pair(Worktree& old, orchestrator::Worktree& now, const Move& move) {
  move(old.name, now.name);
  move(old.task, now.task);
  move(old.base, now.base);
  move(old.directory, now.directory);
  move(old.state, now.state);
  move(old.effect, now.effect);
  move(old.failures, now.failures);
  move(old.stale, now.stale);
  move(old.opened, now.opened);
  move(old.moves, now.moves);
}

template <class Move>
void pair(WorktreesState& old, orchestrator::WorktreesState& now, const Move& move) {
  move(old.wanted, now.wanted);
  move(old.checked, now.checked);
  move(old.problem, now.problem);
  move(old.notes, now.notes);
  move(old.effect, now.effect);
  move(old.integrated, now.integrated);
  move.each(old.trees, now.trees);
  move(old.named, now.named);
  move(old.step, now.step);
  move(old.merging, now.merging);
  move(old.merge_effect, now.merge_effect);
  move(old.theirs, now.theirs);
  move(old.merged, now.merged);
  move(old.tries, now.tries);
  move(old.timer, now.timer);
  move(old.races, now.races);
  move(old.starting, now.starting);
  move(old.starts_failed, now.starts_failed);
  move(old.spares_base, now.warm_base);
  move(old.for_spares, now.for_warm);
  move(old.no_spares, now.no_warm);
  move(old.clearing, now.clearing);
}

template <class Move>
void pair(Metrics& old, orchestrator::Metrics& now, const Move& move) {
  move(old.sessions, now.sessions);
  move(old.sessions_peak, now.sessions_peak);
  move(old.prompts, now.prompts);
  move(old.continuations, now.continuations);
  move(old.rejections, now.rejections);
  move(old.errors, now.errors);
  move(old.refusals, now.refusals);
  move(old.receipts, now.receipts);
  move(old.retries, now.retries);
  move(old.slowdowns, now.slowdowns);
  move(old.openings, now.trips);
  move(old.fallbacks, now.fallbacks);
}

template <class Move>
void pair(State& old, orchestrator::State& now, const Move& move) {
  move(old.mission, now.mission);
  move(old.phase, now.phase);
  move(old.reason, now.reason);
  move(old.objective, now.objective);
  move(old.root_session, now.root_session);
  move(old.iteration, now.iteration);
  move(old.started_at, now.started_at);
  move(old.updated_at, now.updated_at);
  move(old.last_seq, now.last_seq);
  move.each(old.tasks, now.tasks);
  move.each(old.sessions, now.sessions);
  move(old.budget, now.budget);
  pair(old.metrics, now.metrics, move);
  move(old.resume_phase, now.resume_phase);
  move(old.mode, now.mode);
  move(old.notes, now.plan.notes);
  move(old.acceptance, now.plan.acceptance);
  move(old.verify, now.plan.verify);
  move(old.verify_reason, now.plan.verify_reason);
  move(old.plan_summary, now.plan.summary);
  move(old.decisions, now.plan.decisions);
  move(old.agents, now.plan.agents);
  move(old.parallel, now.parallel);
  move(old.parallel_max, now.parallel_max);
  move(old.planner_attempts, now.plan.attempts);
  move(old.master_attempts, now.master_review.attempts);
  move(old.findings, now.master_review.findings);
  move(old.proved_by, now.master_review.proved_by);
  pair(old.commander, now.commander, move);
  move(old.receipts, now.receipts);
  move(old.deadline_timer, now.clock.deadline_timer);
  move(old.next_effect, now.clock.next_effect);
  move(old.next_timer, now.clock.next_timer);
  move(old.seed, now.seed);
  move(old.dormant, now.dormant);
  move(old.options, now.options);
  move(old.verify_asked, now.plan.verify_asked);
  move(old.unblocks, now.unblocks);
  move(old.recovery, now.recovery);
  move(old.permissions, now.permissions);
  move(old.stop_timer, now.clock.stop_timer);
  move(old.receipt_head, now.receipt_head);
  move(old.proofs, now.master_review.proofs);
  move(old.findings_by_iteration, now.master_review.findings_by_iteration);
  move(old.convergence_from, now.master_review.convergence_from);
  pair(old.governor, now.limiter, move);
  move(old.planner_losses, now.plan.sessions_lost);
  move(old.master_losses, now.master_review.sessions_lost);
  move(old.extreme, now.extreme);
  move(old.strays, now.unattributed);
  move(old.strays_left_out, now.unattributed_left_out);
  move(old.waiters, now.waiters);
  pair(old.worktrees, now.worktrees, move);
}

}  // namespace

orchestrator::State from_legacy(State old) {
  orchestrator::State state;
  pair(old, state, FromLegacy{});
  // Turns were ended by one more request to the model then; such a session closes without it.
  for (orchestrator::Session& session : state.sessions) {
    if (session.state == SessionState::parting) session.state = SessionState::closing;
  }
  return state;
}

State to_legacy(orchestrator::State state) {
  State old;
  pair(old, state, ToLegacy{});
  return old;
}

}  // namespace orchestrator::codec::legacy
