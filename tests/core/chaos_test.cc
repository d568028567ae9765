// Random missions with random faults, models and persons: whatever happens, what must hold at any
// time holds (see fake_host.cc), each mission ends or waits for a person, and the log gives the
// state. ORCH_CHAOS_SEEDS=n runs more of them, ORCH_CHAOS_FIRST=s begins at a seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>

#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

class Chaos {
 public:
  explicit Chaos(std::uint64_t seed)
      : random_(seed), host_(pick(2) == 0 ? HostMode::serve : HostMode::run) {
    host_.options.limits.attempts = 1 + pick(3);
    host_.options.limits.iterations = 1 + pick(3);
    host_.options.limits.continuations = 1 + pick(3);
    host_.options.parallel.initial = 1 + pick(4);
    host_.options.resume = pick(4) == 0 ? ResumePolicy::manual : ResumePolicy::automatic;
    host_.options.review.shadow = static_cast<ShadowReview>(pick(3));
    host_.plan = random_plan();
    host_.doubled = pick(4) == 0;
    badness_ = pick(4) == 0 ? 0 : pick(30);
    faults_ = pick(3) == 0 ? 0 : pick(8);
    script_faults();
    if (pick(3) == 0) spend();
    if (pick(3) == 0) fail_providers();
    for (const Role role :
         {Role::commander, Role::planner, Role::worker, Role::reviewer, Role::master_reviewer}) {
      host_.script(role, [this](Turn& turn) { act(turn); });
    }
  }

  /// Each task in a worktree, with a git that fails now and then, and people who write meanwhile.
  void isolate() {
    host_.options.isolation = Isolation::worktree;
    host_.git_fails = [this](const AskWorktrees& call) -> std::string {
      if (chance(10)) host_.touch("src/" + std::to_string(pick(3)) + "/new.cc");
      // What cannot be removed the next sweep removes.
      const bool may = call.call != TreeCall::check && call.call != TreeCall::remove;
      return may && chance(faults_) ? "git says no" : "";
    };
  }

  /// By `/extreme-mission`, half of them in the shared directory.
  void race() {
    host_.extreme = true;
    if (pick(2) == 0) host_.options.isolation = Isolation::shared;
  }

  /// Many at work at once.
  void crowd() {
    std::vector<TaskSpec> tasks;
    const std::uint32_t n = 16 + pick(14);
    for (std::uint32_t i = 0; i < n; ++i)
      tasks.push_back(task("T" + std::to_string(i), {}, {"f" + std::to_string(i)}));
    host_.plan = plan_of(tasks);
    host_.options.parallel.initial = host_.options.parallel.max = 30;
    host_.options.parallel.per_model.clear();
  }

  void expect_merged() {
    EXPECT_TRUE(host_.trees.empty()) << host_.trees.begin()->first << " still stands";
    if (host_.state.phase != Phase::sealed) return;
    for (const Task& raced : host_.state.tasks) {
      const auto won = std::ranges::count_if(host_.state.tasks, [&](const Task& run) {
        return run.parent == raced.id && !run.race.strategy.empty() &&
               run.status == TaskStatus::done;
      });
      EXPECT_LE(won, 1) << raced.id.value;
      EXPECT_FALSE(raced.race.running) << raced.id.value;
    }
    for (const Task& task : host_.state.tasks) {
      EXPECT_EQ(task.worktree.merge, MergeState::none) << task.id.value;
      if (task.status != TaskStatus::done || task.worktree.commit.empty()) continue;
      for (const std::string& path : task.progress.touched)
        EXPECT_TRUE(host_.project().contains(path)) << path << " of " << task.id.value;
    }
  }

  void run() {
    host_.task_command((pick(4) == 0 ? "build it --background" : "build it") + budget_);
    std::size_t at = 0;
    for (int i = 0; i < 6 && is_active(host_.state.phase); ++i) {
      at = host_.log.size() + 1 + pick(60);
      host_.run_to_event(at);
      if (pick(2) == 0) interfere();
    }
    host_.run();
    const int resumes_most = budget_.empty() ? 30 : 150;  // each grants the budget once more
    for (int i = 0; i < resumes_most && is_active(host_.state.phase); ++i) {
      if (i == 10) badness_ = faults_ = 0;  // people fix things in the end
      EXPECT_TRUE(is_waiting_for_a_person()) << status_text(host_.state);
      host_.resume("", SessionId(pick(3) == 0 ? "other" + std::to_string(i) : "root"));
      host_.run();
    }
    EXPECT_TRUE(!is_active(host_.state.phase)) << status_text(host_.state);
  }

