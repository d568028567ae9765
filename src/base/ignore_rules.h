#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace orchestrator::base {

/// The rules of a `.gitignore` file, as git reads them: comments, `!`, a slash at the end for
/// directories, a slash elsewhere for paths from the file's own directory, `*`, `?`, `[a-z]`, `**`
/// and `\`. Immutable; any thread.
class IgnoreRules {
 public:
  /// `directory` is the file's directory, relative to the root: empty, or ending with a slash.
  /// `outer`: the rules of the directories above; may be null.
  static std::shared_ptr<const IgnoreRules> read(std::string_view text, std::string directory,
                                                 std::shared_ptr<const IgnoreRules> outer);

  /// Whether a path (relative to the root, without a slash at its end) is ignored. The caller does
  /// not look into ignored directories, so that nothing below one can be brought back.
  [[nodiscard]] bool ignores(std::string_view path, bool is_directory) const;

 private:
  struct Rule {
    std::string pattern;
    bool negated = false;
    bool directories_only = false;
    bool whole_path = false;  // else the name alone
  };
  std::string directory_;
  std::vector<Rule> rules_;
  std::shared_ptr<const IgnoreRules> outer_;
};

/// Whether a name or path is named by a pattern of git's: `*` and `?` stop at slashes, `**` does
/// not. Time is bounded by the product of the lengths.
[[nodiscard]] bool wildcard_matches(std::string_view pattern, std::string_view path);

}  // namespace orchestrator::base
