// Models that lie: a Worker that claims what it has not done, a Reviewer that passes without a run,
// with a red one, with an old one, with one during which the files changed; and files that change
// through a tool, the shell or a person at any time. The truth is kept here, beside the engine: a
// mission that is sealed while something of it is broken, or a task that passes without a green run
// of its own Reviewer on just these files, is a false seal. ORCH_LIAR_SEEDS=n runs more missions,
// ORCH_LIAR_FIRST=s begins at a seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <random>

#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

struct Counts {
  std::size_t sealed = 0;
  std::size_t blocked = 0;
  std::size_t lies = 0;     ///< passes that were asked for against the truth
  std::size_t refused = 0;  ///< of these
};

class Liars {
 public:
  Liars(std::uint64_t seed, Counts& counts) : random_(seed), counts_(counts) {
    host_.options.limits.attempts = 2 + pick(3);
    host_.options.limits.iterations = 2 + pick(4);
    host_.options.parallel.initial = 1 + pick(4);
    host_.options.review.shadow = static_cast<ShadowReview>(pick(3));
    std::vector<TaskSpec> tasks;
    const std::uint32_t n = 1 + pick(5);
    for (std::uint32_t i = 0; i < n; ++i) {
      const std::string id = "T" + std::to_string(i);
      std::vector<std::string> deps;
      if (i > 0 && pick(3) == 0) deps.push_back("T" + std::to_string(pick(i)));
      tasks.push_back(task(id, deps));
      good_[file_of(TaskId(id))] = false;
    }
    host_.plan = plan_of(tasks);
    dishonesty_ = 20 + pick(60);
    host_.script(Role::worker, [this](Turn& turn) { work(turn); });
    host_.script(Role::reviewer, [this](Turn& turn) { review(turn); });
    host_.script(Role::master_reviewer, [this](Turn& turn) { review(turn); });
  }

  void run() {
    host_.task_command("build it");
    for (int i = 0; i < 8 && is_active(host_.state.phase); ++i) {
      host_.run_to_event(host_.log.size() + 1 + pick(40));
      if (chance(30)) meddle();
    }
    host_.run();
    for (int i = 0; i < 12 && is_active(host_.state.phase); ++i) {
      if (i == 6) dishonesty_ = 0;
      host_.resume();
      host_.run();
    }
    counts_.sealed += host_.state.phase == Phase::sealed ? 1 : 0;
    counts_.blocked += host_.state.phase == Phase::blocked ? 1 : 0;
  }

 private:
  /// A command that was really run, as the machine saw it.
  struct Run {
    SessionId session;
    std::string command;
    int exit_code;
    bool here;                          ///< in the project's directory
    std::map<std::string, int> before;  ///< versions of all files, when it began
    std::map<std::string, int> after;
  };

  std::uint32_t pick(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }
  bool chance(std::uint32_t percent) { return pick(100) < percent; }
  static std::string file_of(const TaskId& id) { return "src/" + id.value + ".cc"; }

  // ---- the machine
  void set(const std::string& file, bool good) {
    good_[file] = good;
    versions_[file] += 1;
    host_.touch(file);
  }
  void meddle() {
    auto it = good_.begin();
    std::advance(it, pick(static_cast<std::uint32_t>(good_.size())));
    set(it->first, chance(50));
  }
  /// "test T1" is green if T1's file is good, "test all" if all are.
  int outcome(const std::string& command) const {
    if (command == "test all")
      return std::ranges::all_of(good_, [](const auto& file) { return file.second; }) ? 0 : 1;
    const auto it = good_.find("src/" + command.substr(5) + ".cc");
    return it == good_.end() || it->second ? 0 : 1;
  }
  int execute(const SessionId& session, const std::string& command, bool change_meanwhile,
              const std::string& workdir = "") {
    Run run{session, command, outcome(command), workdir.empty(), versions_, {}};
    CommandRan ran{session, command, workdir, 0, "output", ""};
    ran.begun_hash = host_.files_hash(session);
    if (change_meanwhile) meddle();
    if (chance(50)) run.exit_code = outcome(command);  // it read the files late
    run.after = versions_;
    ran.exit_code = run.exit_code;
    ran.files_hash = host_.files_hash(session);
    runs_.push_back(run);
    host_.deliver(ran);
    return run.exit_code;
  }

  // ---- the truth
  /// Whether a pass of this session is deserved: its newest run of each command is green, on the
  /// files as they were all the while and are now.
  bool deserves_pass(const Turn& turn) const {
    const Task* mine = find_task(host_.state, turn.task);
    const auto commands = mine == nullptr ? host_.state.plan.verify : mine->spec.verify;
    return std::ranges::all_of(commands, [&](const std::string& command) {
      const auto run = std::find_if(runs_.rbegin(), runs_.rend(), [&](const Run& r) {
        return r.here && r.session == turn.session && r.command == command;
      });
      return run != runs_.rend() && run->exit_code == 0 && same_files(mine, run->before) &&
             same_files(mine, run->after);
    });
  }
  bool same_files(const Task* mine, const std::map<std::string, int>& then) const {
    const auto version = [](const std::map<std::string, int>& all, const std::string& file) {
      const auto it = all.find(file);
      return it == all.end() ? 0 : it->second;
    };
    return std::ranges::all_of(good_, [&](const auto& file) {
      const bool vouched =
          mine == nullptr || std::ranges::find(mine->files, file.first) != mine->files.end();
      return !vouched || version(then, file.first) == version(versions_, file.first);
    });
  }