 private:
  std::uint32_t pick(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }
  bool chance(std::uint32_t percent) { return pick(100) < percent; }

  bool is_waiting_for_a_person() const {
    return host_.state.phase == Phase::blocked || host_.state.phase == Phase::paused ||
           host_.state.dormant;
  }

  PlanArgs random_plan() {
    std::vector<TaskSpec> tasks;
    const std::uint32_t n = 1 + pick(8);
    for (std::uint32_t i = 0; i < n; ++i) {
      std::vector<std::string> deps;
      for (std::uint32_t k = 0; k < i; ++k) {
        if (pick(4) == 0) deps.push_back("T" + std::to_string(k));
      }
      std::vector<std::string> files;
      if (pick(3) == 0) files = {"src/" + std::to_string(pick(3)) + "/**"};
      tasks.push_back(task("T" + std::to_string(i), deps, files));
      if (pick(8) == 0) tasks.back().race = {"a", "b", "c"};
    }
    return plan_of(tasks);
  }

  void script_faults() {
    host_.lost = [this](const Happening& what) {
      const bool call =
          std::holds_alternative<RunCalled>(what) || std::holds_alternative<PlanSubmitted>(what) ||
          std::holds_alternative<WorkSubmitted>(what) ||
          std::holds_alternative<ReviewSubmitted>(what) ||
          std::holds_alternative<TodoUpdated>(what) || std::holds_alternative<TurnEnding>(what) ||
          std::holds_alternative<DelegateCalled>(what) ||
          std::holds_alternative<ResultAsked>(what) || std::holds_alternative<CancelCalled>(what) ||
          std::holds_alternative<CallAborted>(what) || std::holds_alternative<RequestAsked>(what) ||
          std::holds_alternative<DirectoryDisposed>(what) ||
          std::holds_alternative<DirectoryOpened>(what);  // each is answered in some way
      return !call && chance(faults_);
    };
    host_.open_fails = [this] { return chance(faults_); };
    host_.swallowed = [this](const PromptSession&) { return chance(faults_); };
    host_.goes_on = [this](const SessionId&) { return chance(10 * faults_); };
    host_.refused = [this](const Effect& effect) -> std::string {
      const bool asks = std::holds_alternative<PromptSession>(effect) ||
                        std::holds_alternative<CreateSession>(effect) ||
                        std::holds_alternative<InspectSession>(effect);
      return asks && chance(faults_) ? "the host says no" : "";
    };
  }

