// Checks described values against the tags of their fields: ranges, keys of maps, names of models.

#ifndef ORCHESTRATOR_CODEC_LIMITS_H_
#define ORCHESTRATOR_CODEC_LIMITS_H_

#include <string>
#include <string_view>
#include <type_traits>

#include "codec/json.h"
#include "orchestrator/describe.h"

namespace orchestrator::codec {

namespace limits_detail {

[[nodiscard]] std::string join(const std::string& path, std::string_view key);
void check_range(double value, const Range& range, const std::string& path, Problems& problems);
void check_key(const std::string& key, const Keys& keys, const std::string& path,
               Problems& problems);
void check_model(const std::string& value, const std::string& path, Problems& problems);

template <class T>
void check(const T& value, const FieldTags& tags, const std::string& path, Problems& problems) {
  if constexpr (OptionalLike<T>) {
    if (value.has_value()) check(*value, tags, path, problems);
  } else if constexpr (VectorLike<T>) {
    if constexpr (DescribedStruct<typename T::value_type>) {
      for (std::size_t i = 0; i < value.size(); ++i)
        check(value[i], tags, path + "[" + std::to_string(i) + "]", problems);
    }
  } else if constexpr (MapLike<T>) {
    for (const auto& [key, item] : value) {
      const std::string here = join(path, key);
      if (tags.keys) check_key(key, *tags.keys, here, problems);
      check(item, tags, here, problems);
    }
  } else if constexpr (DescribedStruct<T>) {
    T::describe(value, [&](std::string_view key, const auto& field, const auto&... own) {
      check(field, tags_of(own...), join(path, key), problems);
    });
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (tags.model_values) check_model(value, path, problems);
  } else if constexpr (std::is_same_v<T, double> || IntegerLike<T>) {
    if (tags.range) check_range(static_cast<double>(value), *tags.range, path, problems);
  }
}

}  // namespace limits_detail

/// Appends every value that its field's tags do not allow. True: there is none.
template <DescribedStruct T>
bool check_limits(const T& value, Problems& problems) {
  const std::size_t before = problems.size();
  limits_detail::check(value, FieldTags{}, "", problems);
  return problems.size() == before;
}

}  // namespace orchestrator::codec

#endif  // ORCHESTRATOR_CODEC_LIMITS_H_
