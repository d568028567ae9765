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

/// The stage `hold`: submitted work waits here for language servers, and later events of its
/// session wait behind it; verdicts wait until the changed files are parsed (docs/design/gates.md).
/// Engine thread.
class Hold {
 public:
  /// A submission whose files are being diagnosed.
  struct Work {
    std::uint64_t check = 0;
    WorkSubmitted event;
    std::vector<codec::Incoming> later;
  };

  /// The references must outlive this object. Verdicts enter by `inlet` when they are parsed; it is
  /// also called when `take_reports` may have a report.
  Hold(const CurrentMission& mission, const World& world, const std::string& root,
       const EngineLog& log, Observe& observe, Emit& emit, Inlet& inlet);

  /// Called before a log is opened: held events belong to the mission before, which is over.
  void begin(const Options& options);
  /// Called when the mission's own options are known.
  void configure(const Options& options) { servers_.begin(options); }

  /// True: the event is held. Work comes back by `take_work`, an event behind it with its work or
  /// by `take_abandoned`, a verdict by the inlet.
  bool keeps(Happening& happening, const std::string& output, engine::Outbox& outbox);
  void answer(const codec::DiagnosticsAsked& asked, engine::Outbox& outbox);

  /// Takes the new reports of language servers.
  [[nodiscard]] std::vector<CheckReport> take_reports() { return servers_.take_reports(); }
  /// The work that waited for this report, with its diagnosis. If a tool call waited for the
  /// report, replies to it.
  std::optional<Work> take_work(const CheckReport& report);
  /// The work that was taken last has been recorded. A refusal does not show notes, so its notes
  /// count as not shown.
  void note_outcome(const SessionId& session);
  /// The events that waited behind submissions whose calls were aborted.
  [[nodiscard]] std::vector<codec::Incoming> take_abandoned();

  /// Drops all held events: their callers are refused with `why`. Returns the events that waited
  /// behind them.
  std::vector<codec::Incoming> drop(const std::string& why, engine::Outbox& outbox);

  void tick(engine::Outbox& outbox) { servers_.tick(outbox); }
  /// A mission session got permission to write this file of the project.
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
  std::map<std::uint64_t, RequestId>
      questions_;                        ///< check -> the lsp_diagnostics call that waits for it
  std::set<std::string> told_missing_;   ///< languages without a server, reported to a Worker
  std::set<std::string> told_before_;    ///< `told_missing_` before the work that was taken last
  std::set<std::string> shown_missing_;  ///< languages without a server, shown to the user
  LanguageServers servers_;              ///< last: it calls `inlet`
};

/// Whether the event is a request of the user, which never waits behind held work.
[[nodiscard]] bool comes_from_user(const Happening& happening);

}  // namespace orchestrator::runtime
