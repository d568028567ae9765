#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "codec/message.h"
#include "os/file_system.h"
#include "runtime/code/ast_tools.h"
#include "runtime/code/project_files.h"
#include "runtime/project/mission_access.h"

namespace orchestrator::runtime {

/// The tools that look at code and change it: ast_search, ast_outline, ast_replace. Engine thread;
/// the looking is done on the pool.
class CodeTools {
 public:
  /// `files_of`: among which a session works.
  CodeTools(MissionAccess& mission, std::function<ProjectFiles&(const SessionId&)> files_of,
            os::FileSystem& disk)
      : mission_(mission), files_of_(std::move(files_of)), disk_(disk) {}

  void answer(const codec::AstSearchAsked& asked, engine::Outbox& outbox);
  void answer(const codec::AstOutlineAsked& asked, engine::Outbox& outbox);
  void answer(const codec::AstReplaceAsked& asked, engine::Outbox& outbox);
  /// Nobody waits for it any more: what it has not begun to write stays as it is.
  void call_off(const RequestId& request) { std::erase(replacing_, request); }

 private:
  void start(const RequestId& request, base::Result<std::shared_ptr<SourceScan>> made,
             engine::Outbox& outbox);
  void write(const codec::AstReplaceAsked& asked, const std::shared_ptr<AstReplace>& job,
             engine::Outbox& outbox);
  [[nodiscard]] AstPlace place(const SessionId& session) const {
    const ProjectFiles& files = files_of_(session);
    return {disk_, files.root(), [&files](std::string_view path) { return files.relative(path); }};
  }

  MissionAccess& mission_;
  const std::function<ProjectFiles&(const SessionId&)> files_of_;
  os::FileSystem& disk_;
  std::vector<RequestId> replacing_;  ///< searches that nobody has called off
};

}  // namespace orchestrator::runtime
