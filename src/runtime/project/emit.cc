#include "runtime/project/emit.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "codec/message.h"

namespace orchestrator::runtime {

void Emit::add(Effects effects) {
  for (Effect& effect : effects) effects_.push_back(std::move(effect));
}

void Emit::reply(const RequestId& request, bool ok, std::string text) {
  reply(Reply{request, ok, std::move(text)});
}

void Emit::reply(Reply answer) {
  unlogged_.push_back(answer.request);
  effects_.emplace_back(std::move(answer));
}

void Emit::decline(const Happening& happening) {
  std::visit(
      [&](const auto& event) {
        if constexpr (requires { event.request; }) {
          const bool active = is_active(mission_.state.phase);
          const std::string about = active ? status_text(mission_.state) + "\n" : "";
          reply(event.request, false, about + mission_.foreign);
        }
      },
      happening);
}

bool Emit::shows_something() const {
  return std::ranges::any_of(effects_, [](const Effect& effect) {
    return !std::holds_alternative<StartTimer>(effect) &&
           !std::holds_alternative<CancelTimer>(effect) &&
           !std::holds_alternative<WatchSession>(effect);
  });
}

void Emit::let_out_first(engine::Outbox& outbox) {
  for (const Reply& answer : std::exchange(first_, {})) outbox.send(codec::encode_effect(answer));
}

void Emit::let_out(engine::Outbox& outbox) {
  unlogged_.clear();
  for (const Effect& effect : std::exchange(effects_, {})) carry_out(effect, outbox);
  const bool in_order = mission_.foreign.empty() && mission_.failure.empty();
  session_infos_.update(mission_.state, in_order, outbox);
}

void Emit::drop(const std::function<bool(const RequestId&)>& is_given) {
  std::erase_if(effects_, [&](const Effect& effect) {
    const auto* answer = std::get_if<Reply>(&effect);
    return answer == nullptr || std::ranges::find(unlogged_, answer->request) == unlogged_.end() ||
           !is_given(answer->request);
  });
}

void Emit::carry_out(const Effect& effect, engine::Outbox& outbox) {
  if (const auto* start = std::get_if<StartTimer>(&effect)) {
    outbox.start_timer(start->timer, static_cast<std::uint64_t>(start->delay_ms));
  } else if (const auto* cancel = std::get_if<CancelTimer>(&effect)) {
    outbox.cancel_timer(cancel->timer);
  } else if (const auto* watch = std::get_if<WatchSession>(&effect)) {
    outbox.watch_session(watch->session.value);
  } else if (const auto* question = std::get_if<AskWorktrees>(&effect)) {
    worktrees_.ask(*question, outbox);
  } else {
    outbox.send(codec::encode_effect(effect));
  }
}

}  // namespace orchestrator::runtime
