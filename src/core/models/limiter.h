#pragma once

#include <string>

#include "core/state/context.h"

/// The limiter: how many sessions may ask each model at once, and how many may run in all. Additive
/// increase, multiplicative decrease: a limit grows by one after a run of good answers while it is
/// used up, and is halved when the provider reports congestion, once for each congestion rather
/// than once for each session that meets it. A model that only fails gets a cooldown, each longer
/// than the one before; then one session tries it. Meanwhile its sessions use the fallback, if the
/// user has named one (`fallback`). Described in docs/design/concurrency.md.
namespace orchestrator::core {

/// Failures of a model in a row, of any sessions, before its cooldown.
inline constexpr std::uint32_t kFailuresMax = 6;
inline constexpr TimeMs kCooldownFirstMs = 5'000;
inline constexpr TimeMs kCooldownMaxMs = 300'000;
/// Cooldowns in a row after which a model is given up: about half an hour.
inline constexpr std::uint32_t kCooldownsMax = 10;
/// Failures in a row with its own model after which a session goes on with the fallback; with one
/// more the session is lost.
inline constexpr std::uint32_t kModelFailuresInSession = 2;

/// The model for a session of `role`, and whether it may be asked now. `session`: an existing one,
/// whose own slot is not counted against it, or null.
struct Choice {
  bool now = false;
  std::string model;      ///< for the prompt; empty: the host's choice
  bool fallback = false;  ///< `model` is not the user's choice for the role
};
[[nodiscard]] Choice choose_model(const State& state, TimeMs now_ms, Role role,
                                  const Session* session);
/// Whether one more session may begin, whatever its model.
[[nodiscard]] bool has_room(const State& state);
/// Whether a turn that the host began by itself keeps the limits, in all and of its model.
[[nodiscard]] bool has_room_for(const State& state, const Session& session);
/// Whether the model of this session is in a cooldown or a delay of its provider.
[[nodiscard]] bool is_cooling_down(const Context& ctx, const Session& session);

/// Records the model that the host reports for a session (null: the Commander).
void note_model(Context& ctx, Session* session, const std::string& model);
/// Counts an answer that was not empty (null: the Commander's).
void on_good_answer(Context& ctx, Session* session);
/// The host will repeat a failed request by itself after a delay.
void on_retried(Context& ctx, const SessionRetried& event);
/// A turn failed, without a further retry of the host, because of its model.
void on_model_failure(Context& ctx, const Session& session, ErrorClass error_class,
                      const std::string& message);
/// Whether the session's model will not answer until a person acts, or was given up after
/// `kCooldownsMax` cooldowns, and there is no fallback.
[[nodiscard]] bool is_hopeless(const State& state, const Session& session);
/// Whether the user has named a fallback for this session's model.
[[nodiscard]] bool has_fallback(const State& state, const Session& session);
/// "provider/model: its newest error".
[[nodiscard]] std::string model_trouble(const State& state, const Session& session);
/// The host could not create a session or accept a prompt.
void on_host_trouble(Context& ctx);
void on(Context& ctx, const LoadChanged& event);

/// Starts the timer after which held sessions are checked again, if time alone can free them or
/// `soon` is set.
void watch_models(Context& ctx, bool soon);
/// Ends the cooldowns and the provider's delays that are over.
void end_cooldowns(Context& ctx);
void on_limiter_timer(Context& ctx);
/// Ends all cooldowns: a new process has taken up the mission, or a person resumed it.
void forget_cooldowns(State& state);

/// A line for people about models that fail or are slowed down; empty: there are none.
[[nodiscard]] std::string models_line(const State& state);
/// "provider/model" of a session; empty: not known.
[[nodiscard]] const std::string& model_of(const State& state, const Session& session);

}  // namespace orchestrator::core
