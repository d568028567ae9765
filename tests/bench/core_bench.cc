// What one step costs. A mission of scripted sessions is stepped event by event, and once more from
// its recorded events alone, as a replay does. Prints JSON: nanoseconds for each event of a
// 500-task mission (median, p90, p99, most, and by kind), and events a second of stepping alone for
// missions of 6, 20 and 500 tasks. `npm run bench -- --only step` shows it beside its targets.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "codec/binary.h"
#include "orchestrator/step.h"

namespace orchestrator::bench {
namespace {

using Clock = std::chrono::steady_clock;

double nanoseconds(Clock::duration d) {
  return std::chrono::duration<double, std::nano>(d).count();
}

/// A host that does at once what it is asked, and models that do their work; every tenth task is
/// rejected once. It tells what OpenCode tells: a dozen events and more for each turn.
class Mission {
 public:
  explicit Mission(std::size_t tasks) : tasks_(tasks) {
    Options options;
    options.parallel.initial = options.parallel.max = 10;
    MissionRequested start{RequestId("r0"),      root_, "Build it all", HostMode::serve,
                           MissionId("m-bench"), 7,     {"worker"},     options};
    say(std::move(start));
    say(RunCalled{RequestId("run"), root_, {}, {}});
  }

  /// Steps to the end; the time of each step goes to `costs`.
  void run(std::vector<double>& costs) {
    while (!due_.empty()) {
      Event event{log.size() + 1, now_ += 7, std::move(due_.front())};
      due_.pop_front();
      const auto begin = Clock::now();
      const Effects effects = step(state, event);
      costs.push_back(nanoseconds(Clock::now() - begin));
      for (const Effect& effect : effects) carry_out(effect);
      log.push_back(std::move(event));
    }
  }

  State state;
  std::vector<Event> log;

 private:
  void say(Happening what) { due_.push_back(std::move(what)); }

  void carry_out(const Effect& effect) {
    if (const auto* create = std::get_if<CreateSession>(&effect)) {
      const SessionId id("ses_" + std::to_string(1'000'000 + ++sessions_));
      roles_[id] = {create->role, create->task};
      say(SessionCreated{create->effect, id});
    } else if (const auto* prompt = std::get_if<PromptSession>(&effect)) {
      say(PromptAccepted{prompt->effect});
      turn(prompt->session);
    }
  }

  void message(const SessionId& id, bool last) {
    say(TurnEnded{id, 1500, 0.004, last, "msg_" + std::to_string(++messages_)});
    if (!last) say(TurnStarted{id});
  }

  void run_command(const SessionId& id, const std::string& command) {
    say(CommandRan{id, command, "", 0, std::string(64, 'a'), std::string(64, 'b')});
    message(id, false);
  }

  void turn(const SessionId& id) {
    if (id == root_) return;
    const auto& [role, task] = roles_.at(id);
    say(TurnStarted{id});
    message(id, false);
    switch (role) {
      case Role::planner:
        say(PlanSubmitted{request(), id, plan(), {}});
        break;
      case Role::worker:
        work(id, task);
        break;
      case Role::reviewer:
        review(id, task.value, "npm test -- " + task.value);
        break;
      case Role::master_reviewer:
        review(id, "mission", "npm test");
        break;
      case Role::commander:
      case Role::none:
        break;
    }
    message(id, true);
    say(SessionIdled{id});
  }

  void work(const SessionId& id, const TaskId& task) {
    WorkArgs args;
    args.task = task;
    args.summary = "Built " + task.value + " as it was described, with a test for each case of it.";
    for (int i = 0; i < 3; ++i) {
      run_command(id, "ls src/" + std::to_string(i));
      args.files.push_back("src/" + task.value + "/part" + std::to_string(i) + ".ts");
      say(FileWritten{id, args.files.back()});
      message(id, false);
    }
    run_command(id, "npm test -- " + task.value);
    say(WorkSubmitted{request(), id, args, {}});
  }

  void review(const SessionId& id, const std::string& subject, const std::string& command) {
    run_command(id, "git diff");
    run_command(id, command);
    ReviewArgs args;
    args.verdict = Verdict::pass;
    if (subject.back() == '7' && rejected_.insert({subject, true}).second) {
      args.verdict = Verdict::reject;
      args.findings = {{"src/" + subject + "/part0.ts", 12, Severity::error, "A case is left out"}};
    }
    say(ReviewSubmitted{request(), id, args, {}, std::string(64, 'b'), {}});
  }

