#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "orchestrator/event.h"
#include "orchestrator/mission.h"
#include "sim/faults.h"

namespace orchestrator::sim {

/// One step of a model's turn.
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
  std::string text;            ///< a path, a command, or an error's name or text
  std::int64_t exit_code = 0;  ///< of a failing tool: 1 if its call could not be read
  Happening call;              ///< the tool call, without its request id
};
using Script = std::vector<Step>;

/// Size of the missions of a run.
struct Size {
  std::uint32_t tasks_most = 4;
  bool globs = false;
  bool races = false;  ///< some tasks have rival strategies
};

/// The simulated models: they do their role's job, or misbehave as the faults of the run say.
class Models {
 public:
  /// Script of a model that goes on after its submission: it repeats the submission again and
  /// again, and runs commands in between.
  [[nodiscard]] Script go_on(Role role, const Happening& submitted);
  /// `endless`: every review rejects, so that the mission never ends.
  Models(Faults& faults, std::uint64_t seed, bool endless = false);

  /// Script of a turn that answers a prompt. `state`: the mission, as far as the model could read
  /// of it; null: it knows nothing of it.
  [[nodiscard]] Script turn(const State* state, const SessionId& session, Role role,
                            const TaskId& task, std::uint32_t turn_number);
  /// Script after a refused call; empty: the model ends its turn.
  [[nodiscard]] Script after_refusal(const State* state, const SessionId& session, Role role,
                                     const TaskId& task, const Happening& refused,
                                     std::uint32_t times);
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
  Random delegates_;  ///< separate, so that older seeds still give the same runs
  Random races_;      ///< separate, for the same reason
  const bool endless_;
  Size size_;
  std::uint32_t added_ = 0;
};

}  // namespace orchestrator::sim
