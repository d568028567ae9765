#include <algorithm>

#include "sim/simulation.h"

namespace orchestrator::sim {

std::vector<Hit> shrink(const RunOptions& options, const RunResult& failed,
                        std::uint32_t runs_most) {
  std::vector<Hit> needed = failed.hits;
  if (!failed.violation) return needed;
  const std::string invariant = failed.violation->invariant;
  std::uint32_t runs = 0;
  const auto still_fails = [&](const std::vector<Hit>& hits, std::vector<Hit>& happened) {
    if (runs++ >= runs_most) return false;
    RunOptions less = options;
    less.only = hits;
    less.trace_lines = 0;
    const RunResult result = simulate(less);
    happened = result.hits;
    return result.violation && result.violation->invariant == invariant;
  };
  // Delta debugging: leave out halves first, then quarters, and so on down to single faults.
  for (std::size_t part = (needed.size() + 1) / 2; part > 0 && !needed.empty();) {
    bool smaller = false;
    for (std::size_t at = 0; at < needed.size();) {
      std::vector<Hit> rest = needed;
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(at),
                 rest.begin() + static_cast<std::ptrdiff_t>(std::min(at + part, rest.size())));
      std::vector<Hit> happened;
      if (still_fails(rest, happened)) {
        needed = happened;  // some of the remaining faults may not have happened
        smaller = true;
      } else {
        at += part;
      }
    }
    if (runs >= runs_most) break;
    if (part == 1 && !smaller) break;
    part = part == 1 ? 1 : (part + 1) / 2;
    part = std::min(part, std::max<std::size_t>(needed.size(), 1));
  }
  return needed;
}

}  // namespace orchestrator::sim
