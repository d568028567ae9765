#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "orchestrator/event.h"
#include "orchestrator/mission.h"
#include "sim/faults.h"

namespace orchestrator::sim {

/// What a model does in one step of its turn.
struct Step {
  enum class Kind {
    write,
    run,
    call,
    fail,
    overflow,
    hang,
    hang_in_tool,
    ask,
    tool_error,
    nothing
  };
  Kind kind = Kind::call;
  std::string text;            ///< a path, a command, or an error's name or words
  std::int64_t exit_code = 0;  ///< of a tool that fails: 1 where its call could not be read
  Happening call;              ///< without its request
};
using Script = std::vector<Step>;

/// How big the missions of a run are.
struct Size {
  std::uint32_t tasks_most = 4;
  bool globs = false;
  bool races = false;  ///< tasks have rival strategies now and then
};

/// The simulated models: they do what their role asks for, or what the faults of the run say.
class Models {
 public:
  /// What a model does that does not know when it is done: it hands in the same again and again,
  /// and runs commands between.
  [[nodiscard]] Script go_on(Role role, const Happening& submitted);
  /// `endless`: no review is ever passed.
  Models(Faults& faults, std::uint64_t seed, bool endless = false);

  /// What the model of a session does with what it was told. `state`: the mission as far as the
  /// model could read of it; null: nothing is known.
  [[nodiscard]] Script turn(const State* state, const SessionId& session, Role role,
                            const TaskId& task, std::uint32_t turn_number);
  /// A call of it was refused: what it does about it. Empty: it ends its turn.
  [[nodiscard]] Script mend(const State* state, const SessionId& session, Role role,
                            const TaskId& task, const Happening& refused, std::uint32_t times);
  [[nodiscard]] PlanArgs plan();

 private:
  void commander(const State* state, const SessionId& session, Script& script);
  void planner(const SessionId& session, Script& script);
  void worker(const State* state, const SessionId& session, const TaskId& task, Script& script);
  void reviewer(const State* state, const SessionId& session, const TaskId& task, bool whole,
                Script& script);
  void delegate(const State* state, const SessionId& session, const TaskId& task, Script& script);
  void strange_call(const SessionId& session, Script& script);
  [[nodiscard]] PlanArgs bad_plan();
  [[nodiscard]] TaskSpec spec(const std::string& id, std::uint32_t number);
  [[nodiscard]] TodoUpdated random_todo(const State& state, const SessionId& session);

  Faults& faults_;
  Random random_;
  Random delegates_;  ///< of its own, so that seeds of before mean what they meant
  Random races_;      ///< the same
  const bool endless_;
  Size size_;
  std::uint32_t added_ = 0;
};

}  // namespace orchestrator::sim
