#include "runtime/project/load_watch.h"

#include <thread>
#include <utility>

#include "runtime/project/machine_load.h"

namespace orchestrator::runtime {

void LoadWatch::look(engine::Outbox& outbox) {
  timer_.fired();
  if (!is_wanted() || !p_.mission.failure.empty()) return;
  const auto& known = p_.mission.state.limiter.load;
  const MachineLoad machine = read_machine(p_.world.machine, std::thread::hardware_concurrency());
  LoadVerdict verdict = judge_load(machine, known);
  if (verdict.load != known)
    p_.record.add(LoadChanged{verdict.load, std::move(verdict.why)}, outbox);
}

bool LoadWatch::is_wanted() const {
  const State& state = p_.mission.state;
  return p_.mission.is_open() && is_running(state.phase) && !state.dormant;
}

}  // namespace orchestrator::runtime
