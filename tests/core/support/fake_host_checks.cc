#include <gtest/gtest.h>

#include <algorithm>

#include "codec/binary.h"
#include "core/schedule/schedule.h"
#include "core/sessions/recovery.h"
#include "core/state/path_claims.h"
#include "core/state/races.h"
#include "core/state/sessions.h"
#include "core/state/tasks.h"
#include "core/support/fake_host.h"

/// What must hold after every step of a mission in the unit tests.
namespace orchestrator::test {

void FakeHost::check(const State& before, const Effects& effects) {
  EXPECT_EQ(validate_state(state), "") << "a state that `step` has made would not be loaded again";
  const std::size_t slots = core::slots_used(state);
  if (slots > core::slots_used(before)) {
    EXPECT_LE(slots, std::max(state.parallel, before.parallel)) << "too many sessions at once";
  }
  const bool silent = state.phase == Phase::cancelled || state.phase == Phase::paused;
  for (const Effect& effect : effects) {
    const bool acts = std::holds_alternative<PromptSession>(effect) ||
                      std::holds_alternative<CreateSession>(effect);
    EXPECT_FALSE(silent && acts) << "a prompt while " << to_name(state.phase);
  }
  for (std::size_t i = 0; i < state.tasks.size(); ++i) {
    const Task& one = state.tasks[i];
    if (one.status != TaskStatus::running) continue;
    for (const TaskId& dep : one.deps) {
      const Task* found = find_task(state, dep);
      // What was begun goes on even if a dropped dependency of it is put back.
      EXPECT_TRUE(found == nullptr || core::is_settled(found->status) ||
                  core::is_in_work(find_task(before, one.id)->status))
          << one.id.value << " runs before " << dep.value;
    }
    for (std::size_t k = i + 1; k < state.tasks.size(); ++k) {
      const Task& other = state.tasks[k];
      // A task that is raced does nothing itself: its runs do.
      if (other.status != TaskStatus::running || one.race.running || other.race.running) continue;
      const bool kin =
          core::is_subtask_of(state, one, other.id) || core::is_subtask_of(state, other, one.id) ||
          core::isolated_from(state, one, other) || core::isolated_from(state, other, one);
      EXPECT_FALSE(!kin && core::claims_overlap(one.files, other.files))
          << one.id.value << " and " << other.id.value << " run with the same files";
    }
    EXPECT_LE(std::ranges::count_if(state.sessions,
                                    [&](const Session& session) {
                                      return session.role == Role::worker &&
                                             session.task == one.id &&
                                             session.state != SessionState::ended;
                                    }),
              1)
        << one.id.value << " has two Workers";
  }
  if (state.phase == Phase::sealed) {
    EXPECT_TRUE(core::all_settled(state)) << "sealed with open tasks";
  }
  for (const Session& session : state.sessions) {
    const bool waits = core::holds_slot(session);
    EXPECT_TRUE(!waits || session.timer != 0) << "a slot without a timer";
  }
}

namespace {

std::string first_move(const MovesMade& moves) {
  const auto words = [](const std::string& what, auto from, auto to) {
    return what + " from " + std::string(to_name(from)) + " to " + std::string(to_name(to));
  };
  if (!moves.tasks.empty()) return words("a task", moves.tasks[0].from, moves.tasks[0].to);
  if (!moves.sessions.empty())
    return words("a session", moves.sessions[0].from, moves.sessions[0].to);
  return "a phase";
}

}  // namespace

/// Scheduling is skipped where nothing has moved: that must never be wrong.
void FakeHost::check_fixpoint() const {
  if (!is_running(state.phase) || state.dormant || core::is_recovering(state)) return;
  State again = state;
  MovesMade moves;
  core::Context ctx{again, now, {}, &moves};
  ctx.moved = ctx.graph_moved = true;
  core::schedule(ctx);
  const bool idle = moves.phases.empty() && moves.tasks.empty() && moves.sessions.empty();
  EXPECT_TRUE(idle && ctx.effects.empty())
      << "something could have been scheduled after " << type_of(log.back().what) << ", e.g. "
      << (ctx.effects.empty() ? first_move(moves)
                              : std::visit([](const auto& e) { return std::string(e.kType); },
                                           ctx.effects.front()));
}

void FakeHost::check_standstill() const {
  std::string standing;
  for (const Worktree& tree : state.worktrees.trees)
    standing += tree.name + " of " + tree.task.value + ": " + std::string(to_name(tree.state)) +
                (tree.opened ? ", opened\n" : "\n");
  EXPECT_FALSE(is_running(state.phase) && !state.dormant)
      << "nothing is due any more, and the mission is " << status_text(state)
      << task_list_text(state, std::nullopt) << standing;
}

void FakeHost::check_replay() const {
  State again;
  for (const Event& event : log) (void)step(again, event);
  EXPECT_EQ(codec::encode(again), codec::encode(state)) << "the log does not give the state";
}

}  // namespace orchestrator::test
