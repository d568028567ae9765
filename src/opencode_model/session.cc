#include "opencode_model/session.h"

namespace orchestrator::opencode_model {

void SessionModel::store(const PromptSession& effect) {
  prompt = effect.effect;
  model = effect.model;
  answered = false;
}

SessionModel::Arrival SessionModel::message() {
  if (dying) return Arrival::lost;
  if (!running) return Arrival::begins;
  continued = true;
  return Arrival::joined;
}

std::uint64_t SessionModel::begin_turn() {
  running = true;
  answered = continued = in_tool = false;
  return ++life;
}

SessionModel::End SessionModel::finish_turn(std::uint64_t of_life) {
  if (life != of_life || dying) return End::void_already;
  if (continued) return End::goes_on;
  running = false;
  answered = true;
  return End::idle;
}

std::uint64_t SessionModel::break_turn() {
  dying = true;
  in_tool = false;
  blocked = RequestId{};
  return ++life;
}

bool SessionModel::end_broken_turn(std::uint64_t of_life) {
  if (life != of_life) return false;
  running = dying = false;
  return true;
}

void SessionModel::lose_turn() {
  life += 1;
  running = dying = continued = in_tool = false;
  blocked = RequestId{};
}

SessionInspected SessionModel::inspected(EffectId effect) const {
  return {effect, id, true, running, calls_tool(), answered};
}

FoundSession SessionModel::found() const {
  return {id, creation, running, calls_tool(), answered, prompt};
}

std::vector<Told> SessionModel::broken(const std::string& error, const std::string& words,
                                       std::int64_t status, const std::string& message,
                                       const std::string& of_model) const {
  TurnEnded ended{id, 0, 0, false, message, of_model};
  ended.failed = true;
  return {{1, {SessionErrored{id, error, words, status}, ended}}, {2, {SessionIdled{id}}}};
}

}  // namespace orchestrator::opencode_model
