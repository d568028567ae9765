#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace orchestrator {

/// A name that cannot be mistaken for another kind of name: a session is never a task.
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
/// Chosen by a plan, unique in its mission; see `valid_task_id`.
using TaskId = Id<struct TaskTag>;
/// The host's own id of a permission request.
using PermissionId = Id<struct PermissionTag>;
/// The host's own session id.
using SessionId = Id<struct SessionTag>;
/// A hook or tool call of the JS side that waits for a `Reply`. Unique in a process, not durable.
using RequestId = Id<struct RequestTag>;

/// Names an effect, so that its completion event can say which one it completes. Unique in a
/// mission, 0 is "none".
using EffectId = std::uint64_t;
/// Names a timer of a mission. 0 is "none".
using TimerId = std::uint64_t;
/// Milliseconds since the Unix epoch. `step` sees no other clock than the one in its event.
using TimeMs = std::int64_t;

}  // namespace orchestrator

template <class Tag>
struct std::hash<orchestrator::Id<Tag>> {
  std::size_t operator()(const orchestrator::Id<Tag>& id) const noexcept {
    return std::hash<std::string>{}(id.value);
  }
};