  /// A cap that most missions meet, and answers of any length.
  void spend() {
    budget_ = " --budget " + std::to_string(500 + pick(1'500)) + "ktok";
    host_.cost = [this](const FakeHost::Asked& asked) {
      return asked.bytes / 4 + 2'000 + pick(static_cast<std::uint32_t>(asked.output_max));
    };
    host_.answers_per_turn = 1 + static_cast<int>(pick(3));
  }

  void fail_providers() {
    host_.host_model = "p/m";
    if (pick(2) == 0) host_.options.fallback = {{"p/m", "p/other"}};
    if (pick(2) == 0) host_.options.parallel.per_model = {{"p/m", 1 + pick(3)}};
    host_.provider = [this](const SessionId&, const std::string&) -> std::string {
      if (!chance(badness_ / 2)) return "";
      constexpr std::array kSays{"429", "500", "503", "empty", "socket hang up", "invalid api key"};
      return kSays[pick(kSays.size())];
    };
  }

  void act(Turn& turn) {
    if (chance(badness_)) return misbehave(turn);
    switch (turn.role) {
      case Role::commander:
        if (host_.state.phase == Phase::blocked && chance(50)) change_plan(turn);
        if (is_running(host_.state.phase)) turn.mission_run();
        return;
      case Role::planner:
        turn.plan(host_.plan);
        return;
      case Role::worker:
        if (pick(3) == 0) {
          for (const char* path : {"one.cc", "two.cc"}) turn.write(turn.task.value + path);
          if (pick(2) == 0) return;  // it submits in a later turn
        }
        if (!delegates(turn)) turn.do_work();
        return;
      case Role::reviewer:
      case Role::master_reviewer:
        chance(badness_) ? turn.reject("it is red", pick(2) == 0 ? "src/x.cc" : "") : turn.pass();
        return;
      case Role::none:
        return;
    }
  }

  /// Whether a call of it waits now.
  bool delegates(Turn& turn) {
    if (host_.state.tasks.size() < 40 && chance(15)) {
      DelegateArgs part{"a part", "do it", "", {}, pick(2) == 0, {}};
      if (pick(4) == 0) part.race = {"x", "y"};
      if (pick(2) == 0) part.files = {"src/" + std::to_string(pick(3)) + "/part.cc"};
      const Answer answer = turn.delegate(part);
      if (!answer.given) return true;
    }
    const std::vector<Task> tasks = host_.state.tasks;
    for (const Task& part : tasks) {
      if (part.parent != turn.task) continue;
      if (chance(20)) turn.cancel(part.id.value);
      if (chance(70) && !turn.result(part.id.value).given) return true;
    }
    return false;
  }

  void misbehave(Turn& turn) {
    switch (pick(8)) {
      case 0:
        return;  // says something and ends
      case 1:
        return turn.fail();
      case 2:
        return turn.hang(turn.role != Role::commander);  // its tool call waits for a person
      case 3:
        return turn.hang(false);
      case 4:
        for (std::uint32_t i = pick(12); i > 0; --i)
          turn.work({TaskId("wrong"), "", {"/x"}, {}, {}});
        return;
      case 5:
        for (std::uint32_t i = pick(12); i > 0; --i) turn.review({});
        return;
      case 6:
        return change_plan(turn);
      case 7:
        turn.write("src/" + std::to_string(pick(3)) + "/new.cc");
        host_.deliver(SessionDeleted{turn.session});
        return turn.hang(false);
      default:
        return;
    }
  }

  void change_plan(Turn& turn) {
    TodoArgs args;
    if (!host_.state.tasks.empty()) {
      args.id = host_.state.tasks[pick(static_cast<std::uint32_t>(host_.state.tasks.size()))].id;
      args.status = static_cast<TodoStatus>(pick(5));
    }
    if (pick(3) == 0) args.add = task("A" + std::to_string(pick(20)));
    if (pick(4) == 0) {
      turn.plan(random_plan());
    } else {
      turn.todo(args);
    }
  }

  void interfere() {
    switch (pick(8)) {
      case 0:
        return host_.say("a word");
      case 1:
        return host_.press_escape();
      case 2:
        host_.stop("--pause");
        return;
      case 3:
        host_.resume("", SessionId("other"));
        return;
      case 4:
        return host_.crash(pick(2) == 0 ? HostMode::run : HostMode::serve);
      case 5:
        host_.deliver(SessionRetried{SessionId("ses1"), "429"});
        return;
      case 6:
        if (pick(5) == 0) host_.stop();
        return;
      case 7:
        host_.deliver(LoadChanged{static_cast<Load>(pick(3)), "a figure"});
        return;
      default:
        return;
    }
  }

  std::mt19937_64 random_;
  FakeHost host_;
  std::uint32_t badness_ = 0;
  std::uint32_t faults_ = 0;
  std::string budget_;
};

template <class Mission>
void for_each_seed(std::uint64_t seeds, Mission mission) {
  const std::uint64_t first = from_environment("ORCH_CHAOS_FIRST", 1);
  seeds = from_environment("ORCH_CHAOS_SEEDS", seeds);
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    SCOPED_TRACE("ORCH_CHAOS_SEEDS=1 ORCH_CHAOS_FIRST=" + std::to_string(seed));
    Chaos chaos(seed);
    mission(chaos);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(Chaos, MissionsWithWorktreesEndOrWaitForAPerson) {
  for_each_seed(150, [](Chaos& chaos) {
    chaos.isolate();
    chaos.run();
    chaos.expect_merged();
  });
}

/// Races are asked for, so worktrees are opened before there is a plan.
TEST(Chaos, ExtremeMissionsEndOrWaitForAPerson) {
  for_each_seed(60, [](Chaos& chaos) {
    chaos.isolate();
    chaos.race();
    chaos.run();
    chaos.expect_merged();
  });
}

TEST(Chaos, EveryMissionEndsOrWaitsForAPerson) {
  for_each_seed(250, [](Chaos& chaos) { chaos.run(); });
}

TEST(Chaos, MissionsWithManyWorkersEndOrWaitForAPerson) {
  for_each_seed(12, [](Chaos& chaos) {
    chaos.crowd();
    chaos.run();
  });
}

}  // namespace
}  // namespace orchestrator::test
