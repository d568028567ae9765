#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace orchestrator {

/// A string id with a type of its own, so that a session's id cannot be used as a task's.
template <class Tag>
struct Id {
  using IdTag = Tag;
  std::string value;

  Id() = default;
  explicit Id(std::string text) : value(std::move(text)) {}

  [[nodiscard]] bool empty() const { return value.empty(); }
  auto operator<=>(const Id&) const = default;
};

/// `m-<time>-<random>`: chosen by the runtime, never by a model.
using MissionId = Id<struct MissionTag>;
/// Chosen by the plan, unique in its mission; see `valid_task_id`.
using TaskId = Id<struct TaskTag>;
/// The host's own id of a permission request.
using PermissionId = Id<struct PermissionTag>;
/// The host's own session id.
using SessionId = Id<struct SessionTag>;
/// Hook or tool call of the JS side that waits for a `Reply`. Unique in a process, not durable.
using RequestId = Id<struct RequestTag>;

/// Id of an effect, which the event that completes it carries as well. Unique in a mission; 0 is
/// "none".
using EffectId = std::uint64_t;
/// Id of a timer of a mission; 0 is "none".
using TimerId = std::uint64_t;
/// Milliseconds since the Unix epoch. The only clock that `step` knows is the time in its event.
using TimeMs = std::int64_t;

}  // namespace orchestrator

template <class Tag>
struct std::hash<orchestrator::Id<Tag>> {
  std::size_t operator()(const orchestrator::Id<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.value);
  }
};
