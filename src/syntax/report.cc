#include "syntax/report.h"

namespace orchestrator::syntax {

std::string to_string(const SyntaxError& error) {
  std::string out = std::to_string(error.line) + ':' + std::to_string(error.column) + ": ";
  if (error.kind == ErrorKind::missing) {
    out += error.what.empty() ? "something is missing" : "missing \"" + error.what + '"';
  } else {
    out += error.what.empty() ? "syntax error"
                              : "syntax error, perhaps an unclosed \"" + error.what + '"';
  }
  return error.text.empty() ? out : out + " in: " + error.text;
}

std::string_view to_string(Skipped skipped) {
  switch (skipped) {
    case Skipped::no:
      return "";
    case Skipped::too_large:
      return "too large";
    case Skipped::binary:
      return "a binary file";
    case Skipped::not_utf8:
      return "not UTF-8";
    case Skipped::unknown_language:
      return "no grammar for this kind of file";
    case Skipped::time_limit:
      return "parsing took too long";
    case Skipped::memory_limit:
      return "parsing took too much memory";
  }
  return "";
}

}  // namespace orchestrator::syntax
