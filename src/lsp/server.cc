#include "lsp/server.h"

#include <algorithm>
#include <array>
#include <utility>

namespace orchestrator::lsp {
namespace {

/// Delay before the second start, the third, …: a server that crashed at once would crash again.
constexpr std::array<std::uint64_t, 3> kBackoffMs{200, 1'000, 5'000};
/// After this many timed-out checks in a row the server counts as hung.
constexpr std::uint32_t kLateMax = 2;
constexpr std::size_t kChangedMax = 1000;
/// Time from `exit` to SIGKILL.
constexpr std::uint64_t kExitMs = 1'000;

bool has_error(const std::optional<Diagnostics>& found) {
  using Severity = codec::ServerDiagnostic::Severity;
  return found && std::ranges::any_of(*found, [](const codec::ServerDiagnostic& diagnostic) {
           return diagnostic.severity == Severity::error;
         });
}

}  // namespace

Server::Server(Profile profile, std::string root_uri, std::int64_t our_process, Launcher& launcher)
    : profile_(std::move(profile)),
      root_uri_(std::move(root_uri)),
      our_process_(our_process),
      launcher_(launcher) {}

void Server::warm(std::uint64_t now_ms) {
  used_ms_ = now_ms;
  if (!transport_ && !exhausted(now_ms) && now_ms >= start_again_ms_) launch(now_ms);
}

void Server::check(std::uint64_t id, std::vector<CheckedFile> files, std::uint64_t deadline_ms,
                   std::uint64_t now_ms) {
  Check check;
  check.id = id;
  check.outcome.check = id;
  check.outcome.files.resize(files.size());
  check.files = std::move(files);
  check.deadline_ms = deadline_ms;
  checks_.push_back(std::move(check));
  used_ms_ = now_ms;
  advance(now_ms);
}

void Server::forget(std::uint64_t id, std::uint64_t now_ms) {
  const auto found = std::ranges::find(checks_, id, &Check::id);
  if (found == checks_.end()) return;
  const bool at_work = found == checks_.begin() && found->pass != Pass::none;
  checks_.erase(found);
  if (at_work && connection_) connection_->close_documents();
  advance(now_ms);
}

void Server::note_changed(const std::string& uri) {
  if (changed_.size() < kChangedMax) changed_.insert(uri);
}

void Server::launch(std::uint64_t now_ms) {
  const std::uint64_t life = ++life_;
  auto launched = launcher_.launch(life);
  if (!launched.ok()) {
    cannot_start_ = true;
    last_crash_ = launched.error().text();
    return;
  }
  stopping_ = false;
  late_ = 0;
  transport_ = std::move(launched).value();
  connection_ = std::make_unique<Connection>(
      profile_, root_uri_, our_process_,
      [this](std::string bytes) { transport_->send(std::move(bytes)); });
  connection_->start(now_ms);
}

void Server::on_bytes(std::uint64_t life, std::string_view bytes, std::uint64_t now_ms) {
  if (life != life_ || !connection_) return;
  connection_->take(bytes, now_ms);
  advance(now_ms);
}

void Server::on_ended(std::uint64_t life, const std::string& how, std::uint64_t now_ms) {
  if (life != life_ || !transport_) return;
  if (stopping_) {
    drop_process();
  } else {
    crashed("it ended: " + how, now_ms);
  }
  advance(now_ms);
}

void Server::tick(std::uint64_t now_ms) {
  if (connection_) connection_->tick(now_ms);
  expire(now_ms);
  advance(now_ms);
  if (transport_ && !stopping_ && checks_.empty() && now_ms >= used_ms_ + kIdleMs) {
    stopping_ = true;
    connection_->shut_down(now_ms);
  }
  if (stop_ms_ != 0 && now_ms >= stop_ms_) drop_process();
}

std::optional<std::uint64_t> Server::wake_ms() const {
  std::optional<std::uint64_t> first;
  const auto consider = [&](std::uint64_t at) {
    if (!first || at < *first) first = at;
  };
  if (connection_) {
    if (const auto at = connection_->wake_ms()) consider(*at);
  }
  for (const Check& check : checks_) consider(check.deadline_ms);
  if (transport_ && checks_.empty() && !stopping_) consider(used_ms_ + kIdleMs);
  if (stop_ms_ != 0) consider(stop_ms_);
  if (!transport_ && !checks_.empty()) consider(start_again_ms_);
  return first;
}

std::vector<CheckOutcome> Server::take_outcomes() { return std::exchange(outcomes_, {}); }

void Server::drop_process() {
  connection_.reset();
  transport_.reset();
  stopping_ = false;
  stop_ms_ = 0;
  for (Check& check : checks_) check.pass = Pass::none;
}

void Server::crashed(const std::string& how, std::uint64_t now_ms) {
  last_crash_ = how;
  crashes_ms_.push_back(now_ms);
  drop_process();
  const std::size_t step = std::min(crashes_ms_.size(), kBackoffMs.size()) - 1;
  start_again_ms_ = now_ms + kBackoffMs.at(step);
}

bool Server::exhausted(std::uint64_t now_ms) {
  while (!crashes_ms_.empty() && crashes_ms_.front() + kCrashWindowMs <= now_ms)
    crashes_ms_.pop_front();
  return cannot_start_ || crashes_ms_.size() >= kCrashesMax;
}

void Server::advance(std::uint64_t now_ms) {
  if (connection_ && !connection_->fault().empty()) crashed(connection_->fault(), now_ms);
  if (stopping_ && stop_ms_ == 0 && connection_->told_to_exit()) stop_ms_ = now_ms + kExitMs;
  while (!checks_.empty()) {
    if (!transport_) {
      if (now_ms < start_again_ms_ && !exhausted(now_ms)) return;
      if (!exhausted(now_ms)) launch(now_ms);
      if (exhausted(now_ms)) {
        const std::string times =
            cannot_start_ ? "it could not be started"
                          : "it ended " + std::to_string(kCrashesMax) + " times in ten minutes";
        finish_front(times + " (" + last_crash_ + ")", now_ms);
        continue;
      }
    }
    if (stopping_) drop_process();
    if (!connection_) continue;
    if (!connection_->ready() || !advance_check(checks_.front(), now_ms)) return;
  }
}

/// True: the first check is over.
bool Server::advance_check(Check& check, std::uint64_t now_ms) {
  if (check.pass == Pass::none) {
    check.pass = Pass::now;
    std::vector<Document> documents;
    for (const CheckedFile& file : check.files) {
      documents.push_back(file.document);
      changed_.erase(file.document.uri);
    }
    connection_->tell_changed({changed_.begin(), changed_.end()});
    changed_.clear();
    connection_->diagnose(documents, now_ms);
  }
  if (!connection_->done(now_ms)) return false;
  const auto answers = connection_->answers();
  if (check.pass == Pass::now) {
    for (std::size_t i = 0; i < answers.size(); ++i) check.outcome.files[i].now = answers[i];
    begin_before(check, now_ms);
    if (!check.asked_before.empty()) return advance_check(check, now_ms);
  } else {
    for (std::size_t i = 0; i < answers.size(); ++i)
      check.outcome.files[check.asked_before[i]].before = answers[i];
  }
  late_ = 0;
  const std::string& refusal = connection_->refusal();
  finish_front(refusal.empty() ? "" : "it does not diagnose every file (" + refusal + ")", now_ms);
  return true;
}

/// Starts the pass over the old texts. Only for files with errors: most work has none.
void Server::begin_before(Check& check, std::uint64_t now_ms) {
  check.pass = Pass::before;
  check.asked_before.clear();
  const bool wrong = std::ranges::any_of(
      check.outcome.files, [](const CheckOutcome::File& file) { return has_error(file.now); });
  if (!wrong) return;
  // All files get their old text: one file's error may come from another's change.
  std::vector<Document> documents;
  for (std::size_t i = 0; i < check.files.size(); ++i) {
    if (!check.files[i].before) continue;
    check.asked_before.push_back(i);
    Document document = check.files[i].document;
    document.text = *check.files[i].before;
    documents.push_back(std::move(document));
  }
  if (!documents.empty()) connection_->diagnose(documents, now_ms);
}

void Server::finish_front(std::string problem, std::uint64_t now_ms) {
  CheckOutcome outcome = std::move(checks_.front().outcome);
  const bool at_work = checks_.front().pass != Pass::none;
  checks_.pop_front();
  outcome.problem = std::move(problem);
  outcomes_.push_back(std::move(outcome));
  used_ms_ = now_ms;
  if (at_work && connection_) connection_->close_documents();
}

std::string Server::why_late() const {
  if (!transport_) return "it ended and was not back in time (" + last_crash_ + ")";
  if (!connection_->ready()) return "it was still starting";
  return "it did not answer in time";
}

void Server::expire(std::uint64_t now_ms) {
  while (!checks_.empty()) {
    const auto due = std::ranges::find_if(
        checks_, [&](const Check& check) { return check.deadline_ms <= now_ms; });
    if (due == checks_.end()) return;
    if (due != checks_.begin()) {
      due->outcome.problem = "it was busy with other files";
      outcomes_.push_back(std::move(due->outcome));
      checks_.erase(due);
      continue;
    }
    const bool at_work = due->pass != Pass::none;
    if (due->pass == Pass::now && connection_) {
      const auto answers = connection_->answers();
      for (std::size_t i = 0; i < answers.size(); ++i) due->outcome.files[i].now = answers[i];
    }
    finish_front(why_late(), now_ms);
    if (at_work && ++late_ >= kLateMax) crashed("it hung", now_ms);
  }
}

}  // namespace orchestrator::lsp
