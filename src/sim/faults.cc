#include "sim/faults.h"

#include <algorithm>
#include <charconv>

namespace orchestrator::sim {
namespace {

struct Kind {
  std::string_view name;
  std::uint32_t rate;  ///< per million occasions, in a run that has it with a common strength
};

/// In the order of `Fault`. Occasions differ: a call into the file system comes hundreds of times
/// in a run, the death of a process a few times.
constexpr std::array<Kind, kFaults> kKinds{{
    {"die_at_write", 4'000},
    {"die", 10'000},
    {"power_cut", 500'000},
    {"restart", 5'000},
    {"reload", 5'000},
    {"instance", 5'000},
    {"read_error", 500},
    {"write_error", 500},
    {"sync_error", 500},
    {"disk_full", 200},
    {"lose_log", 1'000},
    {"lose_snapshot", 5'000},
    {"lose_todo", 5'000},
    {"rot_log", 1'000},
    {"rot_snapshot", 2'000},
    {"event_late", 50'000},
    {"event_lost", 50'000},
    {"event_doubled", 100'000},
    {"early_idle", 50'000},
    {"create_failed", 80'000},
    {"create_silent", 30'000},
    {"prompt_failed", 80'000},
    {"prompt_half_failed", 50'000},
    {"prompt_silent", 50'000},
    {"prompt_vanished", 80'000},
    {"abort_failed", 100'000},
    {"inspect_failed", 100'000},
    {"inspect_silent", 100'000},
    {"find_failed", 200'000},
    {"find_silent", 200'000},
    {"harvest_doubled", 200'000},
    {"turn_failed", 80'000},
    {"turn_overflowed", 50'000},
    {"turn_hangs", 50'000},
    {"turn_hangs_in_tool", 40'000},
    {"host_retries", 60'000},
    {"session_deleted", 20'000},
    {"host_forgets", 300'000},
    {"model_silent", 100'000},
    {"model_rejects", 200'000},
    {"model_repeats", 60'000},
    {"model_claims", 100'000},
    {"model_lazy", 100'000},
    {"model_trespasses", 100'000},
    {"model_plans_badly", 300'000},
    {"model_changes_plan", 200'000},
    {"model_goes_red", 100'000},
    {"model_calls_strange", 50'000},
    {"model_asks", 60'000},
    {"person_speaks", 60'000},
    {"person_escapes", 40'000},
    {"person_pauses", 40'000},
    {"person_stops", 15'000},
    {"person_resumes", 40'000},
    {"person_starts_beside", 40'000},
    {"person_deletes_root", 15'000},
    {"provider_gives_nothing", 60'000},
    {"provider_refuses", 10'000},
    {"tool_fails", 60'000},
    {"machine_is_busy", 100'000},
    {"model_delegates", 200'000},
    {"model_goes_on", 100'000},
    {"git_fails", 60'000},
    {"git_slow", 60'000},
    {"open_failed", 200'000},
    {"dispose_failed", 200'000},
    {"person_writes", 20'000},
    {"person_edits_todo", 20'000},
}};

constexpr std::uint64_t kMillion = 1'000'000;

}  // namespace

std::string_view name_of(Fault fault) {
  return fault == Fault::count ? "none" : kKinds[static_cast<std::size_t>(fault)].name;
}

std::optional<Fault> fault_of(std::string_view name) {
  for (std::size_t i = 0; i < kFaults; ++i) {
    if (kKinds[i].name == name) return static_cast<Fault>(i);
  }
  return std::nullopt;
}

std::string to_text(const std::vector<Hit>& hits) {
  std::string text;
  for (const Hit& hit : hits) {
    text +=
        (text.empty() ? "" : ",") + std::string(name_of(hit.fault)) + ":" + std::to_string(hit.nth);
  }
  return text;
}

std::optional<std::vector<Hit>> parse_hits(std::string_view text) {
  std::vector<Hit> hits;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    const std::size_t colon = one.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto fault = fault_of(one.substr(0, colon));
    const std::string_view number = one.substr(colon + 1);
    std::uint32_t nth = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), nth);
    if (!fault || error != std::errc{} || end != number.data() + number.size()) return std::nullopt;
    hits.push_back({*fault, nth});
  }
  return hits;
}

Faults::Faults(std::uint64_t seed, std::optional<std::vector<Hit>> only)
    : seed_(mix(seed, 11)), only_(std::move(only)) {
  if (only_) std::ranges::sort(*only_);
  Random random(mix(seed, 12));
  // One run in sixteen has no fault at all; the others have from a few kinds to half of them.
  const std::uint32_t share = random.pick(16) == 0 ? 0 : random.between(4, 50);
  for (std::size_t i = 0; i < kFaults; ++i) {
    const bool has = random.chance(share);
    const std::uint32_t strength = random.pick(4);  // half, common, double, four times
    if (!has) continue;
    const std::uint64_t rate = (std::uint64_t{kKinds[i].rate} << strength) / 2;
    rates_[i] = static_cast<std::uint32_t>(std::min(rate, kMillion));
  }
}

Faults Faults::everyday(std::uint64_t seed) {
  Faults faults(seed, std::nullopt);
  faults.rates_ = {};
  const auto has = [&](Fault fault, std::uint32_t rate) { faults.rates_[index(fault)] = rate; };
  has(Fault::die, 500);
  has(Fault::power_cut, 300'000);
  has(Fault::restart, 300);
  has(Fault::event_lost, 5'000);
  has(Fault::event_doubled, 10'000);
  has(Fault::event_late, 5'000);
  has(Fault::create_failed, 10'000);
  has(Fault::prompt_failed, 10'000);
  has(Fault::prompt_vanished, 5'000);
  has(Fault::turn_failed, 20'000);
  has(Fault::turn_hangs, 2'000);
  has(Fault::model_silent, 20'000);
  has(Fault::person_speaks, 2'000);
  has(Fault::person_pauses, 1'000);
  return faults;
}

bool Faults::hit(Fault fault) {
  const std::size_t i = index(fault);
  const std::uint32_t nth = occasions_[i]++;
  if (healed_ || rates_[i] == 0) return false;
  if (mix(seed_ + i, nth) % kMillion >= rates_[i]) return false;
  const Hit hit{fault, nth};
  if (only_ && !std::ranges::binary_search(*only_, hit)) return false;
  hits_.push_back(hit);
  happened_[i] = true;
  return true;
}

Random Faults::detail(Fault fault) const {
  const std::size_t i = index(fault);
  return Random(mix(seed_ + i, (std::uint64_t{1} << 40U) + occasions_[i]));
}

}  // namespace orchestrator::sim
