#include "runtime/code/lsp_report.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "lsp/compare.h"
#include "lsp/profile.h"

namespace orchestrator::runtime {
namespace {

using codec::ServerDiagnostic;
using Severity = ServerDiagnostic::Severity;

constexpr std::size_t kErrorsMax = 20;
constexpr std::size_t kNotesMax = 10;
constexpr std::size_t kUnsureMax = 5;
constexpr std::size_t kListedMax = 60;
constexpr std::size_t kListingBytesMax = 8000;
constexpr std::size_t kMessageBytesMax = 300;

/// One line of at most so many bytes, cut at a character's edge.
std::string one_line(std::string text, std::size_t bytes_max = kMessageBytesMax) {
  std::ranges::replace(text, '\n', ' ');
  std::ranges::replace(text, '\r', ' ');
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end) + "…";
}

std::string place(const FileReport& file, const ServerDiagnostic& found) {
  return file.path + ":" + std::to_string(found.line + 1) + ":" + std::to_string(found.column + 1);
}

struct Sorted {
  lsp::Diagnostics added;
  lsp::Diagnostics unsure;
};

/// The errors of a file that are certainly new, and those that may be.
Sorted sort_errors(const FileReport& file) {
  Sorted sorted;
  if (!file.now) return sorted;
  lsp::Diagnostics fresh;
  bool comparable = file.before_known;
  if (file.text_before && comparable) {
    comparable = file.before.has_value();
    if (comparable) fresh = lsp::new_errors(*file.now, file.text, *file.before, *file.text_before);
  } else {
    fresh = lsp::new_errors(*file.now, file.text, {}, "");
  }
  if (!comparable) fresh = lsp::new_errors(*file.now, file.text, {}, "");
  const auto about_surroundings = [&](const ServerDiagnostic& found) {
    return lsp::is_about_surroundings(file.language, file.configured, found);
  };
  // A header that is not found makes errors of all that would stand in it.
  const bool blind = file.language == "cpp" && std::ranges::any_of(*file.now, about_surroundings);
  for (ServerDiagnostic& found : fresh) {
    const bool sure = comparable && !blind && !about_surroundings(found);
    (sure ? sorted.added : sorted.unsure).push_back(std::move(found));
  }
  return sorted;
}

std::string label_of(const std::string& language) {
  const auto all = lsp::languages();
  const auto found = std::ranges::find(all, language, &lsp::Language::name);
  return found == all.end() ? language : std::string(found->label);
}

const char* word_of(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::information:
      return "info";
    case Severity::hint:
      return "hint";
  }
  return "error";
}

}  // namespace

Diagnosis diagnosis_of(const CheckReport& report, std::set<std::string>& told) {
  Diagnosis diagnosis;
  std::vector<std::string> unsure;
  for (const FileReport& file : report.files) {
    if (file.missing && told.insert(file.language).second) {
      diagnosis.notes.push_back(label_of(file.language) + " is not checked: " + file.skipped);
    }
    if (!file.now) continue;
    if (std::ranges::find(diagnosis.servers, file.server) == diagnosis.servers.end())
      diagnosis.servers.push_back(file.server);
    const Sorted sorted = sort_errors(file);
    for (const ServerDiagnostic& found : sorted.added) {
      if (diagnosis.errors.size() >= kErrorsMax) {
        diagnosis.left_out += 1;
        continue;
      }
      diagnosis.errors.push_back(Diagnostic{file.path, found.line + 1, found.column + 1,
                                            one_line(found.code, 60), file.server,
                                            one_line(found.message)});
    }
    for (const ServerDiagnostic& found : sorted.unsure) {
      unsure.push_back(place(file, found) + ": " + one_line(found.message) + " (" + file.server +
                       "; perhaps not this task's fault)");
    }
  }
  for (const std::string& problem : report.problems) diagnosis.notes.push_back(one_line(problem));
  const std::size_t shown = std::min(unsure.size(), kUnsureMax);
  for (std::size_t i = 0; i < shown; ++i) diagnosis.notes.push_back(unsure[i]);
  if (unsure.size() > shown)
    diagnosis.notes.push_back("and " + std::to_string(unsure.size() - shown) + " more like these");
  if (diagnosis.notes.size() > kNotesMax) diagnosis.notes.resize(kNotesMax);
  return diagnosis;
}

std::string listing_of(const CheckReport& report) {
  std::vector<std::pair<Severity, std::string>> found;
  std::map<std::string, std::size_t> skipped;  // a reason, and how many files it has
  std::map<std::string, std::string> example;
  std::size_t clean = 0;
  for (const FileReport& file : report.files) {
    if (!file.skipped.empty()) {
      if (++skipped[file.skipped] <= 5)
        example[file.skipped] += (example[file.skipped].empty() ? "" : ", ") + file.path;
      continue;
    }
    if (!file.now) continue;
    if (file.now->empty()) ++clean;
    for (const ServerDiagnostic& item : *file.now) {
      found.emplace_back(item.severity, place(file, item) + ": " + word_of(item.severity) + ": " +
                                            one_line(item.message) + " (" + file.server +
                                            (item.code.empty() ? "" : " " + item.code) + ")");
    }
  }
  std::ranges::stable_sort(found, {}, &std::pair<Severity, std::string>::first);
  std::string text;
  std::size_t listed = 0;
  for (const auto& [severity, line] : found) {
    if (listed >= kListedMax || text.size() + line.size() > kListingBytesMax) break;
    text += line + "\n";
    ++listed;
  }
  if (listed < found.size()) {
    text +=
        "and " + std::to_string(found.size() - listed) + " more, left out; ask about fewer files\n";
  }
  if (clean > 0)
    text +=
        std::to_string(clean) + (clean == 1 ? " file has" : " files have") + " no diagnostics\n";
  for (const auto& [reason, count] : skipped) {
    text += "Not checked: " + example[reason] +
            (count > 5 ? " and " + std::to_string(count - 5) + " more" : "") + ": " + reason + "\n";
  }
  for (const std::string& problem : report.problems)
    text += "Not known: " + one_line(problem) + "\n";
  if (!text.empty()) text.pop_back();
  return text;
}

}  // namespace orchestrator::runtime
