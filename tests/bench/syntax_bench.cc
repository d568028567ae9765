// What a parse costs after an edit, beside a parse of the whole: prints one JSON object. Run by
// `npm run bench`.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "syntax/parsed_text.h"

namespace {

using orchestrator::syntax::Language;
using orchestrator::syntax::parse_text;
using orchestrator::syntax::ParsedText;

constexpr std::size_t kTextBytes = 137'000;
constexpr int kEdits = 1000;
constexpr int kWholes = 30;

/// TypeScript as people write it: classes, generics, templates, arrow functions, comments.
std::string typescript() {
  std::string text = "import { readFile } from \"node:fs/promises\"\n\n";
  for (int i = 0; text.size() < kTextBytes; ++i) {
    const std::string n = std::to_string(i);
    text += "/** Keeps the entries of part " + n + ". */\nexport class Part" + n +
            "<T extends { id: string }> {\n"
            "  private readonly entries = new Map<string, T>()\n\n"
            "  constructor(private readonly path: string, readonly limit = " +
            n +
            ") {}\n\n"
            "  async load(filter?: (entry: T) => boolean): Promise<T[]> {\n"
            "    const text = await readFile(`${this.path}/" +
            n +
            ".json`, \"utf8\")\n"
            "    const all = JSON.parse(text) as T[]\n"
            "    for (const entry of all) {\n"
            "      if (filter && !filter(entry)) continue // not asked for\n"
            "      this.entries.set(entry.id, { ...entry, seen: Date.now() - " +
            n +
            " })\n"
            "    }\n"
            "    return [...this.entries.values()].sort((a, b) => a.id.localeCompare(b.id))\n"
            "  }\n}\n\n";
  }
  return text;
}

double median(std::vector<double>& values, double part) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(static_cast<double>(values.size() - 1) * part)];
}

template <class F>
double microseconds(F&& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
      .count();
}

}  // namespace

int main() {
  const std::string original = typescript();
  std::uint64_t seed = 5;
  const auto random = [&seed](std::size_t below) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::size_t>(seed >> 33U) % below;
  };
  std::vector<double> whole;
  std::shared_ptr<const ParsedText> newest;
  for (int i = 0; i < kWholes; ++i)
    whole.push_back(microseconds([&] { newest = parse_text(Language::typescript, original); }));
  if (!newest->report().clean()) {
    std::fprintf(stderr, "the text of this bench does not parse\n");
    return 1;
  }
  // An edit: a statement put in at the begin of a random line of a function, or taken out again.
  std::vector<double> edits;
  std::string text = original;
  const std::string mark = "    const all = ";
  for (int i = 0; i < kEdits; ++i) {
    if (i % 2 == 1) {
      text = original;
    } else {
      std::size_t at = text.find(mark, random(text.size() - 2000));
      if (at == std::string::npos) at = text.find(mark);
      text.insert(at, "    const added" + std::to_string(i) + " = (this.limit ?? 0) * 2\n");
    }
    edits.push_back(
        microseconds([&] { newest = parse_text(Language::typescript, text, newest.get()); }));
    if (!newest->report().clean()) {
      std::fprintf(stderr, "an edit of this bench does not parse\n");
      return 1;
    }
  }
  std::printf(
      "{\"bytes\":%zu,\"edits\":%d,\"edit_median_us\":%.1f,\"edit_p95_us\":%.1f,"
      "\"whole_median_us\":%.1f,\"kept_bytes\":%zu}\n",
      original.size(), kEdits, median(edits, 0.5), median(edits, 0.95), median(whole, 0.5),
      newest->bytes());
  return 0;
}
