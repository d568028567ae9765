#include "syntax/check.h"

#include <map>
#include <tuple>

#include "syntax/errors.h"
#include "syntax/grammar.h"
#include "syntax/parse.h"

namespace orchestrator::syntax {

ParseReport check_syntax(Language language, std::string_view text, const Limits& limits) {
  ParseReport report;
  report.skipped = unfit(text, limits);
  if (report.skipped != Skipped::no) return report;
  Source source(without_mark(text), limits);
  const TreePtr tree = parse(language, source);
  return report_of(tree.get(), source, limits);
}

ParseReport check_file(std::string_view path, std::string_view text, const Limits& limits) {
  if (const auto language = language_of_path(path)) return check_syntax(*language, text, limits);
  ParseReport report;
  report.skipped = Skipped::unknown_language;
  return report;
}

std::vector<SyntaxError> new_errors(const ParseReport& before, const ParseReport& after) {
  if (before.skipped != Skipped::no || after.skipped != Skipped::no) return {};
  std::map<std::tuple<std::string_view, std::string_view, ErrorKind>, std::size_t> known;
  for (const SyntaxError& error : before.errors) ++known[{error.text, error.what, error.kind}];
  std::vector<SyntaxError> fresh;
  for (const SyntaxError& error : after.errors) {
    const auto found = known.find({error.text, error.what, error.kind});
    if (found != known.end() && found->second > 0) {
      --found->second;
    } else {
      fresh.push_back(error);
    }
  }
  const bool listed_in_part = before.total > before.errors.size();
  const std::size_t growth = after.total > before.total ? after.total - before.total : 0;
  if (listed_in_part && fresh.size() > growth) fresh.resize(growth);
  return fresh;
}

}  // namespace orchestrator::syntax
