#include <bit>
#include <string_view>
#include <variant>

#include "core/state/tasks.h"
#include "orchestrator/step.h"

namespace orchestrator {
namespace {

/// The digest is part of the log: a change of what is mixed, or how, changes the log's format.
class Mix {
 public:
  void add(std::uint64_t value) {
    sum_ = (sum_ ^ value) * 0x9E3779B97F4A7C15U;
    sum_ ^= sum_ >> 32U;
  }
  void add(std::string_view text) {
    std::uint64_t hash = 0xCBF29CE484222325U;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    add(hash);
  }
  [[nodiscard]] std::uint32_t sum() const {
    return static_cast<std::uint32_t>(sum_ >> 32U) ^ static_cast<std::uint32_t>(sum_);
  }

 private:
  std::uint64_t sum_ = 0;
};

/// Mixes an effect's ids, not its texts: texts are long, and the state's hash covers their sources.
struct MixEffect {
  explicit MixEffect(Mix& into) : mix(into) {}

  template <class E>
  void operator()(const E& effect) const {
    if constexpr (requires { effect.effect; }) mix.add(effect.effect);
    if constexpr (requires { effect.session; }) mix.add(effect.session.value);
    if constexpr (requires { effect.timer; }) mix.add(effect.timer);
    if constexpr (requires { effect.delay_ms; })
      mix.add(static_cast<std::uint64_t>(effect.delay_ms));
    if constexpr (requires { effect.request; }) mix.add(request_of(effect));
    if constexpr (requires { effect.ok; }) mix.add(effect.ok ? 1U : 0U);
  }

 private:
  Mix& mix;

  template <class E>
  static std::string_view request_of(const E& effect) {
    if constexpr (requires { effect.request.value; }) {
      return effect.request.value;
    } else {
      return effect.request;
    }
  }
};

}  // namespace

std::uint32_t step_digest(const State& state, const Effects& effects) {
  Mix mix;
  mix.add(static_cast<std::uint64_t>(state.phase));
  mix.add(state.last_seq);
  mix.add(state.clock.next_effect);
  mix.add(state.clock.next_timer);
  mix.add(state.iteration);
  mix.add(state.parallel);
  mix.add(state.tasks.size());
  mix.add(state.sessions.size());
  mix.add(state.receipts.size());
  mix.add(state.budget.tokens);
  mix.add(std::bit_cast<std::uint64_t>(state.budget.usd));
  for (const ModelLoad& load : state.limiter.models) {
    mix.add(load.limit);
    mix.add(static_cast<std::uint64_t>(load.breaker));
    mix.add(static_cast<std::uint64_t>(load.not_before_ms));
  }
  mix.add(static_cast<std::uint64_t>(state.limiter.load));
  mix.add(state.dormant ? 1U : 0U);
  mix.add(state.recovery.effect);
  Metrics::describe(state.metrics, [&](std::string_view, std::uint64_t count) { mix.add(count); });
  mix.add(effects.size());
  for (const Effect& effect : effects) {
    mix.add(effect.index());
    std::visit(MixEffect{mix}, effect);
  }
  return mix.sum();
}

}  // namespace orchestrator
