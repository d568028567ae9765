#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "codec/message.h"
#include "runtime/code/language_servers.h"
#include "runtime/project/current_mission.h"
#include "runtime/project/emit.h"
#include "runtime/project/engine_log.h"
#include "runtime/project/inlet.h"
#include "runtime/project/observe.h"
#include "runtime/project/world.h"

namespace orchestrator::runtime {

/// The stage `hold`: submitted work waits here for language servers, and what its session does
/// later waits behind it; verdicts wait for the parse of the changed files (docs/design/gates.md).
/// Engine thread.
class Hold {
 public:
  /// A submission whose files are being diagnosed.
  struct Work {
    std::uint64_t check = 0;
    WorkSubmitted event;
    std::vector<codec::Incoming> later;
  };

  /// All of them outlive it. `inlet`: verdicts enter by it when they are parsed; it is called when
  /// `take_reports` may have something.
  Hold(const CurrentMission& mission, const World& world, const std::string& root,
       const EngineLog& log, Observe& observe, Emit& emit, Inlet& inlet);

  /// Before any log is opened: what still waits belongs to the mission before, which is over.
  void begin(const Options& options);
  /// The mission's own options are known.
  void configure(const Options& options) { servers_.begin(options); }

  /// True: the event is kept. Work comes back by `take_work`, an event behind it with its work or
  /// by `take_abandoned`, a verdict by the inlet.
  bool keeps(Happening& happening, const std::string& output, engine::Outbox& outbox);
  void answer(const codec::DiagnosticsAsked& asked, engine::Outbox& outbox);

  /// What the language servers have answered.
  [[nodiscard]] std::vector<CheckReport> take_reports() { return servers_.take_reports(); }
  /// The work that has waited for this report, with its diagnosis. A tool that has waited for the
  /// report is answered.
  std::optional<Work> take_work(const CheckReport& report);
  /// The work that was taken last is recorded: a refusal shows no notes.
  void note_outcome(const SessionId& session);
  /// What has waited behind submissions whose calls were aborted.
  [[nodiscard]] std::vector<codec::Incoming> take_abandoned();

  /// What is kept cannot be acted upon any more: its callers get `why`. Answers what has waited
  /// behind it.
  std::vector<codec::Incoming> drop(const std::string& why, engine::Outbox& outbox);

  void tick(engine::Outbox& outbox) { servers_.tick(outbox); }
  /// A mission session may now write this file of the project.
  void note_write(const std::string& path, engine::Outbox& outbox) {
    servers_.note_write(path, outbox);
  }

 private:
  bool diagnose(const WorkSubmitted& work, engine::Outbox& outbox);
  bool waits_behind_work(Happening& happening, const std::string& output, engine::Outbox& outbox);
  bool parse(ReviewSubmitted& review, engine::Outbox& outbox);
  [[nodiscard]] bool is_handed_in(const SessionId& id) const;
  void report_missing(const FileReport& file);

  const CurrentMission& mission_;
  const World& world_;
  const EngineLog& log_;
  Observe& observe_;
  Emit& emit_;
  Inlet& inlet_;
  std::vector<Work> held_;
  std::vector<codec::Incoming> abandoned_;
  std::map<std::uint64_t, RequestId> questions_;  ///< check -> the call of lsp_diagnostics
  std::set<std::string> told_missing_;   ///< languages without a server that a Worker was told of
  std::set<std::string> told_before_;    ///< the same before the work that was taken last
  std::set<std::string> shown_missing_;  ///< and the user
  LanguageServers servers_;              ///< last: it calls `inlet`
};

/// A person's own request: it waits behind nothing.
[[nodiscard]] bool comes_from_user(const Happening& happening);

}  // namespace orchestrator::runtime
