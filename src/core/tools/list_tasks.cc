#include "core/prompts/report.h"
#include "core/schedule/admission.h"
#include "orchestrator/step.h"

namespace orchestrator {

std::string task_list_text(const State& state, std::optional<TaskStatus> status) {
  constexpr std::size_t kBytesMax = 3'940;
  const auto wait_of = [&](const Task& task) {
    return is_running(state.phase) ? core::wait_text(core::admit(state, state.updated_at, task))
                                   : "";
  };
  const std::string text = core::task_lines(state, kBytesMax, status, wait_of);
  if (!text.empty()) return text;
  return status ? "no task is " + std::string(to_name(*status)) : "there is no plan yet";
}

}  // namespace orchestrator
