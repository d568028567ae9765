#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/directory.h"
#include "lsp/server.h"
#include "orchestrator/options.h"
#include "os/file_system.h"

namespace orchestrator::runtime {

/// What is known of one file after a check.
struct FileReport {
  std::string path;      ///< relative to the project
  std::string language;  ///< a key of the configuration; empty: no server is known for such a file
  std::string server;    ///< the server that was asked; empty: none
  std::string skipped;   ///< why no server was asked, as a clause
  bool missing = false;  ///< a server could be asked, but this machine has none
  bool configured = false;  ///< the project tells its server how it is built
  std::string text;         ///< what was asked about
  std::optional<lsp::Diagnostics> now;
  bool before_known = false;  ///< it is known what the file was before the mission wrote it
  std::optional<std::string> text_before;  ///< none: there was no such file
  std::optional<lsp::Diagnostics> before;  ///< of `text_before`; only where `now` has errors
};

struct CheckReport {
  std::uint64_t check = 0;
  std::vector<FileReport> files;
  std::vector<std::string> problems;  ///< sentences: a server that did not answer, and why
};

/// The language servers of one project directory: one for each language, found on PATH or named by
/// the configuration, started when a file of its language is first written or asked about. Engine
/// thread.
///
/// A program inside of the project is run only where the configuration names it: what a repository
/// contains must not run because the repository was opened.
class LanguageServers {
 public:
  /// `root` is canonical; `program_path` is like PATH, empty: nothing is found. `on_news` is
  /// called, from outside of any other call, when take_reports() may have something.
  LanguageServers(os::FileSystem& fs, std::string root, std::string program_path,
                  std::function<void(engine::Outbox&)> on_news);
  ~LanguageServers();
  LanguageServers(const LanguageServers&) = delete;
  LanguageServers& operator=(const LanguageServers&) = delete;

  /// A mission begins, or is loaded: other servers may be wanted, and nothing is known of files
  /// yet.
  void begin(const Options& options);
  /// A mission session may now write this file: keeps the text that it had before the first time,
  /// and lets its server read the project meanwhile.
  void note_write(const std::string& path, engine::Outbox& outbox);

  /// Asks about these files (relative paths); answered through take_reports(), at the latest in
  /// `within_ms`. `compare`: also about their texts before the mission.
  std::uint64_t check(const std::vector<std::string>& paths, bool compare, std::uint64_t within_ms,
                      engine::Outbox& outbox);
  /// Cancels the check: its result is not needed any more.
  void forget(std::uint64_t check, engine::Outbox& outbox);
  [[nodiscard]] std::vector<CheckReport> take_reports();

  /// Whether a server would be asked about this file, had it one: its language is known, and the
  /// project tells enough.
  [[nodiscard]] bool is_checkable(const std::string& path) const;
  /// Time has passed: see `kTimer`.
  void tick(engine::Outbox& outbox);
  /// The timer that it uses.
  static constexpr std::uint64_t kTimer = (std::uint64_t{1} << 62U) + 100;

 private:
  struct Slot;
  /// A check of which some servers have not answered yet.
  struct Pending {
    CheckReport report;
    /// language -> the files that its server was asked about, as indices
    std::map<std::string, std::vector<std::size_t>> open;
  };

  Slot& slot_of(std::string_view language);
  void choose(Slot& slot);
  [[nodiscard]] std::string find_program(const std::string& name) const;
  [[nodiscard]] bool is_inside(const std::string& path) const;
  [[nodiscard]] bool is_configured(const std::string& path, std::string_view language) const;
  [[nodiscard]] std::string uri_of(const std::string& path) const;
  FileReport look_at(const std::string& path, bool compare) const;
  void collect();
  void after_input(engine::Outbox& outbox);
  void set_timer(engine::Outbox& outbox);

  os::FileSystem& fs_;
  const std::string root_;
  const std::string program_path_;
  const std::function<void(engine::Outbox&)> on_news_;
  std::map<std::string, LanguageServerOptions> options_;
  std::map<std::string, std::unique_ptr<Slot>, std::less<>> slots_;
  std::map<std::string, std::optional<std::string>> before_;
  std::size_t before_bytes_ = 0;
  std::vector<Pending> pending_;
  std::vector<CheckReport> reports_;
  std::uint64_t next_check_ = 1;
  engine::Outbox* outbox_ = nullptr;  ///< of the call that is being done
};

}  // namespace orchestrator::runtime
