#include "sim/checker.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "codec/binary.h"
#include "codec/json.h"
#include "core/models/budget.h"
#include "core/models/limiter.h"
#include "core/state/checkouts.h"
#include "core/state/path_claims.h"
#include "core/state/races.h"
#include "core/state/sessions.h"
#include "core/state/tasks.h"
#include "orchestrator/step.h"
#include "runtime/history/snapshot_file.h"
#include "sim/violation.h"

namespace orchestrator::sim {
namespace {

void require(bool holds, const char* invariant, const std::string& text) {
  if (!holds) throw Violation{invariant, text};
}

/// The first place where they differ, for people.
std::string difference(const State& a, const State& b) {
  const std::string left = codec::dump(a);
  const std::string right = codec::dump(b);
  const std::size_t shorter = std::min(left.size(), right.size());
  std::size_t at = 0;
  while (at < shorter && left[at] == right[at]) ++at;
  const std::size_t start = at < 60 ? 0 : at - 60;
  return "\n  " + left.substr(start, 120) + "\n  " + right.substr(start, 120);
}

template <class T>
bool is_any(const Effect& effect) {
  return std::holds_alternative<T>(effect);
}

}  // namespace

State Checker::replayed(std::uint64_t events) const {
  State state;
  for (std::uint64_t i = 0; i < events; ++i) (void)step(state, course_.events[i]);
  return state;
}

void Checker::check_replay() const {
  if (state_ == nullptr || course_.events.empty() || state_->mission != course_.mission) return;
  if (!is_active(state_->phase)) return;  // what is over may still be spoken to, unlogged
  if (outage_) return;                    // the files could not be read back yet, or hold less
  const State again = replayed(course_.events.size());
  require(codec::encode(again) == codec::encode(*state_), "live state = replayed state",
          "the log does not give the live state: " + difference(again, *state_));
}

void Checker::note_snapshot(const std::string* snapshot) {
  snapshot_ = {};
  if (snapshot == nullptr || !damaged_) return;
  const auto found = runtime::parse_snapshot(*snapshot, "");
  if (found.ok() && found.value().state)
    snapshot_ = {found.value().state->mission, found.value().state->last_seq};
}

void Checker::loaded(const State& state) {
  const bool taken_back = std::exchange(outage_, false);
  const bool damaged = std::exchange(damaged_, false);
  if (!keeps_events_) {
    state_ = &state;
    phase_ = state.phase;
    return;
  }
  if (course_.mission.empty() && state.mission.empty()) return;
  const std::uint64_t last = state.last_seq;
  if (state.mission != course_.mission) {
    require((damaged && snapshot_.first != course_.mission) || course_.visible == 0,
            "nothing acknowledged is lost",
            "mission " + course_.mission.value + " is gone, and \"" + state.mission.value +
                "\" is there instead");
    if (state.mission != before_.mission) return;
    course_ = std::exchange(before_, {});
    --missions_;
  }
  while (last > course_.events.size() && !taken_back_.empty()) {
    course_.events.push_back(taken_back_.front());
    course_.syncs_at.push_back(disk_.log_syncs());
    taken_back_.erase(taken_back_.begin());
  }
  require(last <= course_.events.size(), "recovery invents nothing",
          "event " + std::to_string(last) + " was recovered, and " +
              std::to_string(course_.events.size()) + " have happened");
  const std::uint64_t kept = snapshot_.first == course_.mission ? snapshot_.second : 0;
  require(last >= (damaged ? kept : course_.visible), "nothing acknowledged is lost",
          "event " + std::to_string(damaged ? kept : course_.visible) +
              (damaged ? " was in the snapshot" : " had been seen outside") +
              ", and the recovery ends at " + std::to_string(last));
  const State expected = replayed(last);
  require(codec::encode(expected) == codec::encode(state), "live state = replayed state",
          "what was recovered is not what had happened: " + difference(expected, state));
  taken_back_.clear();
  if (taken_back)
    taken_back_.assign(course_.events.begin() + static_cast<std::ptrdiff_t>(last),
                       course_.events.end());
  course_.events.resize(last);
  course_.syncs_at.resize(last);
  course_.durable = std::min(course_.durable, last);
  course_.visible = std::min(course_.visible, last);
  statuses_.clear();
  for (const Task& task : state.tasks) statuses_[task.id] = task.status;
  slots_ = 0;
  parallel_ = state.parallel;
  load_ = state.limiter.load;
  asked_at_once_.clear();
  phase_ = state.phase;
  state_ = &state;
}

void Checker::begin_mission(const Event& event) {
  if (course_.visible > 0) before_ = std::move(course_);
  course_ = Course{};
  course_.mission = std::get<MissionRequested>(event.what).mission;
  ++missions_;
  effect_cause_.clear();
  request_cause_.clear();
  statuses_.clear();
  slots_ = 0;
}

void Checker::stepped(const State& state, const Event& event, const Effects& effects, bool logged) {
  state_ = &state;
  damaged_ = damaged_ && disk_.is_damaged(course_.mission.value);
  const Phase phase_before = std::exchange(phase_, state.phase);
  if (!logged) {
    check_effects(state, effects);
    return;
  }
  if (!keeps_events_) {
    if (std::holds_alternative<MissionRequested>(event.what)) ++missions_;
    ++unkept_;
    check_limits(state);
    check_running(state);
    return;
  }
  if (std::holds_alternative<MissionRequested>(event.what) && event.seq == 1) {
    require(damaged_ || course_.visible == 0 || !is_active(phase_before),
            "nothing acknowledged is lost",
            "a mission begins while " + course_.mission.value + " is " +
                std::string(to_name(phase_before)));
    begin_mission(event);
  }
  require(event.seq == course_.events.size() + 1, "events are numbered without a gap",
          "event " + std::to_string(event.seq) + " follows event " +
              std::to_string(course_.events.size()));
  outage_ = false;
  taken_back_.clear();
  course_.events.push_back(event);
  course_.syncs_at.push_back(disk_.log_syncs());
  note_causes(event, effects);
  check_limits(state);
  check_tasks(state);
  check_running(state);
  check_spending(state, event, phase_before);
  check_effects(state, effects);
  if (state.phase == Phase::sealed) check_seal(state);
}

void Checker::note_causes(const Event& event, const Effects& effects) {
  for (const Effect& effect : effects) {
    std::visit(
        [&](const auto& e) {
          if constexpr (requires { e.effect; }) effect_cause_[e.effect] = event.seq;
          if constexpr (requires { e.request; }) request_cause_[e.request] = event.seq;
        },
        effect);
  }
}

void Checker::check_limits(const State& state) {
  const LimitOptions& limits = state.options.limits;
  const auto within = [](std::uint64_t value, std::uint64_t most, const std::string& what) {
    require(value <= most, "limits are never exceeded",
            what + ": " + std::to_string(value) + " of at most " + std::to_string(most));
  };
  const std::size_t slots = core::slots_used(state);
  if (slots > slots_) within(slots, std::max(state.parallel, parallel_), "sessions at once");
  if (slots > slots_ && load_ == Load::critical && state.limiter.load == Load::critical)
    within(slots, 1, "sessions on a machine that can do no more");
  slots_ = slots;
  parallel_ = state.parallel;
  load_ = state.limiter.load;
  check_models(state);
  within(state.parallel, std::max(state.parallel_max, 1U), "parallel");
  within(state.iteration, limits.iterations, "iterations");
  within(state.plan.attempts, limits.attempts, "planners");
  within(state.master_review.attempts, limits.attempts, "master reviewers");
  within(state.commander.continuations, limits.continuations + 1, "continuations of the Commander");
  for (const Task& task : state.tasks) {
    within(task.attempt, limits.attempts, "attempts of " + task.id.value);
    within(task.review.attempts, limits.attempts, "reviewers of " + task.id.value);
  }
  for (const Session& session : state.sessions) {
    if (session.state == SessionState::ended) continue;
    within(session.lease.continuations, limits.continuations,
           "continuations of " + session.id.value);
    require(!core::holds_slot(session) || session.timer != 0, "a slot has a timer",
            "session " + session.id.value + " of " + session.task.value +
                " holds a slot in state " + std::string(to_name(session.state)) +
                ", and nothing watches it");
  }
}

/// The user's caps by model.
void Checker::check_models(const State& state) {
  for (const auto& [model, most] : state.options.parallel.per_model) {
    const auto now = static_cast<std::size_t>(
        std::ranges::count_if(state.sessions, [&, &name = model](const Session& session) {
          return core::holds_slot(session) && core::model_of(state, session) == name;
        }));
    const std::size_t before = std::exchange(asked_at_once_[model], now);
    if (now <= before || now <= most) continue;
    std::string text =
        "sessions of " + model + ": " + std::to_string(now) + " of at most " + std::to_string(most);
    for (const Session& session : state.sessions) {
      if (!core::holds_slot(session)) continue;
      text += "; " + session.id.value + " of " + session.task.value + " " +
              std::string(to_name(session.state)) + ", " + core::model_of(state, session) +
              " (asked " + session.model_use.named + ", told " + session.model_use.told + ")";
    }
    require(false, "limits are never exceeded", text);
  }
}

/// What a person says to a Commander whose mission has stopped is theirs to pay for; and what a
/// session was about to answer when it adopted the mission was asked for before.
void Checker::check_spending(const State& state, const Event& event, Phase before) {
  if (const auto* asked = std::get_if<RequestAsked>(&event.what);
      asked != nullptr && asked->session == state.root_session)
    root_ = state.root_session;
  const auto* ended = std::get_if<TurnEnded>(&event.what);
  if (ended == nullptr || !spends_as_told_ || !core::over_cap(state.budget)) return;
  const bool of_root = ended->session == state.root_session;
  spends_as_told_ = false;
  require(of_root && (!is_running(before) || root_ != state.root_session),
          "spending stays under the cap", core::spent_text(state));
}

void Checker::check_tasks(const State& state) {
  for (const Task& task : state.tasks) {
    TaskStatus& known = statuses_.try_emplace(task.id, TaskStatus::pending).first->second;
    if (known == task.status) continue;
    require(known != TaskStatus::done, "nothing finished runs again",
            task.id.value + " was done, and is " + std::string(to_name(task.status)));
    known = task.status;
  }
  for (const Task& task : state.tasks) {
    if (task.race.running) races_.emplace(state.mission, task.id);
  }
}

void Checker::check_running(const State& state) const {
  // The tasks of a mission that was stopped keep their status while their worktrees go.
  if (!is_running(state.phase)) return;
  for (std::size_t i = 0; i < state.tasks.size(); ++i) {
    const Task& one = state.tasks[i];
    if (one.status != TaskStatus::running) continue;
    for (std::size_t k = i + 1; k < state.tasks.size(); ++k) {
      const Task& other = state.tasks[k];
      if (other.status != TaskStatus::running) continue;
      // A task that is raced does nothing itself: its entrants do, each in a worktree of its own.
      if (one.race.running || other.race.running) continue;
      const bool kin =
          core::is_subtask_of(state, one, other.id) || core::is_subtask_of(state, other, one.id) ||
          core::isolated_from(state, one, other) || core::isolated_from(state, other, one);
      // In worktrees the plan's files keep tasks apart; what was written beside is merged.
      const bool apart = !core::directory_of(state, one.id).empty() ||
                         !core::directory_of(state, other.id).empty();
      const bool overlap =
          apart ? core::claims_overlap(one.files, other.files) : core::claims_overlap(one, other);
      require(kin || !overlap, "running tasks have no file in common",
              one.id.value + " and " + other.id.value + " run with overlapping claims");
    }
    const auto workers = std::ranges::count_if(state.sessions, [&](const Session& session) {
      return session.role == Role::worker && session.task == one.id &&
             session.state != SessionState::ended;
    });
    require(workers <= 1, "no task runs twice at once",
            one.id.value + " has " + std::to_string(workers) + " Workers");
  }
}

void Checker::check_effects(const State& state, const Effects& effects) const {
  const bool silent = state.phase == Phase::cancelled || state.phase == Phase::paused;
  for (const Effect& effect : effects) {
    const auto* prompt = std::get_if<PromptSession>(&effect);
    const auto* create = std::get_if<CreateSession>(&effect);
    const bool acts = prompt != nullptr || create != nullptr;
    require(
        !silent || !acts, "nothing is prompted after a stop",
        "a prompt while the mission is " + std::string(to_name(state.phase)) + ": " + state.reason);
    const Session* session = prompt == nullptr ? nullptr : find_session(state, prompt->session);
    if (session != nullptr && session->state == SessionState::prompting) {
      const std::string model = core::model_of(state, *session);
      const auto load = std::ranges::find(state.limiter.models, model, &ModelLoad::model);
      require(load == state.limiter.models.end() || load->breaker != Breaker::open,
              "no session is sent to a model in its cooldown",
              session->id.value + " is sent to \"" + model + "\"");
    }
    TaskId worked;
    if (session != nullptr && session->role == Role::worker) worked = session->task;
    if (create != nullptr && create->role == Role::worker) worked = create->task;
    if (worked.empty()) continue;
    const Task* task = find_task(state, worked);
    require(task != nullptr && task->status == TaskStatus::running, "only what runs is worked on",
            "a Worker is sent to " + worked.value + ", which is " +
                (task == nullptr ? "gone" : std::string(to_name(task->status))));
  }
}

void Checker::check_seal(const State& state) const {
  for (const Task& task : state.tasks) {
    require(core::is_settled(task.status), "seal only when every task is done or dropped",
            task.id.value + " is " + std::string(to_name(task.status)));
    require(task.status != TaskStatus::done || task.review.accepted_manually ||
                task.review.proved_by == task.spec.verify,
            "seal only with every receipt in place", task.id.value + " is done without its proof");
  }
  require(state.master_review.proved_by == state.plan.verify,
          "seal only with every receipt in place", "the whole was sealed without its proof");
  check_merged(state);
}

/// What is done in worktrees is in the project, and nothing of it was undone since.
void Checker::check_merged(const State& state) const {
  const std::string& integrated = state.worktrees.integrated;
  if (integrated.empty()) return;
  for (const Task& task : state.tasks) {
    if (task.status != TaskStatus::done || task.worktree.commit.empty()) continue;
    // Where git cannot merge what a person has accepted, a toast names the commit.
    if (task.review.accepted_manually) continue;
    require(task.worktree.merge == MergeState::none &&
                git_.has_work_of(integrated, task.worktree.commit),
            "what is sealed was merged",
            task.id.value + " is done, and " + integrated + " has not its commit " +
                task.worktree.commit);
  }
  const opencode_model::Files& merged = git_.files_of(integrated);
  for (const std::string& path : opencode_model::differing(merged, git_.project())) {
    // Texts are numbered in the order in which they were written.
    require(opencode_model::text_in(git_.project(), path) > opencode_model::text_in(merged, path),
            "what is sealed was merged", path + " in the project is older than what was merged");
  }
}

void Checker::require_durable(std::uint64_t seq, std::string_view what) {
  if (seq == 0 || seq > course_.events.size()) return;
  course_.visible = std::max(course_.visible, seq);
  if (seq <= course_.durable) return;
  const bool synced = disk_.whole_sync(course_.mission.value) > course_.syncs_at[seq - 1];
  require(synced, "no effect before its event is durable",
          std::string(what) + " leaves, and event " + std::to_string(seq) + " is not on disk");
  course_.durable = seq;
}

void Checker::shown(const Effect& effect) {
  std::uint64_t cause = 0;
  bool known = false;
  std::visit(
      [&](const auto& e) {
        if constexpr (requires { e.effect; }) {
          const auto it = effect_cause_.find(e.effect);
          known = it != effect_cause_.end();
          cause = known ? it->second : 0;
        } else if constexpr (requires { e.request; }) {
          const auto it = request_cause_.find(e.request);
          known = it != request_cause_.end();
          cause = known ? it->second : 0;
        }
      },
      effect);
  // Where the log could not be written, nothing has happened: the refusal says so.
  const auto* reply = std::get_if<Reply>(&effect);
  if (reply != nullptr && !reply->ok && reply->text.starts_with("Not done")) return;
  const std::string_view type = std::visit([](const auto& e) { return e.kType; }, effect);
  // A toast about files that cannot be read is no event's effect.
  const auto* toast = std::get_if<ShowToast>(&effect);
  const bool plain =
      is_any<AbortSession>(effect) || (toast != nullptr && toast->text.starts_with("Mission "));
  if (plain && outage_) return;
  if (known || plain) require_durable(plain ? course_.events.size() : cause, type);
}

void Checker::shown_progress() { require_durable(course_.events.size(), "progress"); }

void Checker::check_files() const {
  for (const std::string& name : disk_.files()) {
    if (!name.ends_with("/mission_loop.json") && !name.ends_with("/todo.md")) continue;
    require(disk_.is_whole(name), "no file is ever half-written", name + " is a mix");
  }
}

}  // namespace orchestrator::sim
