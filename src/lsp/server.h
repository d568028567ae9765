#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lsp/connection.h"

namespace orchestrator::lsp {

/// The connection to a running server process; destroying it ends the process.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual void send(std::string bytes) = 0;
};

/// Starts a server's process.
class Launcher {
 public:
  virtual ~Launcher() = default;
  /// Output and the end of the process are reported with `life`.
  virtual base::Result<std::unique_ptr<Transport>> launch(std::uint64_t life) = 0;
};

struct CheckedFile {
  Document document;
  /// The text before the task, to find which errors are new; none: not needed or not known.
  std::optional<std::string> before;
};

using Diagnostics = std::vector<codec::ServerDiagnostic>;

struct CheckOutcome {
  struct File {
    std::optional<Diagnostics> now;     ///< none: not answered
    std::optional<Diagnostics> before;  ///< only where `now` has an error and there was a text
  };
  std::uint64_t check = 0;
  std::vector<File> files;
  std::string problem;  ///< why some file was not answered, as a clause; empty: all were
};

/// One language server of one project over all its lives: started at the first check, started again
/// after a crash (three times in ten minutes, each time after a longer delay), stopped when idle.
/// Checks are done one after the other, each within its own time. No I/O, no clock; see Connection.
class Server {
 public:
  static constexpr std::uint64_t kCrashWindowMs = 10 * 60'000;
  static constexpr std::size_t kCrashesMax = 3;
  static constexpr std::uint64_t kIdleMs = 5 * 60'000;

  Server(Profile profile, std::string root_uri, std::int64_t our_process, Launcher& launcher);

  /// Starts the server ahead of its first check, so that it has read the project by then.
  void warm(std::uint64_t now_ms);
  void check(std::uint64_t id, std::vector<CheckedFile> files, std::uint64_t deadline_ms,
             std::uint64_t now_ms);
  /// Cancels the check: its result is not needed any more.
  void forget(std::uint64_t id, std::uint64_t now_ms);
  /// A file that was written on disk; the server is notified before the next check.
  void note_changed(const std::string& uri);

  void on_bytes(std::uint64_t life, std::string_view bytes, std::uint64_t now_ms);
  void on_ended(std::uint64_t life, const std::string& how, std::uint64_t now_ms);
  void tick(std::uint64_t now_ms);
  [[nodiscard]] std::optional<std::uint64_t> wake_ms() const;

  /// Checks that ended since the last call.
  [[nodiscard]] std::vector<CheckOutcome> take_outcomes();
  [[nodiscard]] const Profile& profile() const { return profile_; }
  [[nodiscard]] bool running() const { return transport_ != nullptr; }

 private:
  enum class Pass { none, now, before };
  struct Check {
    std::uint64_t id = 0;
    std::vector<CheckedFile> files;
    std::uint64_t deadline_ms = 0;
    Pass pass = Pass::none;
    CheckOutcome outcome;
    std::vector<std::size_t> asked_before;  ///< indices of files of the second pass
  };

  void launch(std::uint64_t now_ms);
  void crashed(const std::string& how, std::uint64_t now_ms);
  void drop_process();
  /// Repeats the possible steps until nothing changes.
  void advance(std::uint64_t now_ms);
  bool advance_check(Check& check, std::uint64_t now_ms);
  void begin_before(Check& check, std::uint64_t now_ms);
  void finish_front(std::string problem, std::uint64_t now_ms);
  void expire(std::uint64_t now_ms);
  [[nodiscard]] bool exhausted(std::uint64_t now_ms);
  [[nodiscard]] std::string why_late() const;

  const Profile profile_;
  const std::string root_uri_;
  const std::int64_t our_process_;
  Launcher& launcher_;
  std::uint64_t life_ = 0;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Connection> connection_;
  std::deque<Check> checks_;  ///< the first one is being done
  std::vector<CheckOutcome> outcomes_;
  std::deque<std::uint64_t> crashes_ms_;
  std::string last_crash_;
  std::uint64_t start_again_ms_ = 0;
  std::uint64_t used_ms_ = 0;
  std::uint32_t late_ = 0;  ///< checks in a row that ran out of time
  bool stopping_ = false;
  std::uint64_t stop_ms_ = 0;  ///< when a server that was asked to exit is killed; 0: not asked
  bool cannot_start_ = false;
  std::set<std::string> changed_;
};

}  // namespace orchestrator::lsp
