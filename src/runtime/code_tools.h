#pragma once

#include <memory>
#include <string>
#include <vector>

#include "codec/message.h"
#include "os/file_system.h"
#include "runtime/ast_tools.h"
#include "runtime/mission_access.h"
#include "runtime/project_files.h"

namespace orchestrator::runtime {

/// The tools that look at code and change it: ast_search, ast_outline, ast_replace. Engine thread;
/// the looking is done on the pool.
class CodeTools {
 public:
  CodeTools(MissionAccess& mission, ProjectFiles& files, os::FileSystem& disk, std::string root)
      : mission_(mission), files_(files), disk_(disk), root_(std::move(root)) {}

  void answer(const codec::AstSearchAsked& asked, Outbox& outbox);
  void answer(const codec::AstOutlineAsked& asked, Outbox& outbox);
  void answer(const codec::AstReplaceAsked& asked, Outbox& outbox);
  /// Nobody waits for it any more: what it has not begun to write stays as it is.
  void call_off(const RequestId& request) { std::erase(replacing_, request); }

 private:
  void start(const RequestId& request, base::Result<std::shared_ptr<TreeJob>> made, Outbox& outbox);
  void write(const codec::AstReplaceAsked& asked, const std::shared_ptr<AstReplace>& job,
             Outbox& outbox);
  [[nodiscard]] AstPlace place() const {
    return {disk_, root_, [this](std::string_view path) { return files_.relative(path); }};
  }

  MissionAccess& mission_;
  ProjectFiles& files_;
  os::FileSystem& disk_;
  const std::string root_;
  std::vector<RequestId> replacing_;  ///< searches that nobody has called off
};

}  // namespace orchestrator::runtime