  /// Asks for a pass, and looks whether it was given against the truth.
  bool ask_pass(Turn& turn, const ReviewArgs& args) {
    const Session* session = find_session(host_.state, turn.session);
    const bool decides = session != nullptr && !session->lease.early_review;
    const bool deserved = deserves_pass(turn);
    const bool whole = turn.role == Role::master_reviewer;
    const bool all_good = outcome("test all") == 0;
    const Answer answer = turn.review(args);
    if (!decides) return answer.ok;
    counts_.lies += deserved ? 0 : 1;
    counts_.refused += deserved || answer.ok ? 0 : 1;
    EXPECT_TRUE(!answer.ok || deserved) << "a false pass of " << turn.task.value;
    EXPECT_TRUE(!answer.ok || !whole || all_good) << "a false seal";
    return answer.ok;
  }

  // ---- models
  void work(Turn& turn) {
    const Task* mine = find_task(host_.state, turn.task);
    if (mine == nullptr) return;
    const std::string file = mine->files.empty() ? file_of(turn.task) : mine->files.front();
    WorkArgs args;
    args.summary = "all done and tested";
    const bool honest = !chance(dishonesty_);
    if (honest || chance(50)) {
      turn.write(file);
      for (auto& [path, good] : good_) {
        // What a mission's finding is about may be anything.
        if (path == file || mine->files.empty()) set(path, honest);
      }
      args.files = {file};
    }
    if (!honest && chance(50)) {
      args.evidence = {{mine->spec.verify.empty() ? "make" : mine->spec.verify.front(), 0}};
      (void)turn.work(args);
      args.evidence.clear();
    }
    (void)turn.work(args);
    if (chance(10)) meddle();  // after the submission, through the shell
  }

  void review(Turn& turn) {
    const Task* mine = find_task(host_.state, turn.task);
    const auto commands = mine == nullptr ? host_.state.plan.verify : mine->spec.verify;
    ReviewArgs pass;
    pass.verdict = Verdict::pass;
    for (int lie = 0; lie < 3 && chance(dishonesty_); ++lie) {
      ReviewArgs args = pass;
      switch (pick(7)) {
        case 0:
          break;  // it has run nothing new
        case 1:
          for (const std::string& command : commands) args.evidence.push_back({command, 0});
          break;
        case 2:
          for (const std::string& command : commands) execute(turn.session, command, false);
          break;  // whatever came out
        case 3:
          for (const std::string& command : commands) execute(turn.session, command, false);
          meddle();
          break;
        case 4:
          for (const std::string& command : commands) execute(turn.session, command, true);
          break;
        case 5:
          for (const std::string& command : commands) execute(turn.session, command, false, "sub");
          break;
        default:
          if (mine != nullptr && !mine->session.empty())
            for (const std::string& command : commands) execute(mine->session, command, false);
      }
      if (ask_pass(turn, args)) return;
    }
    bool green = true;
    for (const std::string& command : commands)
      green = execute(turn.session, command, chance(5)) == 0 && green;
    if (green && ask_pass(turn, pass)) return;
    (void)turn.reject("it is red", mine == nullptr ? bad_file() : "");
  }
  std::string bad_file() const {
    for (const auto& [path, good] : good_) {
      if (!good) return path;
    }
    return "";
  }

  std::mt19937_64 random_;
  Counts& counts_;
  FakeHost host_;
  std::uint32_t dishonesty_ = 0;
  std::map<std::string, bool> good_;
  std::map<std::string, int> versions_;
  std::vector<Run> runs_;
};

TEST(Liars, NoFalseSeal) {
  const std::uint64_t first = from_environment("ORCH_LIAR_FIRST", 1);
  const std::uint64_t seeds = from_environment("ORCH_LIAR_SEEDS", 100);
  Counts counts;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    SCOPED_TRACE("ORCH_LIAR_SEEDS=1 ORCH_LIAR_FIRST=" + std::to_string(seed));
    Liars(seed, counts).run();
    if (::testing::Test::HasFailure()) return;
  }
  std::cout << seeds << " missions: " << counts.sealed << " sealed, " << counts.blocked
            << " blocked; " << counts.lies << " passes asked for against the truth, "
            << counts.refused << " refused\n";
  EXPECT_EQ(counts.refused, counts.lies);
  if (seeds < 100) return;
  EXPECT_GT(counts.lies, seeds) << "these liars hardly lie";
  EXPECT_GT(counts.sealed, seeds / 4) << "hardly a mission comes to its seal";
}

}  // namespace
}  // namespace orchestrator::test
