#include "runtime/project/held_replies.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace orchestrator::runtime {
namespace {

const RequestId* submission_of(const Happening& happening) {
  if (const auto* work = std::get_if<WorkSubmitted>(&happening)) return &work->request;
  if (const auto* review = std::get_if<ReviewSubmitted>(&happening)) return &review->request;
  if (const auto* plan = std::get_if<PlanSubmitted>(&happening)) return &plan->request;
  return nullptr;
}

}  // namespace

bool HeldReplies::hold(const Happening& happening, Effects& effects, std::uint64_t now_ms) {
  if (const auto* created = std::get_if<SessionCreated>(&happening)) follow(*created, effects);
  if (const auto* failed = std::get_if<EffectFailed>(&happening)) forget(failed->effect);
  const RequestId* const request = submission_of(happening);
  if (request == nullptr) return false;
  Held held;
  for (const Effect& effect : effects) {
    if (const auto* create = std::get_if<CreateSession>(&effect))
      held.creating.push_back(create->effect);
    if (const auto* prompt = std::get_if<PromptSession>(&effect))
      held.starting.push_back(prompt->session);
  }
  if (held.creating.empty() && held.starting.empty()) return false;
  const auto answer = std::ranges::find_if(effects, [&](const Effect& effect) {
    const auto* reply = std::get_if<Reply>(&effect);
    return reply != nullptr && reply->request == *request;
  });
  if (answer == effects.end()) return false;
  held.answer = std::move(*answer);
  effects.erase(answer);
  held.deadline_ms = now_ms + kLongestMs;
  held_.push_back(std::move(held));
  return true;
}

void HeldReplies::follow(const SessionCreated& created, const Effects& effects) {
  const bool prompted = std::ranges::any_of(effects, [&](const Effect& effect) {
    const auto* prompt = std::get_if<PromptSession>(&effect);
    return prompt != nullptr && prompt->session == created.session;
  });
  for (Held& held : held_) {
    if (std::erase(held.creating, created.effect) > 0 && prompted)
      held.starting.push_back(created.session);
  }
}

void HeldReplies::forget(EffectId effect) {
  for (Held& held : held_) std::erase(held.creating, effect);
}

void HeldReplies::started(const SessionId& session) {
  for (Held& held : held_) std::erase(held.starting, session);
}

void HeldReplies::withdraw(const RequestId& request) {
  std::erase_if(held_, [&](const Held& held) {
    const auto* reply = std::get_if<Reply>(&held.answer);
    return reply != nullptr && reply->request == request;
  });
}

Effects HeldReplies::due(std::uint64_t now_ms) {
  Effects answers;
  std::erase_if(held_, [&](Held& held) {
    const bool over = held.creating.empty() && held.starting.empty();
    if (!over && now_ms < held.deadline_ms) return false;
    answers.push_back(std::move(held.answer));
    return true;
  });
  return answers;
}

}  // namespace orchestrator::runtime
