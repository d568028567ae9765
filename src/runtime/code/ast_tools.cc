#include "runtime/code/ast_tools.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <utility>

#include "base/unified_diff.h"
#include "codec/json.h"
#include "codec/limits.h"
#include "orchestrator/tool_args.h"
#include "syntax/outline.h"
#include "syntax/rewrite.h"
#include "syntax/search.h"

namespace orchestrator::runtime {
namespace {

using syntax::Language;
using syntax::Search;

constexpr std::size_t kAnswerBytesMax = 24'000;
constexpr std::size_t kDiffBytesMax = 30'000;
constexpr std::int64_t kMatchesMax = 1'000;
constexpr std::size_t kLineMax = 160;
constexpr std::size_t kCaptureMax = 60;
constexpr std::size_t kKeptBytesMax = std::size_t{32} << 20U;  // of texts for the answer
constexpr std::size_t kChangedFilesMax = 500;
constexpr std::size_t kChangedBytesMax = std::size_t{64} << 20U;  // old and new texts
constexpr std::size_t kOutlineFilesMax = 200;

template <class Args>
base::Result<Args> read(std::string_view arguments) {
  Args args;
  codec::Problems problems;
  if (codec::parse_json(arguments, args, problems) && codec::check_limits(args, problems))
    return args;
  std::string all;
  for (const codec::Problem& problem : problems)
    all += (all.empty() ? "" : "; ") + codec::to_string(problem);
  return base::Error{all, "arguments", ""};
}

base::Result<SourceScan::Scope> scope_of(const AstPlace& place,
                                         const std::vector<std::string>& paths,
                                         std::string_view language) {
  auto inside = paths_inside(paths, place.relative);
  if (!inside.ok()) return inside.error();
  auto languages = languages_named(language);
  if (!languages.ok()) return languages.error();
  SourceScan::Scope scope;
  scope.paths = std::move(inside).value();
  scope.languages = std::move(languages).value();
  return scope;
}

bool is_inside_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

std::string clipped(std::string_view text, std::size_t max) {
  if (text.size() <= max) return std::string(text);
  while (max > 0 && is_inside_character(text[max])) --max;
  return std::string(text.substr(0, max)) + "…";
}

/// On one line, white space as single blanks.
std::string on_one_line(std::string_view text, std::size_t max) {
  std::string out;
  for (const char c : text.substr(0, 4 * max)) {
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    if (!space) out += c;
    if (space && !out.empty() && out.back() != ' ') out += ' ';
  }
  if (out.ends_with(' ')) out.pop_back();
  return clipped(out, max);
}

std::string count_of(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) +
         (count == 1 ? "" : (what.ends_with("h") ? "es" : "s"));
}

/// Searches for one thing in whatever languages the files have.
class Searches {
 public:
  Searches(std::string text, bool is_query) : text_(std::move(text)), is_query_(is_query) {}

  /// Compiles for the languages of these files. An error if that succeeds for none.
  std::optional<base::Error> compile(const std::vector<std::string>& files) {
    std::map<Language, std::size_t> wanted;
    for (const std::string& file : files) {
      if (const auto language = syntax::language_of_path(file)) ++wanted[*language];
    }
    std::optional<base::Error> fault;
    std::size_t most = 0;
    for (const auto& [language, count] : wanted) {
      auto made =
          is_query_ ? Search::for_query(language, text_) : Search::for_pattern(language, text_);
      if (made.ok()) {
        made_.emplace(language, std::move(made).value());
        continue;
      }
      // Every project has data files, and few patterns are meant for them.
      if (language != Language::json) {
        not_searched_ +=
            (not_searched_.empty() ? "" : ", ") + std::string(syntax::language_name(language));
      }
      if (count > most) fault = made.error();
      most = std::max(most, count);
    }
    return made_.empty() ? fault : std::nullopt;
  }

  [[nodiscard]] const Search* in(Language language) const {
    const auto found = made_.find(language);
    return found == made_.end() ? nullptr : &found->second;
  }

  [[nodiscard]] std::string left_out() const {
    if (not_searched_.empty()) return "";
    return std::string("Not searched, because the match would not be code there: ") +
           not_searched_ + " files.\n";
  }

 private:
  std::string text_;
  bool is_query_;
  std::map<Language, Search> made_;
  std::string not_searched_;
};

std::string no_files() {
  return "No file to search: paths and language match none (ignored files count as none).";
}

// ---- ast_search ---------------------------------------------------------------------------------

class SearchJob final : public SourceScan {
 public:
  SearchJob(os::FileSystem& fs, std::string root, Scope scope, const SearchArgs& args)
      : SourceScan(fs, std::move(root), std::move(scope)),
        limit_(static_cast<std::size_t>(std::clamp<std::int64_t>(args.limit, 1, kMatchesMax))),
        is_query_(!args.query.empty()),
        searches_(is_query_ ? args.query : args.pattern, is_query_) {}

