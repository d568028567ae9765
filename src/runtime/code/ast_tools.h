#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "os/file_system.h"
#include "runtime/code/source_scan.h"
#include "syntax/check.h"

/// The tools ast_search, ast_replace and ast_outline: what a model asks of a tree of sources.
namespace orchestrator::runtime {

/// What the tools need to know of their project. Engine thread.
struct AstPlace {
  os::FileSystem& fs;
  std::string root;
  std::function<std::string(std::string_view)> relative;  ///< ProjectFiles::relative()
};

/// `arguments` is what the model wrote: JSON, bounded and checked here. An error lists what is
/// wrong.
[[nodiscard]] base::Result<std::shared_ptr<SourceScan>> make_ast_search(const AstPlace& place,
                                                                        std::string_view arguments);
[[nodiscard]] base::Result<std::shared_ptr<SourceScan>> make_ast_outline(
    const AstPlace& place, std::string_view arguments);

/// Finds what would be replaced, and can then write it.
class AstReplace : public SourceScan {
 public:
  struct Change {
    std::string path;
    std::string before;
    std::string after;
    syntax::ParseReport parsed_before;
  };
  using SourceScan::SourceScan;
  /// Whether the call asks for more than a diff, and nothing stands against it but claims. After
  /// the job is done.
  [[nodiscard]] virtual bool wants_writing() const = 0;
  [[nodiscard]] virtual const std::vector<Change>& changes() const = 0;
  /// Pool thread: writes each file, if it still is what was read; says what came of it.
  [[nodiscard]] virtual ToolAnswer write() const = 0;
};
[[nodiscard]] base::Result<std::shared_ptr<AstReplace>> make_ast_replace(
    const AstPlace& place, std::string_view arguments);

}  // namespace orchestrator::runtime
