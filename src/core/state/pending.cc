#include "core/state/pending.h"

namespace orchestrator::core {

Pending owner_of_timer(const State& state, TimerId timer) {
  Pending found;
  if (timer == 0) return found;
  for_each_timer(state, [&](Pending row, const TimerId& its) {
    if (its == timer) found = row;
  });
  return found;
}

Pending owner_of_effect(const State& state, EffectId effect) {
  Pending found;
  if (effect == 0) return found;
  for_each_effect(state, [&](Pending row, const EffectId& its) {
    if (its == effect) found = row;
  });
  return found;
}

Pending owner_of_call(const State& state, const RequestId& request) {
  Pending found;
  if (request.empty()) return found;
  for_each_call(state, [&](Pending row, const RequestId& its) {
    if (found.owner == Owner::none && its == request) found = row;
  });
  return found;
}

}  // namespace orchestrator::core