 protected:
  std::optional<ToolAnswer> prepare() override {
    if (files().empty()) return ToolAnswer{true, no_files() + "\n" + left_out()};
    if (auto fault = searches_.compile(files())) return ToolAnswer{false, fault->text()};
    matches_.resize(files().size());
    return std::nullopt;
  }

  void look(std::size_t file, const std::string& text) override {
    const Search* search = searches_.in(language_of(file));
    if (search == nullptr) return;
    const syntax::SearchResult result = search->run(text);
    if (result.skipped != syntax::Skipped::no)
      return skip(file, std::string(to_string(result.skipped)));
    Matches& here = matches_[file];
    here.count = result.found.size();
    here.more = result.more;
    if (kept_ > kKeptBytesMax) return;  // what comes so late is never shown
    for (const syntax::Found& found : result.found) {
      if (here.lines.size() >= limit_ || here.bytes > kAnswerBytesMax) break;
      here.lines.push_back(line_of(text, found));
      here.bytes += here.lines.back().size();
    }
    kept_ += here.bytes;
  }

  ToolAnswer report() override {
    std::size_t count = 0;
    std::size_t hit = 0;
    std::size_t shown = 0;
    bool more = false;
    std::string body;
    for (std::size_t i = 0; i < files().size(); ++i) {
      const Matches& here = matches_[i];
      if (here.count == 0) continue;
      count += here.count;
      more = more || here.more;
      ++hit;
      bool named = false;
      for (const std::string& line : here.lines) {
        if (shown >= limit_ || body.size() + line.size() + files()[i].size() > kAnswerBytesMax)
          break;
        if (!named) body += files()[i] + "\n";
        named = true;
        body += line;
        ++shown;
      }
    }
    std::string head = (more ? "At least " : "") + count_of(count, "match") + " in " +
                       count_of(hit, "file") + ", of " + std::to_string(files().size()) +
                       " searched.";
    if (shown < count) {
      head += " Shown: the first " + std::to_string(shown) + "; narrow paths" +
              (limit_ < static_cast<std::size_t>(kMatchesMax) ? " or raise limit." : ".");
    }
    return {true, head + "\n" + searches_.left_out() + left_out() + body};
  }

 private:
  struct Matches {
    std::size_t count = 0;
    bool more = false;
    std::vector<std::string> lines;
    std::size_t bytes = 0;
  };

  [[nodiscard]] std::string line_of(std::string_view text, const syntax::Found& found) const {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    const std::size_t before = text.substr(0, found.span.begin).rfind('\n');
    const std::size_t line = before == std::string_view::npos ? 0 : before + 1;
    const std::size_t end = std::min(text.find('\n', found.span.begin), text.size());
    const bool far = found.span.begin - line > kLineMax / 2;
    const std::size_t start = line == 0 && text.starts_with(kByteOrderMark) ? 3 : line;
    const std::size_t begin = far ? found.span.begin : start;
    std::string out = std::to_string(found.line) + ":" + std::to_string(found.column) + " " +
                      (far ? "…" : "") + on_one_line(text.substr(begin, end - begin), kLineMax);
    if (found.end_line > found.line) out += " (to line " + std::to_string(found.end_line) + ")";
    if (is_query_) {
      for (const auto& capture : found.captures) {
        out += " @" + capture.name + "=" +
               on_one_line(text.substr(capture.span.begin, capture.span.end - capture.span.begin),
                           kCaptureMax);
      }
    }
    return out + "\n";
  }

  std::size_t limit_;
  bool is_query_;
  Searches searches_;
  std::vector<Matches> matches_;
  std::atomic<std::size_t> kept_{0};
};

// ---- ast_replace --------------------------------------------------------------------------------

class ReplaceJob final : public AstReplace {
 public:
  ReplaceJob(os::FileSystem& fs, std::string root, Scope scope, ReplaceArgs args)
      : AstReplace(fs, std::move(root), std::move(scope)),
        args_(std::move(args)),
        searches_(args_.pattern, false) {}

  [[nodiscard]] bool wants_writing() const override {
    return args_.apply && refusals_.empty() && !changes_.empty();
  }
  [[nodiscard]] const std::vector<Change>& changes() const override { return changes_; }

