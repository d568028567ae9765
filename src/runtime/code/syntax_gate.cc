#include "runtime/code/syntax_gate.h"

#include <algorithm>

#include "syntax/language.h"

namespace orchestrator::runtime {
namespace {

using syntax::Skipped;

constexpr std::uint64_t kCheckedBytesMax = 1U << 20U;
constexpr std::size_t kErrorsSaid = 5;

}  // namespace

FileText text_to_check(os::FileSystem& fs, const std::string& path) {
  const auto real = fs.canonical(path);
  if (!real.ok()) return {};
  const auto info = fs.stat(real.value());
  if (!info.ok() || info.value().kind != os::FileInfo::Kind::file) return {};
  if (info.value().size_bytes > kCheckedBytesMax) return {Skipped::too_large, ""};
  auto text = fs.read(real.value(), kCheckedBytesMax);
  // It has grown meanwhile, or cannot be read: nothing can be said of it.
  return text.ok() ? FileText{Skipped::no, std::move(text).value()}
                   : FileText{Skipped::too_large, ""};
}

void ShadowFile::prepare() {
  base::Lock lock(mutex_);
  prepare_locked();
}

void ShadowFile::prepare_locked() {
  if (prepared_) return;
  prepared_ = true;
  const auto language = syntax::language_of_path(path_);
  baseline_.skipped = before_.skipped;
  if (!language || before_.skipped != Skipped::no) return;
  Tree tree = syntax::parse_text(*language, std::move(before_.text));
  before_.text.clear();
  baseline_ = tree->report();
  keep(std::move(tree));
}

void ShadowFile::keep(Tree tree) {
  bytes_.store(tree ? tree->bytes() : 0, std::memory_order_relaxed);
  base::Lock lock(newest_mutex_);
  newest_.swap(tree);
}

ShadowFile::Tree ShadowFile::newest() {
  base::Lock lock(newest_mutex_);
  return newest_;
}

ShadowReport ShadowFile::check(FileText now, const syntax::Limits& limits) {
  ShadowReport report{path_, now.skipped, {}};
  const auto language = syntax::language_of_path(path_);
  if (!language) report.skipped = Skipped::unknown_language;
  if (report.skipped != Skipped::no) return report;
  base::Lock lock(mutex_);
  prepare_locked();
  const Tree before = newest();
  Tree parsed = syntax::parse_text(*language, now.text, before.get(), limits);
  report.fresh = syntax::new_errors(baseline_, parsed->report());
  if (!report.fresh.empty() && !parsed->from_nothing()) {
    parsed = syntax::parse_text(*language, std::move(now.text), nullptr, limits);
    report.fresh = syntax::new_errors(baseline_, parsed->report());
  }
  report.skipped = parsed->report().skipped;
  keep(std::move(parsed));
  return report;
}

ShadowReport ShadowFile::check_whole(const FileText& now, const syntax::Limits& limits) {
  ShadowReport report{path_, now.skipped, {}};
  const auto language = syntax::language_of_path(path_);
  if (!language) report.skipped = Skipped::unknown_language;
  if (report.skipped != Skipped::no) return report;
  const syntax::ParseReport parsed = syntax::check_syntax(*language, now.text, limits);
  base::Lock lock(mutex_);
  prepare_locked();
  report.fresh = syntax::new_errors(baseline_, parsed);
  report.skipped = parsed.skipped;
  return report;
}

std::shared_ptr<ShadowFile> ShadowFiles::find(const std::string& path) const {
  const auto it = files_.find(path);
  return it == files_.end() ? nullptr : it->second.file;
}

std::shared_ptr<ShadowFile> ShadowFiles::note(const std::string& path, FileText before) {
  const auto [it, added] = files_.try_emplace(path);
  if (!added) return nullptr;
  it->second.file = std::make_shared<ShadowFile>(path, std::move(before));
  it->second.place = order_.end();
  return it->second.file;
}

void ShadowFiles::used(const std::string& path) {
  const auto it = files_.find(path);
  if (it == files_.end()) return;
  if (it->second.place != order_.end()) order_.erase(it->second.place);
  it->second.place = order_.insert(order_.begin(), path);
  std::size_t bytes = 0;
  for (const std::string& each : order_) bytes += files_[each].file->bytes();
  while (order_.size() > 1 && (order_.size() > limits_.trees_max || bytes > limits_.bytes_max)) {
    Entry& oldest = files_[order_.back()];
    bytes -= std::min(bytes, oldest.file->bytes());
    oldest.file->forget_tree();
    oldest.place = order_.end();
    order_.pop_back();
  }
}

void ShadowFiles::clear() {
  files_.clear();
  order_.clear();
}

namespace {

std::string error_lines(const std::vector<ShadowReport>& reports) {
  std::string text;
  std::size_t said = 0;
  std::size_t left_out = 0;
  for (const ShadowReport& report : reports) {
    for (const syntax::SyntaxError& error : report.fresh) {
      if (++said <= kErrorsSaid) {
        text += "\n" + report.path + ":" + syntax::to_string(error);
      } else {
        ++left_out;
      }
    }
  }
  if (left_out > 0) text += "\n… and " + std::to_string(left_out) + " more";
  return text;
}

}  // namespace

std::string shadow_text(const std::vector<ShadowReport>& reports, bool& say_unknown) {
  std::string text = error_lines(reports);
  if (!text.empty()) {
    text = "\n\nThis edit added syntax errors:" + text +
           "\nFix them now: with them no review can pass.";
  }
  for (const ShadowReport& report : reports) {
    if (report.skipped == Skipped::no) continue;
    if (report.skipped == Skipped::unknown_language && !std::exchange(say_unknown, false)) continue;
    text += "\n\nSyntax of " + report.path +
            " not checked: " + std::string(syntax::to_string(report.skipped)) + ".";
  }
  return text;
}

}  // namespace orchestrator::runtime
