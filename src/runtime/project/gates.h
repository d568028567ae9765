#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "codec/message.h"
#include "runtime/code/change_detector.h"
#include "runtime/code/language_servers.h"
#include "runtime/code/project_files.h"
#include "runtime/project/mission_access.h"
#include "runtime/project/world.h"

namespace orchestrator::runtime {

/// What stands between an edit and the seal, as far as it needs more than the state: claims and
/// syntax at every write, language servers at a submission, hashes and syntax at a verdict
/// (docs/design/gates.md). What takes long is done on the pool or by a server; the order of what a
/// session does is kept. Engine thread.
class Gates {
 public:
  /// `world` and `root` outlive it.
  Gates(MissionAccess& mission, const World& world, const std::string& root);

  /// The files among which a session works: the project's, or those of its worktree.
  ProjectFiles& files_of(const SessionId& session);

  /// Before any log is opened: what still waits belongs to the mission before, which is over.
  void begin_diagnoses(const Options& options, engine::Outbox& outbox);
  /// The mission's own options are known.
  void configure(const Options& options) { servers_.begin(options); }
  /// Nothing that was seen of files belongs to the mission that begins.
  void forget_files();
  /// From here on changes that no tool made are found (tree_watch.h).
  void watch_files(engine::Outbox& outbox) { watch_.begin(outbox); }
  void unwatch_files() { watch_.end(); }
  /// A tool has leave to write this file of the project.
  void note_write(const std::string& path, std::uint64_t now_ms) { watch_.wrote(path, now_ms); }
  /// These files of the project are about to be brought up to a task's.
  void before_apply(const std::vector<std::string>& paths);

  void answer(const codec::WriteAsked& asked, engine::Outbox& outbox);
  void answer(const codec::CheckAsked& asked, engine::Outbox& outbox);
  void answer(const codec::CommandAsked& asked, engine::Outbox& outbox);
  void answer(const codec::DiagnosticsAsked& asked, engine::Outbox& outbox);

  /// What the host has told goes through here before it is recorded. True: it is kept, and comes
  /// back when it is known what it needs.
  bool keeps(Happening& happening, const std::string& output, engine::Outbox& outbox);
  /// Adds to an event what only this process can see at this moment.
  void observe(Happening& happening, const std::string& output);
  /// Verdicts, when it is known how the changed files parse.
  void record_review(ReviewSubmitted review, engine::Outbox& outbox);

  /// A session whose command may have written the mission's own files by now: it names them, and
  /// runs, or has ended a moment ago. Empty: none.
  [[nodiscard]] SessionId state_writer(std::uint64_t now_ms) const;

  /// What is kept cannot be acted upon any more: nobody is to wait for it.
  void drop_kept(const std::string& why, engine::Outbox& outbox);
  void tick(engine::Outbox& outbox) { servers_.tick(outbox); }

 private:
  /// A submission whose files are being diagnosed. What its session does after it stays behind it.
  struct HeldWork {
    std::uint64_t check = 0;
    WorkSubmitted event;
    std::vector<codec::Incoming> later;
  };

  bool diagnose(const WorkSubmitted& work, engine::Outbox& outbox);
  bool waits_behind_work(Happening& happening, const std::string& output, engine::Outbox& outbox);
  void settle(engine::Outbox& outbox);
  [[nodiscard]] bool is_handed_in(const SessionId& id) const;
  void tell_missing(const FileReport& file);

  MissionAccess& mission_;
  const World& world_;
  ProjectFiles files_;                                           ///< of the project itself
  std::map<std::string, std::unique_ptr<ProjectFiles>> places_;  ///< of worktrees, by directory
  /// The vouched files' hash when a command began, by session and tool call.
  std::map<std::pair<SessionId, std::string>, std::string> begun_;
  /// Commands that name the mission's own files: until when what is found there may be theirs.
  std::map<std::pair<SessionId, std::string>, std::uint64_t> state_commands_;
  std::set<SessionId> told_unknown_;  ///< sessions that know of files that no grammar is for
  std::vector<HeldWork> held_;
  std::map<std::uint64_t, RequestId> questions_;  ///< check -> who asked
  std::set<std::string> told_missing_;   ///< languages without a server, of which a Worker was told
  std::set<std::string> shown_missing_;  ///< and the user
  ChangeDetector watch_;
  LanguageServers servers_;  ///< it and the one above call back into the rest
};

/// A person's own request: it waits behind nothing.
[[nodiscard]] bool comes_from_user(const Happening& happening);

}  // namespace orchestrator::runtime
