#include "runtime/project/derived.h"

#include "codec/message.h"

namespace orchestrator::runtime {

void Derived::save(engine::Outbox& outbox) {
  phase_changed_ = save_due_ = false;
  const auto saved = mission_.store.save(mission_.state);
  const std::string problem = saved.ok() ? "" : saved.error().text();
  if (problem == save_problem_) return;
  const bool first = save_problem_.empty();
  save_problem_ = problem;
  if (problem.empty()) return log_.note(LogLevel::info, "the snapshot can be written again");
  log_.note(LogLevel::warn, "snapshot: " + problem);
  if (first) {
    outbox.send(codec::encode_effect(
        ShowToast{"warning",
                  "Orchestrator: the mission's snapshot cannot be written (its log can, and "
                  "nothing is lost). " +
                      problem}));
  }
}

bool Derived::progress_is_due() const {
  return !progress_timer_.runs() && !mission_.state.commander.waiting.empty() &&
         progress_title(mission_.state) != shown_;
}

void Derived::show_progress(engine::Outbox& outbox) {
  const State& state = mission_.state;
  shown_ = progress_title(state);
  progress_timer_.start(outbox);
  outbox.send(codec::encode_notice(
      codec::ShowProgress{state.commander.waiting, shown_, status_text(state)}));
}

}  // namespace orchestrator::runtime
