// Searches a tree for a code pattern, as the tool ast_search does, and prints one line for each
// match: `path:line:column begin end`. For measurements (js/bench/code.mjs) and comparisons.

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "os/file_system.h"
#include "runtime/code/source_files.h"
#include "syntax/search.h"

namespace {

using namespace orchestrator;  // NOLINT: a program of one file

constexpr std::uint64_t kFileBytesMax = std::uint64_t{64} << 20U;

struct Options {
  std::string language;
  std::string pattern;
  std::string root;
  std::size_t bytes_max = std::size_t{1} << 20U;
  std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  bool prefilter = true;
  bool stats = false;
};

struct File {
  syntax::SearchResult result;
  std::size_t bytes = 0;
};

int usage() {
  std::fputs(
      "usage: ast_search [--bytes-max N] [--threads N] [--no-prefilter] [--stats] LANGUAGE PATTERN "
      "DIRECTORY\n",
      stderr);
  return 2;
}

bool read_number(std::string_view text, std::size_t& out) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), out);
  return fault == std::errc() && end == text.data() + text.size() && out > 0;
}

int run(const Options& options) {
  const auto language = syntax::language_from_name(options.language);
  if (!language) return usage();
  const auto search = syntax::Search::for_pattern(*language, options.pattern);
  if (!search.ok()) {
    std::fprintf(stderr, "%s\n", search.error().text().c_str());
    return 2;
  }
  os::FileSystem& fs = os::posix_file_system();
  const runtime::TreeQuery query{
      {},
      [&](const std::string& path) { return syntax::language_of_path(path) == *language; },
      [] { return false; },
      1'000'000};
  const runtime::SourceTree tree = runtime::find_sources(fs, options.root, query);
  syntax::SearchLimits limits;
  limits.parse.bytes_max = options.bytes_max;
  limits.found_max = 1'000'000;
  limits.prefilter = options.prefilter;
  std::vector<File> files(tree.files.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < files.size(); i = next++) {
      auto text = fs.read(options.root + "/" + tree.files[i], kFileBytesMax);
      if (!text.ok()) continue;
      files[i].bytes = text.value().size();
      files[i].result = search.value().run(text.value(), limits);
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < options.threads; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();

  std::size_t matches = 0;
  std::size_t bytes = 0;
  std::size_t parsed = 0;
  std::size_t skipped = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    bytes += files[i].bytes;
    parsed += files[i].result.parsed_bytes;
    if (files[i].result.skipped != syntax::Skipped::no) ++skipped;
    for (const syntax::Found& found : files[i].result.found) {
      std::printf("%s:%u:%u %u %u\n", tree.files[i].c_str(), found.line, found.column,
                  found.span.begin, found.span.end);
      ++matches;
    }
  }
  if (options.stats) {
    std::fprintf(stderr, "%zu matches, %zu files, %zu bytes, %zu parsed, %zu files skipped\n",
                 matches, files.size(), bytes, parsed, skipped);
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  Options options;
  std::vector<std::string> rest;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    const bool more = i + 1 < count;
    if (word == "--no-prefilter") {
      options.prefilter = false;
    } else if (word == "--stats") {
      options.stats = true;
    } else if (word == "--bytes-max" && more) {
      if (!read_number(words[++i], options.bytes_max)) return usage();
    } else if (word == "--threads" && more) {
      if (!read_number(words[++i], options.threads)) return usage();
    } else {
      rest.emplace_back(word);
    }
  }
  if (rest.size() != 3) return usage();
  options.language = rest[0];
  options.pattern = rest[1];
  options.root = rest[2];
  return run(options);
}
