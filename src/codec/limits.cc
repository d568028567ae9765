#include "codec/limits.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/nearest.h"

namespace orchestrator::codec::limits_detail {
namespace {

std::string number(double value) {
  constexpr double kExact = 9e15;
  if (value == std::trunc(value) && std::abs(value) <= kExact)
    return std::to_string(static_cast<std::int64_t>(value));
  return std::to_string(value);
}

bool names_model(std::string_view text) { return text.find('/') != std::string_view::npos; }

}  // namespace

std::string join(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

void check_range(double value, const Range& range, const std::string& path, Problems& problems) {
  if (value >= range.min && value <= range.max) return;
  problems.push_back({path, "is " + number(value) + ", must be from " + number(range.min) + " to " +
                                number(range.max)});
}

void check_key(const std::string& key, const Keys& keys, const std::string& path,
               Problems& problems) {
  if (std::ranges::find(keys.names, key) != keys.names.end()) return;
  if (keys.models && names_model(key)) return;
  if (keys.names.empty()) return check_model(key, path, problems);
  std::string known;
  for (const std::string_view name : keys.names)
    known += (known.empty() ? "" : ", ") + std::string(name);
  if (keys.models) known += std::string(known.empty() ? "" : " and ") + "any \"provider/model\"";
  const auto close = base::nearest(key, keys.names);
  const std::string hint = close ? "; did you mean \"" + std::string(*close) + "\"?" : "";
  problems.push_back(
      {path, "unknown key" + hint + (close ? " Known are " : "; known are ") + known});
}

void check_model(const std::string& value, const std::string& path, Problems& problems) {
  if (!names_model(value)) problems.push_back({path, "write \"provider/model\""});
}

}  // namespace orchestrator::codec::limits_detail
