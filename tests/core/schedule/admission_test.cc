// What a task waits for is one answer: the scheduler acts on it, list_tasks and a blocked mission
// show it.

#include "core/schedule/admission.h"

#include <gtest/gtest.h>

#include "core/support/fake_host.h"
#include "orchestrator/step.h"

namespace orchestrator::test {
namespace {

using core::admit;
using core::Wait;
using core::wait_text;

Task task_of(const char* id, TaskStatus status, std::vector<std::string> files = {}) {
  Task task;
  task.id = TaskId(id);
  task.title = std::string("Title of ") + id;
  task.status = status;
  task.files = std::move(files);
  return task;
}

State running_mission() {
  State state;
  state.mission = MissionId("m-admission");
  state.phase = Phase::executing;
  state.parallel = state.parallel_max = 2;
  return state;
}

std::string why(const State& state, const char* id) {
  return wait_text(admit(state, 0, *find_task(state, TaskId(id))));
}

TEST(Admission, NamesTheTasksThatATaskWaitsFor) {
  State state = running_mission();
  state.tasks = {task_of("T1", TaskStatus::running, {"src/a.js"}),
                 task_of("T2", TaskStatus::ready, {"src/a.js"}), task_of("T3", TaskStatus::pending),
                 task_of("T4", TaskStatus::ready, {"b.js"})};
  state.tasks[2].deps = {TaskId("T1"), TaskId("T2")};
  EXPECT_EQ(why(state, "T2"), "waits for files of T1");
  EXPECT_EQ(why(state, "T3"), "waits for T1, T2");
  EXPECT_EQ(why(state, "T4"), "");
  EXPECT_EQ(why(state, "T1"), "") << "it is at work";
  const std::string list = task_list_text(state, {});
  EXPECT_NE(list.find("T2 Title of T2: ready, waits for files of T1\n"), std::string::npos) << list;
  EXPECT_NE(list.find("T3 Title of T3: pending, waits for T1, T2\n"), std::string::npos) << list;
}

TEST(Admission, NamesATasksOwnReasonBeforeASharedOne) {
  State state = running_mission();
  state.tasks = {task_of("T1", TaskStatus::running, {"a"}), task_of("T2", TaskStatus::ready, {"a"}),
                 task_of("T3", TaskStatus::ready, {"b"}), task_of("T4", TaskStatus::submitted)};
  for (int i = 0; i < 2; ++i) {
    Session session;
    session.id = SessionId("s" + std::to_string(i));
    session.role = Role::worker;
    session.state = SessionState::working;
    state.sessions.push_back(session);
  }
  EXPECT_EQ(why(state, "T2"), "waits for files of T1");
  EXPECT_EQ(why(state, "T3"), "waits for a free session");
  EXPECT_EQ(why(state, "T4"), "waits for a free session");
  state.sessions.pop_back();
  EXPECT_EQ(why(state, "T3"), "");
  EXPECT_EQ(why(state, "T4"), "");
}

TEST(Admission, AReviewWaitsForWorkersWhereTheUserWantsThat) {
  State state = running_mission();
  state.options.review.shadow = ShadowReview::off;
  state.tasks = {task_of("T1", TaskStatus::running, {"a"}), task_of("T2", TaskStatus::submitted)};
  EXPECT_EQ(why(state, "T2"), "its review waits until no Worker works");
  state.tasks[0].status = TaskStatus::done;
  EXPECT_EQ(why(state, "T2"), "");
}

TEST(Admission, ABudgetAndAnAcceptedTaskAreNamed) {
  State state = running_mission();
  state.tasks = {task_of("T1", TaskStatus::ready), task_of("T2", TaskStatus::reviewing)};
  state.budget.tokens_max = state.budget.tokens = 1000;
  state.tasks[1].worktree.merge = MergeState::waiting;
  EXPECT_EQ(why(state, "T1"), "waits for the budget");
  EXPECT_EQ(why(state, "T2"), "waits to be merged");
}

}  // namespace
}  // namespace orchestrator::test
