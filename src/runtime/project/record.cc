#include "runtime/project/record.h"

#include <string>
#include <utility>
#include <variant>

#include "orchestrator/step.h"
#include "runtime/history/receipt_chain.h"

namespace orchestrator::runtime {

void Record::add(Happening happening, engine::Outbox& outbox) {
  if (!mission_.foreign.empty()) return;  // another process runs the mission
  Event event{mission_.store.next_seq(), static_cast<TimeMs>(outbox.now_ms()),
              std::move(happening)};
  if (!mission_.is_open()) return step_unlogged(std::move(event));
  if (auto* ran = std::get_if<CommandRan>(&event.what)) add_link(mission_.state, *ran, event.at_ms);
  const Phase before = mission_.state.phase;
  auto applied = mission_.store.apply(mission_.state, event);
  if (!applied.ok()) {
    log_.note(LogLevel::warn, type_of(event.what) + " was refused: " + applied.error().text());
    if (const RequestId* request = waiting_request(event.what))
      emit_.reply(*request, false, "Refused: " + applied.error().text());
    return;
  }
  sync_.note(event.what);
  if (world_.observer != nullptr)
    world_.observer->stepped(mission_.state, event, applied.value(), true);
  emit_.add(std::move(applied).value());
  const Phase now = mission_.state.phase;
  derived_.note_step(now != before);
  if (now != before) {
    log_.note(LogLevel::info,
              "phase " + std::string(to_name(before)) + " -> " + std::string(to_name(now)));
  }
}

/// Steps the state without a log: there is no mission, or it is over and saved. The effects are
/// refusals and the last reply to its Commander.
void Record::step_unlogged(Event event) {
  event.seq = mission_.state.last_seq;
  Effects caused = step(mission_.state, event);
  if (world_.observer != nullptr) world_.observer->stepped(mission_.state, event, caused, false);
  emit_.add(std::move(caused));
}

}  // namespace orchestrator::runtime
