// The matches of a search in one text.

#ifndef ORCHESTRATOR_SYNTAX_FOUND_H_
#define ORCHESTRATOR_SYNTAX_FOUND_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "syntax/report.h"

namespace orchestrator::syntax {

/// Bytes of the searched text.
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool operator==(const Span&) const = default;
};

struct Found {
  Span span;                  // the node
  std::uint32_t own_end = 0;  // <= span.end: up to what the pattern asks for
  std::uint32_t line = 0;     // of the begin, from 1
  std::uint32_t column = 0;   // from 1, in bytes
  std::uint32_t end_line = 0;
  struct Capture {
    std::string name;
    Span span;  // empty: nothing
    bool operator==(const Capture&) const = default;
  };
  std::vector<Capture> captures;
  bool operator==(const Found&) const = default;
};

struct SearchResult {
  Skipped skipped = Skipped::no;
  std::vector<Found> found;  // in the order of the text, the outer before the inner
  bool more = false;         // there are further ones
  std::size_t parsed_bytes = 0;
};

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_FOUND_H_
