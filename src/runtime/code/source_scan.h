#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/directory.h"
#include "os/file_system.h"
#include "runtime/code/source_files.h"
#include "syntax/check.h"
#include "syntax/language.h"

namespace orchestrator::runtime {

/// What a tool answers.
struct ToolAnswer {
  bool ok = false;
  std::string text;
};

/// Looks at all files of a project that a tool call names, on the pool, each core with the next
/// file, until the time is up.
class SourceScan : public std::enable_shared_from_this<SourceScan> {
 public:
  struct Scope {
    std::vector<std::string> paths;           ///< of the project, checked; empty: all of it
    std::vector<syntax::Language> languages;  ///< empty: all
    std::chrono::milliseconds time_max{20'000};
  };

  SourceScan(os::FileSystem& fs, std::string root, Scope scope);
  virtual ~SourceScan() = default;
  SourceScan(const SourceScan&) = delete;
  SourceScan& operator=(const SourceScan&) = delete;

  /// Engine thread. `done` is called on it, with the answer of report().
  void start(engine::Outbox& outbox, std::function<void(engine::Outbox&, ToolAnswer)> done);

 protected:
  /// Once, when the files are known, on a pool thread: why they need not be looked at.
  virtual std::optional<ToolAnswer> prepare() { return std::nullopt; }
  /// Any pool thread, each file once; touches nothing that belongs to another file.
  virtual void look(std::size_t file, const std::string& text) = 0;
  /// After all files, on a pool thread.
  virtual ToolAnswer report() = 0;

  [[nodiscard]] const std::vector<std::string>& files() const { return tree_.files; }
  [[nodiscard]] syntax::Language language_of(std::size_t file) const;
  void skip(std::size_t file, std::string why);
  [[nodiscard]] bool out_of_time() const { return Clock::now() >= deadline_; }
  /// False: the time was up before, or there are too many files. After the last look().
  [[nodiscard]] bool looked_at_all() const;
  /// Sentences about what was not looked at; empty: everything was.
  [[nodiscard]] std::string left_out() const;

  os::FileSystem& fs_;
  const std::string root_;
  const Scope scope_;

 private:
  using Clock = std::chrono::steady_clock;
  enum class State : char { waiting, looked, skipped };

  void find();
  /// A turn of one worker. Whether there is more to do.
  bool work();
  void work_on(engine::Outbox& outbox);
  void start_workers(engine::Outbox& outbox);

  Clock::time_point deadline_;
  SourceTree tree_;
  std::optional<ToolAnswer> answer_;
  std::function<void(engine::Outbox&, ToolAnswer)> done_;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::size_t> running_{0};
  std::vector<State> states_;
  std::vector<std::string> reasons_;  ///< of skipped files
};

/// Paths and globs of a call as such of the project; an error names the first that is outside.
/// `relative` resolves links, as ProjectFiles::relative() does.
[[nodiscard]] base::Result<std::vector<std::string>> paths_inside(
    const std::vector<std::string>& paths,
    const std::function<std::string(std::string_view)>& relative);

/// The languages that a call means; empty: all. `typescript` has its JSX files in it.
[[nodiscard]] base::Result<std::vector<syntax::Language>> languages_named(std::string_view name);

}  // namespace orchestrator::runtime
