// The statements of a JavaScript or TypeScript text, found without parsing it, so that only those
// are parsed in which something may match. Private to src/syntax.
//
// A tokenizer is not always right (is this `/` a division?), so its result is checked: it gives up
// at whatever it does not understand, and for a piece that does not parse without an error the
// caller takes the piece around it, up to the whole text.

#ifndef ORCHESTRATOR_SYNTAX_PIECES_H_
#define ORCHESTRATOR_SYNTAX_PIECES_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "syntax/language.h"

namespace orchestrator::syntax {

/// One or more whole statements of a file or of a block.
struct Piece {
  std::uint32_t begin = 0;  // the first byte of a line
  std::uint32_t end = 0;
  std::uint32_t line = 0;    // from 0
  std::int32_t parent = -1;  // the piece around it; -1: the file itself
  std::int32_t top = 0;      // the top-level piece that contains it, maybe itself
};

struct Pieces {
  std::vector<Piece> pieces;           // by their begins, outer before inner
  std::vector<std::int32_t> of_place;  // for each place the innermost; -1: in a comment
};

[[nodiscard]] bool can_split(Language language);

/// `places` are bytes of the text, in order. Nothing: it gave up.
[[nodiscard]] std::optional<Pieces> split(Language language, std::string_view text,
                                          const std::vector<std::uint32_t>& places);

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_PIECES_H_
