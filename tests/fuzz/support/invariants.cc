#include "fuzz/support/invariants.h"

#include <algorithm>
#include <set>

#include "codec/binary.h"
#include "codec/message.h"
#include "core/state/path_claims.h"
#include "core/state/sessions.h"
#include "core/state/tasks.h"
#include "fuzz/support/require.h"
#include "orchestrator/step.h"

namespace orchestrator::fuzz {
namespace {

void check_slots(const State& before, const State& after) {
  const std::size_t slots = core::slots_used(after);
  if (slots <= core::slots_used(before)) return;
  REQUIRE(slots <= std::max(after.parallel, before.parallel), std::to_string(slots));
}

/// Nothing is prompted after a stop, or while a person is awaited.
void check_silence(const State& after, const Effects& effects) {
  const bool silent = after.phase == Phase::cancelled || after.phase == Phase::paused;
  for (const Effect& effect : effects) {
    const bool acts = std::holds_alternative<PromptSession>(effect) ||
                      std::holds_alternative<CreateSession>(effect);
    REQUIRE(!silent || !acts, std::string(to_name(after.phase)));
    if (const auto* prompt = std::get_if<PromptSession>(&effect)) {
      REQUIRE(!prompt->session.empty() && !prompt->agent.empty());
    }
  }
}

void check_running(const State& before, const State& after) {
  std::vector<const Task*> running;
  std::set<TaskId> ids;
  for (const Task& task : after.tasks) {
    REQUIRE(ids.insert(task.id).second, task.id.value);
    if (task.status != TaskStatus::running) continue;
    for (const Task* other : running) {
      REQUIRE(!core::claims_overlap(task.files, other->files), task.id.value);
    }
    running.push_back(&task);
    const Task* was = find_task(before, task.id);
    if (was == nullptr || core::is_in_work(was->status)) continue;
    for (const TaskId& dep : task.deps) {
      const Task* found = find_task(after, dep);
      REQUIRE(found == nullptr || core::is_settled(found->status), task.id.value);
    }
    REQUIRE(was->status != TaskStatus::done, task.id.value);
  }
}

void check_sessions(const State& after) {
  std::set<std::pair<Role, TaskId>> alive;
  for (const Session& session : after.sessions) {
    if (core::holds_slot(session)) REQUIRE(session.timer != 0, session.id.value);
    if (session.state == SessionState::held) REQUIRE(session.timer == 0, session.id.value);
    // A session that waits for the budget has a running turn; otherwise it would wait for ever.
    REQUIRE(session.metering.request.waiting.empty() || core::is_busy(session), session.id.value);
    if (session.state == SessionState::ended) continue;
    REQUIRE(is_active(after.phase) || after.phase == Phase::sealed);
    REQUIRE(session.role == Role::reviewer || core::is_busy(session) ||
                alive.insert({session.role, session.task}).second,
            session.task.value);
  }
}

/// Limits are there, and not above the user's own.
void check_models(const State& after) {
  REQUIRE(after.parallel >= 1 && after.parallel <= std::max(after.parallel_max, 1U));
  for (const ModelLoad& load : after.limiter.models) {
    REQUIRE(load.limit >= 1 && load.limit <= std::max(after.parallel_max, 1U), load.model);
    const auto cap = after.options.parallel.per_model.find(load.model);
    REQUIRE(cap == after.options.parallel.per_model.end() || load.limit <= cap->second, load.model);
  }
}

}  // namespace

void check_step(const State& before, const State& after, const Effects& effects) {
  check_slots(before, after);
  check_silence(after, effects);
  check_running(before, after);
  check_sessions(after);
  check_models(after);
  if (after.phase == Phase::sealed) REQUIRE(core::all_settled(after));
  REQUIRE(progress_title(after).size() <= 120, progress_title(after));
}

void check_state(const State& state) {
  const std::string bytes = codec::encode(state);
  State again;
  std::string error;
  REQUIRE(codec::decode(bytes, again, &error), error);
  REQUIRE(codec::encode(again) == bytes);
  codec::Problems problems;
  REQUIRE(codec::parse_state(codec::dump_state(state), again, problems),
          codec::to_string(problems));
  REQUIRE(codec::encode(again) == bytes);
  REQUIRE(status_text(state).size() <= 1000);
  (void)todo_markdown(state);
}

}  // namespace orchestrator::fuzz