  /// Chains of ten with a few threads between them, as plans of models have.
  PlanArgs plan() const {
    PlanArgs args;
    args.summary = "Builds it from its parts";
    args.verify = {"npm test"};
    for (std::size_t i = 0; i < tasks_; ++i) {
      TaskSpec spec;
      spec.id = TaskId("T" + std::to_string(i));
      spec.title = "Part " + std::to_string(i) + " of the whole";
      spec.description = std::string(400, 'd');
      spec.files = {"src/" + spec.id.value + "/**"};
      if (i % 10 != 0) spec.deps.emplace_back("T" + std::to_string(i - 1));
      if (i > 30 && i % 10 == 5) spec.deps.emplace_back("T" + std::to_string(i - 20));
      spec.accept = {"its tests pass", "its API is documented"};
      spec.verify = {"npm test -- " + spec.id.value};
      args.tasks.push_back(std::move(spec));
    }
    return args;
  }

  RequestId request() { return RequestId("r" + std::to_string(++requests_)); }

  std::size_t tasks_;
  const SessionId root_{"ses_root"};
  std::deque<Happening> due_;
  std::map<SessionId, std::pair<Role, TaskId>> roles_;
  std::map<std::string, bool> rejected_;
  TimeMs now_ = 1'700'000'000'000;
  std::uint64_t sessions_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t requests_ = 0;
};

double at(const std::vector<double>& sorted, double part) {
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

void print_costs(const char* name, std::vector<double> costs) {
  std::ranges::sort(costs);
  std::printf(
      "\"%s\":{\"n\":%zu,\"median_ns\":%.0f,\"p90_ns\":%.0f,\"p99_ns\":%.0f,\"max_ns\":%.0f}", name,
      costs.size(), at(costs, 0.5), at(costs, 0.9), at(costs, 0.99), costs.back());
}

/// The least disturbed of some runs.
void print_replay(std::size_t tasks) {
  Mission mission(tasks);
  std::vector<double> costs;
  mission.run(costs);
  double best = 0;
  std::size_t done = 0;
  std::size_t effects = 0;
  for (const auto begin = Clock::now(); Clock::now() - begin < std::chrono::seconds(1) || done < 3;
       ++done) {
    State state;
    const auto start = Clock::now();
    for (const Event& event : mission.log) effects += step(state, event).size();
    const double rate =
        static_cast<double>(mission.log.size()) * 1e9 / nanoseconds(Clock::now() - start);
    best = std::max(best, rate);
    if (codec::encode(state) != codec::encode(mission.state)) {
      std::fprintf(stderr, "the log does not give the state\n");
      std::exit(1);
    }
  }
  std::printf("\"%zu\":{\"events\":%zu,\"events_per_s\":%.0f,\"effects\":%zu,\"phase\":\"%s\"}",
              tasks, mission.log.size(), best, effects / done,
              std::string(to_name(mission.state.phase)).c_str());
}

void print_steps(std::size_t tasks) {
  std::vector<double> costs;
  std::map<std::string, std::vector<double>> by_kind;
  Mission mission(tasks);
  mission.run(costs);
  for (std::size_t i = 0; i < mission.log.size(); ++i) {
    const std::string kind(std::visit([](const auto& e) { return e.kType; }, mission.log[i].what));
    by_kind[kind].push_back(costs[i]);
  }
  std::printf("\"step\":{\"tasks\":%zu,", tasks);
  print_costs("all", costs);
  std::printf(",\"kinds\":{");
  bool first = true;
  for (const auto& [kind, some] : by_kind) {
    if (!std::exchange(first, false)) std::printf(",");
    print_costs(kind.c_str(), some);
  }
  std::printf("}}");
}

}  // namespace
}  // namespace orchestrator::bench

int main() {
  using namespace orchestrator::bench;
  std::printf("{");
  print_steps(500);
  std::printf(",\"replay\":{");
  bool first = true;
  for (const std::size_t tasks : {6U, 20U, 500U}) {
    if (!std::exchange(first, false)) std::printf(",");
    print_replay(tasks);
  }
  std::printf("}}\n");
  return 0;
}
