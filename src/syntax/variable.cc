#include "syntax/variable.h"

#include <utility>

namespace orchestrator::syntax {
namespace {

bool is_name(char c) { return is_name_start(c) || (c >= '0' && c <= '9'); }

}  // namespace

std::vector<Variable> variables_in(std::string_view text) {
  std::vector<Variable> found;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '$') {
      ++i;
      continue;
    }
    const std::size_t begin = i;
    while (i < text.size() && text[i] == '$') ++i;
    const std::size_t sigils = i - begin;
    const std::size_t name = i;
    if (i < text.size() && is_name_start(text[i])) {
      while (i < text.size() && is_name(text[i])) ++i;
    }
    const bool glued = (begin > 0 && (is_word(text[begin - 1]))) ||
                       (i < text.size() && (is_word(text[i]) || text[i] == '$'));
    const bool nameless = i == name;
    if (sigils > 3 || glued || (nameless && sigils != 3)) continue;
    Variable variable;
    variable.kind = sigils == 3   ? Variable::Kind::siblings
                    : sigils == 2 ? Variable::Kind::any
                                  : Variable::Kind::one;
    if (!nameless && text[name] != '_') variable.name = text.substr(name, i - name);
    variable.begin = begin;
    variable.end = i;
    found.push_back(std::move(variable));
  }
  return found;
}

}  // namespace orchestrator::syntax