  [[nodiscard]] ToolAnswer write() const override {
    std::string failed;
    std::size_t written = 0;
    for (const Change& change : changes_) {
      const std::string why = write_one(change);
      if (why.empty()) {
        ++written;
      } else {
        failed += change.path + ": " + why + "\n";
      }
    }
    std::string head = "Written: " + count_of(written, "file") + ".\n";
    if (!failed.empty()) head += "Not written:\n" + clipped(failed, 4'000);
    return {failed.empty() || written > 0, head + summary_ + shown_};
  }

 protected:
  std::optional<ToolAnswer> prepare() override {
    if (files().empty()) return ToolAnswer{false, no_files() + "\n" + left_out()};
    if (auto fault = searches_.compile(files())) return ToolAnswer{false, fault->text()};
    for (const Language language : syntax::kLanguages) {
      const Search* search = searches_.in(language);
      if (search == nullptr) continue;
      auto rewrite = syntax::Rewrite::compile(*search->pattern(), args_.rewrite);
      if (!rewrite.ok()) return ToolAnswer{false, rewrite.error().text()};
      rewrites_.emplace(language, std::move(rewrite).value());
    }
    results_.resize(files().size());
    return std::nullopt;
  }

  void look(std::size_t file, const std::string& text) override {
    const Language language = language_of(file);
    const Search* search = searches_.in(language);
    if (search == nullptr) return;
    const syntax::SearchResult found = search->run(text);
    if (found.skipped != syntax::Skipped::no)
      return skip(file, std::string(to_string(found.skipped)));
    if (found.found.empty()) return;
    auto rewritten = rewrites_.at(language).apply(text, found.found);
    if (rewritten.text == text) return;
    Result& here = results_[file];
    here.replaced = rewritten.edits.size();
    here.nested = rewritten.nested;
    if (++changed_ > kChangedFilesMax) return;
    if ((changed_bytes_ += text.size() + rewritten.text.size()) > kChangedBytesMax) return;
    auto verdict = syntax::judge_rewrite(language, text, rewritten.text);
    here.why_not = found.more ? "it has too many matches" : std::move(verdict.why_not);
    here.diff = base::unified_diff(files()[file], text, rewritten.edits);
    if (here.diff.size() > kDiffBytesMax) here.diff.resize(kDiffBytesMax);
    here.change = {files()[file], text, std::move(rewritten.text), std::move(verdict.before)};
  }

  ToolAnswer report() override {
    std::size_t replaced = 0;
    std::size_t nested = 0;
    std::size_t changed = 0;
    std::string not_shown;
    for (std::size_t i = 0; i < results_.size(); ++i) {
      Result& here = results_[i];
      if (here.replaced == 0) continue;
      ++changed;
      replaced += here.replaced;
      nested += here.nested;
      if (!here.why_not.empty()) refusals_ += files()[i] + ": " + here.why_not + "\n";
      if (shown_.size() + here.diff.size() <= kDiffBytesMax && !here.diff.empty()) {
        shown_ += here.diff;
      } else {
        not_shown += files()[i] + " (" + std::to_string(here.replaced) + "), ";
      }
      if (!here.change.path.empty()) changes_.push_back(std::move(here.change));
    }
    summary_ = count_of(replaced, "replacement") + " in " + count_of(changed, "file") + ".\n";
    if (nested > 0) {
      summary_ += count_of(nested, "match") +
                  " within replaced ones left as they are: call again for them.\n";
    }
    summary_ += searches_.left_out() + left_out();
    if (!not_shown.empty()) {
      not_shown.resize(not_shown.size() - 2);
      summary_ += "Diffs too long to show: " + clipped(not_shown, 2'000) + "\n";
    }
    if (changed == 0) return {true, "Nothing matches.\n" + summary_};
    if (!looked_at_all()) refusals_ += "Not all files could be searched: name paths.\n";
    if (changed > changes_.size())
      refusals_ += "Too many changes at once (" + std::to_string(kChangedFilesMax) +
                   " files): name paths.\n";
    if (!refusals_.empty()) {
      return {!args_.apply,
              (args_.apply ? "Refused, and nothing written:\n" : "This would be refused:\n") +
                  clipped(refusals_, 4'000) + summary_ + shown_};
    }
    return {true, summary_ + "Nothing is written yet: call again with apply: true to write it.\n" +
                      shown_};
  }

 private:
  struct Result {
    std::size_t replaced = 0;
    std::size_t nested = 0;
    std::string why_not;
    std::string diff;
    Change change;
  };

  /// Another program could still write between the comparison and the rename: file systems offer
  /// nothing better without locks, which other programs ignore.
  [[nodiscard]] std::string write_one(const Change& change) const {
    const std::string path = root_ + "/" + change.path;
    const auto now = fs_.read(path, change.before.size());
    if (!now.ok() || now.value() != change.before) return "it was changed meanwhile: call again";
    const auto written = os::atomic_replace(fs_, path, change.after, os::Mode::keep);
    return written.ok() ? "" : written.error().text();
  }

  ReplaceArgs args_;
  Searches searches_;
  std::map<Language, syntax::Rewrite> rewrites_;
  std::vector<Result> results_;
  std::atomic<std::size_t> changed_{0};
  std::atomic<std::size_t> changed_bytes_{0};
  std::vector<Change> changes_;
  std::string refusals_;
  std::string summary_;
  std::string shown_;
};

// ---- ast_outline --------------------------------------------------------------------------------

class OutlineJob final : public SourceScan {
 public:
  using SourceScan::SourceScan;

 protected:
  std::optional<ToolAnswer> prepare() override {
    if (files().empty()) return ToolAnswer{true, no_files() + "\n" + left_out()};
    if (files().size() > kOutlineFilesMax) {
      return ToolAnswer{false, "paths: these are " + std::to_string(files().size()) +
                                   " files; name at most " + std::to_string(kOutlineFilesMax) +
                                   " at once."};
    }
    texts_.resize(files().size());
    return std::nullopt;
  }

  void look(std::size_t file, const std::string& text) override {
    const syntax::Outline outline = syntax::outline_of(language_of(file), text);
    if (outline.skipped != syntax::Skipped::no)
      return skip(file, std::string(to_string(outline.skipped)));
    std::string& out = texts_[file];
    for (const syntax::Symbol& symbol : outline.symbols) {
      if (out.size() > kAnswerBytesMax) break;
      out += std::string(symbol.depth + 1, ' ') + std::to_string(symbol.line) +
             (symbol.end_line > symbol.line ? "-" + std::to_string(symbol.end_line) : "") + " " +
             symbol.kind + " " + symbol.name + "\n";
    }
    if (outline.more) out += " …\n";
    if (out.empty()) out = " nothing is declared\n";
  }

  ToolAnswer report() override {
    std::string body;
    std::string cut;
    for (std::size_t i = 0; i < files().size(); ++i) {
      if (texts_[i].empty()) continue;
      if (body.size() + texts_[i].size() <= kAnswerBytesMax) {
        body += files()[i] + "\n" + texts_[i];
      } else if (body.empty()) {
        const std::size_t end = texts_[i].rfind('\n', kAnswerBytesMax);
        body = files()[i] + "\n" + texts_[i].substr(0, end + 1) + " …\n";
        cut += files()[i] + " (from the cut on), ";
      } else {
        cut += files()[i] + ", ";
      }
    }
    if (!cut.empty()) {
      cut.resize(cut.size() - 2);
      body += "Left out, since the answer would be too long: " + clipped(cut, 2'000) + "\n";
    }
    return {true, body + left_out()};
  }

 private:
  std::vector<std::string> texts_;
};

}  // namespace

base::Result<std::shared_ptr<SourceScan>> make_ast_search(const AstPlace& place,
                                                          std::string_view arguments) {
  auto args = read<SearchArgs>(arguments);
  if (!args.ok()) return args.error();
  const bool pattern = !args.value().pattern.empty();
  if (pattern == !args.value().query.empty()) {
    return base::Error{pattern ? "there are both a pattern and a query" : "there is no pattern",
                       "arguments", "give one of pattern, such as \"foo($A)\", and query"};
  }
  auto scope = scope_of(place, args.value().paths, args.value().language);
  if (!scope.ok()) return scope.error();
  return std::shared_ptr<SourceScan>(
      std::make_shared<SearchJob>(place.fs, place.root, std::move(scope).value(), args.value()));
}

base::Result<std::shared_ptr<AstReplace>> make_ast_replace(const AstPlace& place,
                                                           std::string_view arguments) {
  auto args = read<ReplaceArgs>(arguments);
  if (!args.ok()) return args.error();
  auto scope = scope_of(place, args.value().paths, args.value().language);
  if (!scope.ok()) return scope.error();
  return std::shared_ptr<AstReplace>(std::make_shared<ReplaceJob>(
      place.fs, place.root, std::move(scope).value(), std::move(args).value()));
}

base::Result<std::shared_ptr<SourceScan>> make_ast_outline(const AstPlace& place,
                                                           std::string_view arguments) {
  auto args = read<OutlineArgs>(arguments);
  if (!args.ok()) return args.error();
  auto scope = scope_of(place, args.value().paths, "");
  if (!scope.ok()) return scope.error();
  return std::shared_ptr<SourceScan>(
      std::make_shared<OutlineJob>(place.fs, place.root, std::move(scope).value()));
}

}  // namespace orchestrator::runtime
