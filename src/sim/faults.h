#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/random.h"

/// What goes wrong in a simulated run. Every decision hangs on the seed, the kind of the fault and
/// how many occasions for it there were, and on nothing else: so decisions can be switched off one
/// by one, and the others stay.
namespace orchestrator::sim {

enum class Fault : std::uint8_t {
  // The process and its disk.
  die_at_write,  ///< the process dies before or after a call into the file system
  die,           ///< … at any other moment
  power_cut,     ///< a death takes what was not synced with it
  restart,       ///< the process ends in good order, and a new one starts
  reload,        ///< the host throws the plugin's instance away and makes a new one
  instance,      ///< the host makes a second instance of the plugin
  read_error,
  write_error,  ///< a write, a rename, a removal or a new directory fails
  sync_error,   ///< and what was not synced may be dropped, as Linux does
  disk_full,    ///< for a while
  lose_log,
  lose_snapshot,
  lose_todo,
  rot_log,
  rot_snapshot,
  // The host.
  event_late,
  event_lost,
  event_doubled,
  early_idle,
  create_failed,
  create_silent,
  prompt_failed,
  prompt_half_failed,  ///< the host has it, and says that it failed
  prompt_silent,       ///< the host answers it, and never says that it has it
  prompt_vanished,     ///< accepted, and never answered
  abort_failed,
  inspect_failed,
  inspect_silent,
  find_failed,
  find_silent,
  harvest_doubled,
  turn_failed,
  turn_overflowed,
  turn_hangs,
  turn_hangs_in_tool,
  host_retries,
  session_deleted,
  host_forgets,  ///< with the process, the last things in the host's own database die
  // Models.
  model_silent,
  model_rejects,
  model_repeats,
  model_claims,
  model_lazy,
  model_trespasses,
  model_plans_badly,
  model_changes_plan,
  model_goes_red,
  model_calls_strange,
  model_asks,  ///< a tool call that needs a person's permission
  // Persons.
  person_speaks,
  person_escapes,
  person_pauses,
  person_stops,
  person_resumes,
  person_starts_beside,
  person_deletes_root,
  // Providers and the machine.
  provider_gives_nothing,  ///< an answer without text and tool call
  provider_refuses,        ///< a wrong key: it does not pass by itself
  tool_fails,              ///< the same error a few times running
  machine_is_busy,
  model_delegates,
  model_goes_on,  ///< it calls tools after its accepted submission, and the host lets it
  // Git, and what the host does with worktrees.
  git_fails,
  git_slow,
  open_failed,     ///< the host does not open a worktree ahead
  dispose_failed,  ///< the host does not let go of a worktree
  person_writes,   ///< a file of the project changes under the mission's hands
  person_edits_todo,
  count
};
inline constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::count);

[[nodiscard]] std::string_view name_of(Fault fault);
[[nodiscard]] std::optional<Fault> fault_of(std::string_view name);

/// One decision: the `nth` occasion for a fault.
struct Hit {
  Fault fault = Fault::count;
  std::uint32_t nth = 0;
  auto operator<=>(const Hit&) const = default;
};
[[nodiscard]] std::string to_text(const std::vector<Hit>& hits);
/// `die:3,event_lost:17`, or nothing where it is malformed.
[[nodiscard]] std::optional<std::vector<Hit>> parse_hits(std::string_view text);

class Faults {
 public:
  /// Draws which kinds this run has, and how often each comes (swarm testing: a run in which
  /// everything goes wrong never gets far). `only`: nothing but these may happen.
  Faults(std::uint64_t seed, std::optional<std::vector<Hit>> only);
  /// Those of everyday life, each of them now and then: for a mission that lasts.
  static Faults everyday(std::uint64_t seed);

  /// Whether it happens now. Each call is an occasion.
  [[nodiscard]] bool hit(Fault fault);
  /// Chance for the details of the newest hit.
  [[nodiscard]] Random detail(Fault fault) const;
  /// No more faults from now on.
  void heal() { healed_ = true; }
  [[nodiscard]] bool healed() const { return healed_; }
  [[nodiscard]] bool enabled(Fault fault) const { return rates_[index(fault)] > 0; }
  /// What has happened so far, in its order.
  [[nodiscard]] const std::vector<Hit>& hits() const { return hits_; }
  [[nodiscard]] bool has_hit(Fault fault) const { return happened_[index(fault)]; }

 private:
  static constexpr std::size_t index(Fault fault) { return static_cast<std::size_t>(fault); }

  std::uint64_t seed_;
  std::array<std::uint32_t, kFaults> rates_{};  ///< per million occasions
  std::array<std::uint32_t, kFaults> occasions_{};
  std::array<bool, kFaults> happened_{};
  std::optional<std::vector<Hit>> only_;
  std::vector<Hit> hits_;
  bool healed_ = false;
};

}  // namespace orchestrator::sim
