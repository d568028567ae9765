#include "sim/model.h"

#include <algorithm>
#include <array>

#include "core/state/tasks.h"

namespace orchestrator::sim {
namespace {

Step write_step(std::string path) { return {Step::Kind::write, std::move(path), 0, {}}; }
Step run_step(std::string command, std::int64_t exit_code) {
  return {Step::Kind::run, std::move(command), exit_code, {}};
}
Step call_step(Happening call) { return {Step::Kind::call, "", 0, std::move(call)}; }
Step plain_step(Step::Kind kind, std::string text = "") { return {kind, std::move(text), 0, {}}; }

/// Error text of a failed turn: of the model, or of an unknown cause.
const char* failure_words(Random& random) {
  constexpr std::array kWords{"it failed",         "socket hang up", "Internal server error",
                              "Too Many Requests", "Overloaded",     "Unexpected token in JSON"};
  return kWords[random.pick(static_cast<std::uint32_t>(kWords.size()))];
}

/// Most files that a Worker writes in one turn; its claim includes those of its subtasks.
constexpr std::size_t kFilesMost = 2;

bool is_glob(const std::string& file) { return file.find('*') != std::string::npos; }

ReviewSubmitted verdict(const SessionId& session, Verdict verdict) {
  ReviewSubmitted review;
  review.session = session;
  review.args.verdict = verdict;
  return review;
}

}  // namespace

Models::Models(Faults& faults, std::uint64_t seed, bool endless)
    : faults_(faults),
      random_(mix(seed, 21)),
      delegates_(mix(seed, 22)),
      races_(mix(seed, 23)),
      endless_(endless) {
  const std::uint32_t kind = random_.pick(64);
  size_.tasks_most = kind == 0 ? 40 : kind < 8 ? 12 : 4;
  size_.globs = random_.chance(30);
  size_.races = races_.chance(30);
}

TaskSpec Models::spec(const std::string& id, std::uint32_t number) {
  TaskSpec spec;
  spec.id = TaskId(id);
  spec.title = "Title of " + id;
  spec.description = "Build " + id;
  const bool wide = size_.globs && random_.chance(30);
  spec.files =
      wide ? std::vector<std::string>{"src/" + std::to_string(random_.pick(3)) + "/**"}
           : std::vector<std::string>{"src/" + std::to_string(number % 3) + "/" + id + ".txt"};
  if (!random_.chance(25)) spec.verify = {"test " + id};
  if (size_.races && races_.chance(20)) {
    spec.race = {"the short way", "the long way"};
    if (races_.chance(30)) spec.race.push_back("another way");
  }
  return spec;
}

PlanArgs Models::plan() {
  PlanArgs plan;
  plan.summary = "A plan";
  plan.verify = {"test all"};
  const std::uint32_t tasks = random_.between(1, size_.tasks_most);
  for (std::uint32_t i = 1; i <= tasks; ++i) {
    TaskSpec task = spec("T" + std::to_string(i), i);
    for (std::uint32_t k = 1; k < i; ++k) {
      if (random_.pick(std::max(4U, tasks / 2)) == 0)
        task.deps.emplace_back("T" + std::to_string(k));
    }
    plan.tasks.push_back(std::move(task));
  }
  return plan;
}

PlanArgs Models::bad_plan() {
  PlanArgs bad = plan();
  TaskSpec& first = bad.tasks.front();
  switch (random_.pick(7)) {
    case 0:
      first.deps = {first.id};
      break;
    case 1:
      bad.tasks.push_back(first);
      break;
    case 2:
      first.id = TaskId("no id, this");
      break;
    case 3:
      first.deps = {TaskId("nobody")};
      break;
    case 4:
      first.files = {"../outside"};
      break;
    case 5:
      bad.tasks.clear();
      break;
    default:
      first.deps = {TaskId("Y")};
      bad.tasks.push_back(spec("Y", 1));
      bad.tasks.back().deps = {bad.tasks.front().id};
      break;
  }
  return bad;
}

TodoUpdated Models::random_todo(const State& state, const SessionId& session) {
  TodoUpdated todo;
  todo.session = session;
  if (!state.tasks.empty()) {
    todo.args.id = state.tasks[random_.pick(static_cast<std::uint32_t>(state.tasks.size()))].id;
    todo.args.status = static_cast<TodoStatus>(random_.pick(5));
  }
  if (random_.chance(30)) {
    ++added_;
    todo.args.add = spec("A" + std::to_string(added_), added_);
  }
  return todo;
}

/// Adds a call that the role may not make, or that makes no sense.
void Models::strange_call(const SessionId& session, Script& script) {
  switch (random_.pick(5)) {
    case 0:
      script.push_back(call_step(PlanSubmitted{{}, session, plan(), {}}));
      break;
    case 1:
      script.push_back(
          call_step(WorkSubmitted{{}, session, {TaskId("nobody"), "", {}, {}, {}}, {}}));
      break;
    case 2:
      script.push_back(call_step(ReviewSubmitted{{}, session, {}, {}, "", {}}));
      break;
    case 3:
      script.push_back(call_step(RunCalled{{}, session, {}, {}}));
      break;
    default:
      script.push_back(call_step(TodoUpdated{{}, session, {}, {}}));
      break;
  }
}

void Models::commander(const State* state, const SessionId& session, Script& script) {
  if (state == nullptr || session != state->root_session) return;
  const bool asked = state->phase == Phase::blocked || is_running(state->phase);
  if (asked && faults_.hit(Fault::model_changes_plan)) {
    for (std::uint32_t i = random_.between(1, 3); i > 0; --i)
      script.push_back(call_step(random_todo(*state, session)));
    if (random_.chance(30)) script.push_back(call_step(PlanSubmitted{{}, session, plan(), {}}));
  }
  if (state->phase == Phase::briefing && random_.chance(15))
    script.push_back(call_step(PlanSubmitted{{}, session, plan(), {}}));
  if (is_running(state->phase)) script.push_back(call_step(RunCalled{{}, session, {}, {}}));
}

/// Delegates one or two subtasks, sometimes with files that another task holds; waits for them at
/// once or later, or cancels them.
void Models::delegate(const State* state, const SessionId& session, const TaskId& id,
                      Script& script) {
  // Bounded: a turn that needs more than a person's whole grant would be repeated for ever.
  constexpr std::uint32_t kPartsMost = 4;
  std::uint32_t parts = 0;
  if (state != nullptr) {
    parts = static_cast<std::uint32_t>(std::ranges::count(state->tasks, id, &Task::parent));
  }
  const std::uint32_t more = parts < kPartsMost ? delegates_.between(1, 2) : 0;
  for (std::uint32_t i = 0; i < more; ++i) {
    DelegateCalled call;
    call.session = session;
    call.args.title = "A part of " + id.value;
    call.args.prompt = "Build it";
    call.args.background = delegates_.chance(40);
    const std::uint32_t number = delegates_.pick(100);
    if (delegates_.chance(60))
      call.args.files = {"src/" + std::to_string(number % 3) + "/P" + std::to_string(number) +
                         ".txt"};
    if (size_.races && races_.chance(20)) call.args.race = {"this way", "that way"};
    script.push_back(call_step(std::move(call)));
  }
  if (state == nullptr || state->tasks.empty()) return;
  const auto any = [&] {
    return state->tasks[delegates_.pick(static_cast<std::uint32_t>(state->tasks.size()))].id;
  };
  if (delegates_.chance(20))
    script.push_back(call_step(CancelCalled{{}, session, {any(), "not needed"}, {}}));
  for (const Task& task : state->tasks) {
    if (task.parent == id && !core::is_settled(task.status) && delegates_.chance(70))
      script.push_back(call_step(ResultAsked{{}, session, {task.id}, {}}));
  }
  if (delegates_.chance(10)) script.push_back(call_step(ResultAsked{{}, session, {any()}, {}}));
}

void Models::planner(const SessionId& session, Script& script) {
  if (faults_.hit(Fault::model_plans_badly)) {
    const std::uint32_t times = random_.chance(15) ? 10 : random_.between(1, 2);
    for (std::uint32_t i = 0; i < times; ++i)
      script.push_back(call_step(PlanSubmitted{{}, session, bad_plan(), {}}));
    return;  // `after_refusal` submits a good plan
  }
  script.push_back(call_step(PlanSubmitted{{}, session, plan(), {}}));
}

void Models::worker(const State* state, const SessionId& session, const TaskId& id,
                    Script& script) {
  WorkSubmitted work;
  work.session = session;
  work.args.summary = "Did " + id.value;
  const Task* task = state == nullptr ? nullptr : find_task(*state, id);
  if (task != nullptr && !faults_.hit(Fault::model_lazy)) {
    for (const std::string& file : task->files) {
      if (!is_glob(file) && script.size() < kFilesMost) script.push_back(write_step(file));
    }
    if (task->files.empty() || is_glob(task->files.front()))
      script.push_back(write_step("src/1/" + id.value + "-new.txt"));
    if (!task->spec.verify.empty() && random_.chance(30)) {
      script.push_back(run_step(task->spec.verify.front(), 0));
      work.args.evidence = {{task->spec.verify.front(), 0}};
    }
  }
  if (faults_.hit(Fault::model_delegates)) delegate(state, session, id, script);
  if (faults_.hit(Fault::model_trespasses)) {
    const bool outside = random_.chance(30);
    script.push_back(write_step(outside ? "/etc/passwd"
                                        : "src/" + std::to_string(random_.pick(3)) + "/T" +
                                              std::to_string(random_.between(1, 4)) + ".txt"));
  }
  if (faults_.hit(Fault::model_claims)) work.args.evidence.push_back({"never ran", 0});
  if (!endless_ && random_.chance(5)) {
    ++added_;
    work.args.follow_ups = {spec("W" + std::to_string(added_), added_)};
  }
  script.push_back(call_step(std::move(work)));
}

void Models::reviewer(const State* state, const SessionId& session, const TaskId& id, bool whole,
                      Script& script) {
  std::vector<std::string> verify;
  if (state != nullptr && whole) verify = state->plan.verify;
  const Task* task = state == nullptr ? nullptr : find_task(*state, id);
  if (task != nullptr) verify = task->spec.verify;
  const bool red = faults_.hit(Fault::model_goes_red);
  if (!faults_.hit(Fault::model_lazy)) {
    for (const std::string& command : verify) script.push_back(run_step(command, red ? 1 : 0));
  }
  if (endless_ || (red && random_.chance(70)) || faults_.hit(Fault::model_rejects)) {
    ReviewSubmitted reject = verdict(session, Verdict::reject);
    const std::string file =
        random_.chance(50) ? "src/" + std::to_string(random_.pick(3)) + "/found.txt" : "";
    for (std::uint32_t i = random_.between(1, 2); i > 0; --i)
      reject.args.findings.push_back({file, 1, Severity::error, "it is red"});
    script.push_back(call_step(std::move(reject)));
    return;
  }
  ReviewSubmitted pass = verdict(session, Verdict::pass);
  if (faults_.hit(Fault::model_claims)) pass.args.evidence.push_back({"never ran", 0});
  script.push_back(call_step(std::move(pass)));
}

Script Models::turn(const State* state, const SessionId& session, Role role, const TaskId& task,
                    std::uint32_t turn_number) {
  (void)turn_number;
  Script script;
  if (role == Role::none || faults_.hit(Fault::model_silent)) return script;
  if (faults_.hit(Fault::turn_failed))
    return {plain_step(Step::Kind::fail, failure_words(random_))};
  if (faults_.hit(Fault::provider_refuses))
    return {Step{Step::Kind::fail, "Invalid API key", 401, {}}};
  if (faults_.hit(Fault::provider_gives_nothing)) return {plain_step(Step::Kind::nothing)};
  if (faults_.hit(Fault::turn_overflowed)) script.push_back(plain_step(Step::Kind::overflow));
  if (faults_.hit(Fault::turn_hangs)) script.push_back(plain_step(Step::Kind::hang));
  if (faults_.hit(Fault::turn_hangs_in_tool))
    script.push_back(plain_step(Step::Kind::hang_in_tool));
  const bool child = role != Role::commander;
  if (child && faults_.hit(Fault::model_asks))
    script.push_back(plain_step(Step::Kind::ask, "bash: rm -r build"));
  if (faults_.hit(Fault::tool_fails)) {
    const bool garbled = random_.pick(2) == 0;
    const Step failed{Step::Kind::tool_error,
                      garbled ? "JSON parsing failed" : "oldString not found",
                      garbled ? 1 : 0,
                      {}};
    for (std::uint32_t i = random_.between(1, 7); i > 0; --i) script.push_back(failed);
  }
  if (faults_.hit(Fault::model_calls_strange)) strange_call(session, script);
  switch (role) {
    case Role::commander:
      commander(state, session, script);
      break;
    case Role::planner:
      planner(session, script);
      break;
    case Role::worker:
      worker(state, session, task, script);
      break;
    case Role::reviewer:
      reviewer(state, session, task, false, script);
      break;
    case Role::master_reviewer:
      reviewer(state, session, task, true, script);
      break;
    case Role::none:
      break;
  }
  if (faults_.hit(Fault::turn_failed)) {
    const auto at = random_.pick(static_cast<std::uint32_t>(script.size() + 1));
    script.insert(script.begin() + at, plain_step(Step::Kind::fail, failure_words(random_)));
  }
  return script;
}

Script Models::go_on(Role role, const Happening& submitted) {
  Random detail = faults_.detail(Fault::model_goes_on);
  Script script;
  for (std::uint32_t i = detail.between(1, 60); i > 0; --i) {
    if (role != Role::worker && detail.chance(20)) script.push_back(run_step("test all", 0));
    if (role == Role::worker && detail.chance(20)) script.push_back(write_step("src/1/more.txt"));
    script.push_back(call_step(submitted));
  }
  if (detail.chance(20)) script.push_back(plain_step(Step::Kind::hang));
  return script;
}

Script Models::after_refusal(const State* state, const SessionId& session, Role role,
                             const TaskId& task, const Happening& refused, std::uint32_t times) {
  Script script;
  if (faults_.hit(Fault::model_repeats)) {
    for (std::uint32_t i = random_.between(1, 12); i > 0; --i) script.push_back(call_step(refused));
    return script;
  }
  if (times > 2 || state == nullptr) return script;
  if (role == Role::planner && std::holds_alternative<PlanSubmitted>(refused)) {
    script.push_back(call_step(PlanSubmitted{{}, session, plan(), {}}));
  } else if (role == Role::worker && std::holds_alternative<WorkSubmitted>(refused)) {
    for (const Task& part : state->tasks) {
      if (part.parent != task || core::is_settled(part.status)) continue;
      script.push_back(delegates_.chance(70)
                           ? call_step(ResultAsked{{}, session, {part.id}, {}})
                           : call_step(CancelCalled{{}, session, {part.id, ""}, {}}));
    }
    WorkSubmitted work;
    work.session = session;
    work.args.summary = "Did " + task.value;
    script.push_back(call_step(std::move(work)));
  } else if (std::holds_alternative<ReviewSubmitted>(refused)) {
    const Task* held = find_task(*state, task);
    const auto& verify = held == nullptr ? state->plan.verify : held->spec.verify;
    for (const std::string& command : verify) script.push_back(run_step(command, 0));
    script.push_back(call_step(verdict(session, Verdict::pass)));
  }
  return script;
}

}  // namespace orchestrator::sim
