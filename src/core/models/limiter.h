#pragma once

#include <string>

#include "core/state/context.h"

/// How much is asked of each model at once, and of the machine in all. Additive increase,
/// multiplicative decrease: a limit grows by one after a run of good answers while it is used up,
/// and is halved when the provider asks for patience, once for each congestion rather than once for
/// each session that meets it. A model that only fails is given a rest, each longer than the one
/// before; one session then tries it. What it was asked for meanwhile goes to its stand-in, where
/// the user has named one (`fallback`). docs/design/concurrency.md tells it in full.
namespace orchestrator::core {

/// So many failures of a model in a row, of whatever sessions, and it rests.
inline constexpr std::uint32_t kFailuresMax = 6;
inline constexpr TimeMs kCooldownFirstMs = 5'000;
inline constexpr TimeMs kCooldownMaxMs = 300'000;
/// A model that failed again after so many rests is not waited for any longer: half an hour.
inline constexpr std::uint32_t kCooldownsMax = 10;
/// A session goes on with its own model after so many failures in a row, then with its stand-in.
inline constexpr std::uint32_t kFaultsInSession = 2;

/// Which model a session of `role` is to be asked with now, and whether it may be. `session`: one
/// that is there already, or null; its own slot is not counted against it.
struct Choice {
  bool now = false;
  std::string model;      ///< for the prompt; empty: the host's choice
  bool fallback = false;  ///< it is not the one that the user has chosen for the role
};
[[nodiscard]] Choice choose_model(const State& state, TimeMs now_ms, Role role,
                                  const Session* session);
/// Whether any further session may be begun at all.
[[nodiscard]] bool has_room(const State& state);
/// Whether a turn that goes on by itself with its model keeps the limits, in all and of that model.
[[nodiscard]] bool has_room_for(const State& state, const Session& session);
/// The model that this one asks wants to be left alone for now.
[[nodiscard]] bool is_cooling_down(const Context& ctx, const Session& session);

/// What the host says of the model of a session's requests. Null: the Commander's.
void note_model(Context& ctx, Session* session, const std::string& model);
/// An answer with something in it. Null: the Commander's.
void on_good_answer(Context& ctx, Session* session);
/// The host repeats a request by itself after a while.
void on_retried(Context& ctx, const SessionRetried& event);
/// A turn failed for good because of its model.
void on_model_fault(Context& ctx, const Session& session, Fault fault, const std::string& message);
/// Its model will not answer before a person has done something, or has not for half an hour, and
/// there is no stand-in.
[[nodiscard]] bool is_hopeless(const State& state, const Session& session);
/// Whether the user has named another model for when this session's fails.
[[nodiscard]] bool has_fallback(const State& state, const Session& session);
/// "provider/model: what it said last".
[[nodiscard]] std::string model_trouble(const State& state, const Session& session);
/// The host could not make a session or take a prompt.
void on_host_trouble(Context& ctx);
void on_load_changed(Context& ctx, const LoadChanged& event);

/// Starts the timer that looks at what waits again, where time alone can free it, or `soon`.
void watch_models(Context& ctx, bool soon);
/// Models whose rest or whose provider's delay is over may be asked again.
void end_cooldowns(Context& ctx);
/// Whether the timer was the limiter's.
void on_limiter_timer(Context& ctx);
/// A new process, or a person: nobody waits for what was.
void forget_cooldowns(State& state);

/// A line for people about models that are not as they should be; empty where all are.
[[nodiscard]] std::string models_line(const State& state);
/// "provider/model" of a session, as far as it is known.
[[nodiscard]] const std::string& model_of(const State& state, const Session& session);

}  // namespace orchestrator::core
