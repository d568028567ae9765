#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "orchestrator/effect.h"
#include "orchestrator/event.h"

namespace orchestrator::opencode_model {

/// The time between the end of an answer that asks for no tool and the session's idle.
inline constexpr TimeMs kIdleAfterAnswerMs = 5;

/// What OpenCode says of a provider's answer that it tries again, and how often it does so.
inline constexpr const char* kRateLimited = "Too Many Requests: rate limit reached";
inline constexpr const char* kOverloaded = "Provider is overloaded";
inline constexpr const char* kProviderBroken = "Internal server error";
inline constexpr std::array kRetryWords{kRateLimited, kOverloaded, kProviderBroken};
inline constexpr std::uint32_t kRetriesMax = 5;

/// The least time that OpenCode waits before it repeats a request; attempts count from 1.
[[nodiscard]] constexpr TimeMs retry_delay_ms(std::uint32_t attempt) {
  return TimeMs{1000} << attempt;
}

/// Events that the plugin hears of at one moment, so long after their cause.
struct Told {
  TimeMs after_ms = 0;
  std::vector<Happening> events;
};

/// One session of OpenCode: what its database keeps of it, and the turn that runs in it. The rules
/// of docs/design/host-contract.md stand here once: when a message begins a turn, joins one or is
/// lost, what the host reports when a turn ends or breaks, and what an inspection of the session
/// shows. Its users (the unit tests' host, the simulator's host) have the clock, the models and the
/// faults: they call it when something is due, and deliver what it reports.
///
/// `life` is the number of the turn. A caller that plans something for a turn keeps its number, and
/// the functions that take one do nothing once a newer turn has begun.
struct SessionModel {
  // In the database: outlives the process.
  SessionId id;
  Role role = Role::none;
  TaskId task;
  EffectId creation = 0;  ///< 0: a person's session
  EffectId prompt = 0;    ///< the newest that has arrived
  std::string model;      ///< that this prompt names; empty: the host's own
  bool answered = false;  ///< the newest message is a completed answer

  // In the process.
  bool running = false;
  bool dying = false;      ///< between the idle before its time and the real one, after an error
  bool continued = false;  ///< a message has joined the running turn
  bool in_tool = false;
  RequestId blocked;  ///< a call, or a hook, that waits for the engine
  std::uint64_t life = 0;

  enum class Arrival : std::uint8_t { lost, joined, begins };
  enum class End : std::uint8_t { void_already, goes_on, idle };

  /// The host has stored a prompt of the engine; whether it wakes the session is `message`'s
  /// matter.
  void store(const PromptSession& effect);
  /// What the newest message does. In a dying turn it is stored, and never answered.
  [[nodiscard]] Arrival message();
  /// Begins a turn. \returns its number
  std::uint64_t begin_turn();
  /// The model reads what has joined its turn.
  void read_messages() { continued = false; }
  /// `kIdleAfterAnswerMs` after an answer that asks for no tool.
  [[nodiscard]] End finish_turn(std::uint64_t of_life);
  /// An abort, or an error of the provider, reaches a turn that is not dying already.
  [[nodiscard]] bool can_break() const { return running && !dying; }
  /// The turn ends with an error; the answer to `blocked` is not read any more. \returns its
  /// number from now on, for `end_broken_turn`
  std::uint64_t break_turn();
  /// The real idle after an error. \returns whether it is one: the session is idle, and says so
  [[nodiscard]] bool end_broken_turn(std::uint64_t of_life);
  /// The process has ended, or the host has thrown the instance away: it reports nothing.
  void lose_turn();

  [[nodiscard]] SessionInspected inspected(EffectId effect) const;
  [[nodiscard]] FoundSession found() const;
  /// What the host reports of a turn that breaks, in order, except the real idle.
  /// \param message the host's id of the message that holds the error
  [[nodiscard]] std::vector<Told> broken(const std::string& error, const std::string& words,
                                         std::int64_t status, const std::string& message,
                                         const std::string& of_model) const;

 private:
  [[nodiscard]] bool calls_tool() const { return in_tool || (running && !blocked.empty()); }
};

}  // namespace orchestrator::opencode_model
