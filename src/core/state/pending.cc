#include "core/state/pending.h"

namespace orchestrator::core {
namespace {

/// Keeps the first row of a table that holds `id`.
template <class Id>
struct Search {
  const Id& id;
  Pending& found;
  void operator()(Pending row, const Id& its) const {
    if (found.owner == Owner::none && its == id && id != Id{}) found = row;
  }
};

}  // namespace

Pending owner_of_timer(const State& state, TimerId timer) {
  Pending found;
  for_each_timer(state, Search<TimerId>{timer, found});
  return found;
}

Pending owner_of_effect(const State& state, EffectId effect) {
  Pending found;
  for_each_effect(state, Search<EffectId>{effect, found});
  return found;
}

Pending owner_of_call(const State& state, const RequestId& request) {
  Pending found;
  for_each_call(state, Search<RequestId>{request, found});
  return found;
}

}  // namespace orchestrator::core
