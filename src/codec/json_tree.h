// A described value as a nlohmann document, for the few callers that edit one. Compiling it takes
// 3 s; use text (codec/json.h) otherwise.

#ifndef ORCHESTRATOR_CODEC_JSON_TREE_H_
#define ORCHESTRATOR_CODEC_JSON_TREE_H_

#include <nlohmann/json.hpp>

#include "codec/json.h"

namespace orchestrator::codec {

/// The value as a tree whose keys are in the order of `describe`. Invalid UTF-8 is replaced by
/// U+FFFD.
template <class T>
[[nodiscard]] nlohmann::ordered_json to_json(const T& value) {
  return nlohmann::ordered_json::parse(dump(value));
}

}  // namespace orchestrator::codec

#endif  // ORCHESTRATOR_CODEC_JSON_TREE_H_
