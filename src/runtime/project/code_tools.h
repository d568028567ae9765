#pragma once

#include <memory>
#include <string>
#include <vector>

#include "codec/message.h"
#include "os/file_system.h"
#include "runtime/code/ast_tools.h"
#include "runtime/code/project_files.h"
#include "runtime/project/current_mission.h"
#include "runtime/project/emit.h"
#include "runtime/project/inlet.h"
#include "runtime/project/observe.h"
#include "runtime/project/record.h"
#include "runtime/project/sync.h"

namespace orchestrator::runtime {

/// The tools ast_search, ast_outline and ast_replace. Engine thread; the search runs on the pool.
class CodeTools {
 public:
  /// The references must outlive this object. Results of the pool enter by `inlet`.
  CodeTools(const CurrentMission& mission, os::FileSystem& disk, Observe& observe, Record& record,
            Sync& sync, Emit& emit, Inlet& inlet)
      : mission_(mission),
        disk_(disk),
        observe_(observe),
        record_(record),
        sync_(sync),
        emit_(emit),
        inlet_(inlet) {}

  void answer(const codec::AstSearchAsked& asked, engine::Outbox& outbox);
  void answer(const codec::AstOutlineAsked& asked, engine::Outbox& outbox);
  void answer(const codec::AstReplaceAsked& asked, engine::Outbox& outbox);
  /// The call was aborted: an ast_replace that has not begun to write writes nothing.
  void call_off(const RequestId& request) { std::erase(replacing_, request); }

 private:
  void start(const RequestId& request, base::Result<std::shared_ptr<SourceScan>> made,
             engine::Outbox& outbox);
  void write(const codec::AstReplaceAsked& asked, const std::shared_ptr<AstReplace>& job,
             engine::Outbox& outbox);
  [[nodiscard]] AstPlace place(const SessionId& session) const {
    const ProjectFiles& files = observe_.files_of(session);
    return {disk_, files.root(), [&files](std::string_view path) { return files.relative(path); }};
  }

  const CurrentMission& mission_;
  os::FileSystem& disk_;
  Observe& observe_;
  Record& record_;
  Sync& sync_;
  Emit& emit_;
  Inlet& inlet_;
  std::vector<RequestId> replacing_;  ///< searches whose calls were not aborted
};

}  // namespace orchestrator::runtime
