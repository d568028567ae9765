#include "syntax/memory.h"

#include <tree_sitter/api.h>

#include <cstddef>
#include <cstdlib>
#include <mutex>

#if defined(__APPLE__)
#include <malloc/malloc.h>
#else
#include <malloc.h>
#endif

namespace orchestrator::syntax {
namespace {

thread_local std::int64_t held = 0;

// Sizes are asked of malloc, not stored in front of a block: scanners of grammars call malloc and
// free themselves.
std::int64_t size_of(void* block) {
  if (block == nullptr) return 0;
#if defined(__APPLE__)
  return static_cast<std::int64_t>(malloc_size(block));
#elif defined(_WIN32)
  return static_cast<std::int64_t>(_msize(block));
#else
  return static_cast<std::int64_t>(malloc_usable_size(block));
#endif
}

/// tree-sitter cannot go on without memory, and its own allocator aborts as well.
void* counted(void* block) {
  if (block == nullptr) std::abort();
  held += size_of(block);
  return block;
}

// An allocation of nothing may answer null, which is no failure: one byte is asked for instead.
void* allocate(std::size_t size) { return counted(std::malloc(size == 0 ? 1 : size)); }

void* allocate_zeroed(std::size_t count, std::size_t size) {
  return counted(count == 0 || size == 0 ? std::calloc(1, 1) : std::calloc(count, size));
}

void* reallocate(void* block, std::size_t size) {
  held -= size_of(block);
  return counted(std::realloc(block, size == 0 ? 1 : size));
}

void release(void* block) {
  held -= size_of(block);
  std::free(block);
}

}  // namespace

void count_allocations() {
  static std::once_flag once;
  std::call_once(once, [] { ts_set_allocator(allocate, allocate_zeroed, reallocate, release); });
}

std::int64_t allocated_bytes() { return held; }

}  // namespace orchestrator::syntax
