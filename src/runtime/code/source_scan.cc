#include "runtime/code/source_scan.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace orchestrator::runtime {
namespace {

constexpr std::uint64_t kSearchedBytesMax = 1U << 20U;
constexpr std::size_t kPathsMax = 100;
constexpr std::size_t kPathBytesMax = 1'000;
constexpr std::size_t kWorkersMax = 8;
constexpr std::chrono::milliseconds kTurn{50};
constexpr std::size_t kNamedMax = 3;  // files of each kind that were skipped

}  // namespace

SourceScan::SourceScan(os::FileSystem& fs, std::string root, Scope scope)
    : fs_(fs),
      root_(std::move(root)),
      scope_(std::move(scope)),
      deadline_(Clock::now() + scope_.time_max) {}

void SourceScan::start(engine::Outbox& outbox,
                       std::function<void(engine::Outbox&, ToolAnswer)> done) {
  done_ = std::move(done);
  const auto self = shared_from_this();
  outbox.run_on_pool([self] { self->find(); },
                     [self](engine::Outbox& box) {
                       if (self->answer_) return self->done_(box, std::move(*self->answer_));
                       self->start_workers(box);
                     });
}

void SourceScan::start_workers(engine::Outbox& outbox) {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t workers =
      std::clamp<std::size_t>(files().size(), 1, std::min(cores, kWorkersMax));
  running_ = workers;
  for (std::size_t i = 0; i < workers; ++i) work_on(outbox);
}

/// In turns, since the pool has other work that is wanted at once.
void SourceScan::work_on(engine::Outbox& outbox) {
  enum class Turn { more_to_do, done, last };
  const auto self = shared_from_this();
  const auto turn = std::make_shared<Turn>(Turn::more_to_do);  // only this worker's
  outbox.run_on_pool(
      [self, turn] {
        if (self->work()) return;
        *turn = --self->running_ == 0 ? Turn::last : Turn::done;
        if (*turn == Turn::last) self->answer_ = self->report();
      },
      [self, turn](engine::Outbox& box) {
        if (*turn == Turn::more_to_do) self->work_on(box);
        if (*turn == Turn::last) self->done_(box, std::move(*self->answer_));
      });
}

void SourceScan::find() {
  TreeQuery query;
  query.paths = scope_.paths;
  query.stop = [this] { return out_of_time(); };
  query.wanted = [this](const std::string& path) {
    const auto language = syntax::language_of_path(path);
    return language && (scope_.languages.empty() ||
                        std::ranges::find(scope_.languages, *language) != scope_.languages.end());
  };
  tree_ = find_sources(fs_, root_, query);
  states_.assign(files().size(), State::waiting);
  reasons_.resize(files().size());
  answer_ = prepare();
}

bool SourceScan::work() {
  const Clock::time_point turn_ends = Clock::now() + kTurn;
  while (!out_of_time()) {
    if (Clock::now() >= turn_ends) return true;
    const std::size_t i = next_++;
    if (i >= files().size()) return false;
    states_[i] = State::looked;
    const auto text = fs_.read(root_ + "/" + files()[i], kSearchedBytesMax);
    if (!text.ok()) {
      const auto info = fs_.stat(root_ + "/" + files()[i]);
      const bool large = info.ok() && info.value().size_bytes > kSearchedBytesMax;
      skip(i, large ? "too large" : "not readable");
    } else {
      look(i, text.value());
    }
  }
  return false;
}

syntax::Language SourceScan::language_of(std::size_t file) const {
  return syntax::language_of_path(files()[file]).value_or(syntax::Language::json);
}

void SourceScan::skip(std::size_t file, std::string why) {
  states_[file] = State::skipped;
  reasons_[file] = std::move(why);
}

bool SourceScan::looked_at_all() const {
  return tree_.complete && std::ranges::find(states_, State::waiting) == states_.end();
}

std::string SourceScan::left_out() const {
  std::map<std::string, std::pair<std::size_t, std::string>> skipped;  // reason: count, names
  std::size_t waiting = 0;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    if (states_[i] == State::waiting) ++waiting;
    if (states_[i] != State::skipped) continue;
    auto& [count, names] = skipped[reasons_[i]];
    if (++count <= kNamedMax) names += (names.empty() ? "" : ", ") + files()[i];
  }
  std::string out;
  for (const auto& [why, what] : skipped) {
    out += "Skipped, " + why + ": " + what.second;
    if (what.first > kNamedMax) out += " and " + std::to_string(what.first - kNamedMax) + " more";
    out += ".\n";
  }
  if (waiting > 0 || !tree_.complete) {
    out += "Not searched, because the time (" + std::to_string(scope_.time_max.count() / 1000) +
           " s) was up or there are too many: " +
           (waiting > 0 ? std::to_string(waiting) + " files" : "") +
           (tree_.complete ? "" : (waiting > 0 ? " and whole directories" : "whole directories")) +
           "; name paths.\n";
  }
  if (!tree_.unreadable.empty()) out += "Not readable: " + tree_.unreadable + "\n";
  return out;
}

base::Result<std::vector<std::string>> paths_inside(
    const std::vector<std::string>& paths,
    const std::function<std::string(std::string_view)>& relative) {
  std::vector<std::string> out;
  if (paths.size() > kPathsMax)
    return base::Error{"there are more than 100", "paths", "use globs such as src/**/*.ts"};
  for (const std::string& path : paths) {
    if (path.empty()) continue;
    if (path.size() > kPathBytesMax || path.find('\0') != std::string::npos)
      return base::Error{"a path is too long or empty", "paths", ""};
    const std::size_t wild = path.find_first_of("*?{[");
    const std::size_t slash = wild == std::string::npos ? path.size() : path.rfind('/', wild);
    const std::string fixed = wild == std::string::npos                 ? path
                              : slash == std::string::npos || wild == 0 ? "."
                                                                        : path.substr(0, slash);
    const std::string rest =
        wild == std::string::npos ? "" : path.substr(fixed == "." ? 0 : slash + 1);
    const std::string inside = relative(fixed.empty() ? "/" : fixed);
    if (inside.starts_with('/') || inside.starts_with("..")) {
      return base::Error{path + " is outside the project", "paths",
                         "name files, directories or globs inside of it"};
    }
    const bool root = inside == "." || inside.empty();
    out.push_back(rest.empty() ? inside : (root ? rest : inside + "/" + rest));
  }
  return out;
}

base::Result<std::vector<syntax::Language>> languages_named(std::string_view name) {
  using syntax::Language;
  if (name.empty()) return std::vector<Language>();
  const auto language = syntax::language_from_name(name);
  if (!language) {
    std::string known;
    for (const Language one : syntax::kLanguages)
      known += (known.empty() ? "" : ", ") + std::string(syntax::language_name(one));
    return base::Error{"no such language: \"" + std::string(name.substr(0, 40)) + "\"", "language",
                       "one of " + known};
  }
  std::vector<Language> out{*language};
  if (*language == Language::typescript) out.push_back(Language::tsx);
  return out;
}

}  // namespace orchestrator::runtime
