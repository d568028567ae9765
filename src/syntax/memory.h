// Counts tree-sitter's memory, so that a parse can be stopped in time: tree-sitter aborts the
// process when an allocation fails, and for a megabyte of `a<b,` it takes gigabytes within two
// seconds. Private to src/syntax.

#ifndef ORCHESTRATOR_SYNTAX_MEMORY_H_
#define ORCHESTRATOR_SYNTAX_MEMORY_H_

#include <cstdint>

namespace orchestrator::syntax {

/// Makes tree-sitter's allocations count, from now on, for the whole process. To be called before
/// each use of tree-sitter; any thread, only the first call does something.
void count_allocations();

/// Bytes that tree-sitter allocated minus those it freed on this thread. May be negative (a tree
/// freed on another thread than it was made on): compare two readings.
[[nodiscard]] std::int64_t allocated_bytes();

}  // namespace orchestrator::syntax

#endif  // ORCHESTRATOR_SYNTAX_MEMORY_H_
