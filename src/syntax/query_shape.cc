#include "syntax/query_shape.h"

#include <optional>
#include <string>
#include <vector>

namespace orchestrator::syntax {
namespace {

constexpr std::size_t kDepthMax = 100;

bool names(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == '/';
}

/// The content of a pair of brackets, as far as it has been read.
struct Level {
  enum class Kind { group, node, choice, predicate };
  Kind kind = Kind::group;
  bool all = true;   ///< each of its items may match nothing
  bool any = false;  ///< one of them may
  bool empty = true;
  std::optional<bool> newest;  ///< whether the item read last may; its quantifier may follow

  void take_newest() {
    if (!newest) return;
    all = all && *newest;
    any = any || *newest;
    empty = false;
    newest.reset();
  }
  void add(bool nothing) {
    take_newest();
    newest = nothing;
  }
  [[nodiscard]] bool may_be_nothing() const {
    if (kind == Kind::group) return all && !empty;
    return kind == Kind::choice && any;
  }
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  base::Result<void> read() {
    while (at_ < text_.size()) {
      const std::size_t begin = at_;
      const std::string why = take(text_[at_]);
      if (!why.empty()) {
        return base::Error{why, "query, byte " + std::to_string(begin + 1),
                           "one * says the same as a + upon *"};
      }
    }
    return {};
  }

 private:
  std::string take(char c) {
    Level& level = levels_.back();
    if (c == '(' || c == '[') return open(c);
    ++at_;
    if (c == ')' || c == ']') {
      close();
    } else if (c == '"') {
      skip_string();
      level.add(false);
    } else if (c == ';') {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    } else if (c == '*' || c == '?') {
      if (level.newest) level.newest = true;
    } else if (c == '+') {
      if (level.newest && *level.newest) return "a + follows what may match nothing";
    } else if (c == '@' || c == '!' || c == '#') {
      skip_name();
    } else if (names(c)) {
      --at_;
      take_name();
    }
    return "";
  }

  std::string open(char c) {
    if (levels_.size() > kDepthMax)
      return "it is nested deeper than " + std::to_string(kDepthMax) + " brackets";
    ++at_;
    Level inner;
    if (c == '[') {
      inner.kind = Level::Kind::choice;
    } else {
      const std::size_t first = text_.find_first_not_of(" \t\r\n", at_);
      const char next = first == std::string_view::npos ? '\0' : text_[first];
      if (next == '#') inner.kind = Level::Kind::predicate;
      if (names(next) && next != '.') {
        inner.kind = Level::Kind::node;
        at_ = first;
        skip_name();
      }
    }
    levels_.push_back(inner);
    return "";
  }

  void close() {
    if (levels_.size() == 1) return;  // a bracket too many: not ours to say
    levels_.back().take_newest();
    const Level inner = levels_.back();
    levels_.pop_back();
    if (inner.kind != Level::Kind::predicate) levels_.back().add(inner.may_be_nothing());
  }

  void skip_string() {
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    ++at_;
  }

  void skip_name() {
    while (at_ < text_.size() && names(text_[at_])) ++at_;
  }

  /// A bare name, a field's name before its colon, or an anchor.
  void take_name() {
    const std::size_t begin = at_;
    skip_name();
    if (text_.substr(begin, at_ - begin) == ".") return;
    const std::size_t next = text_.find_first_not_of(" \t\r\n", at_);
    if (next != std::string_view::npos && text_[next] == ':') {
      at_ = next + 1;
      return;
    }
    levels_.back().add(false);
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Level> levels_{Level{}};
};

}  // namespace

base::Result<void> check_query_shape(std::string_view text) { return Reader(text).read(); }

}  // namespace orchestrator::syntax
