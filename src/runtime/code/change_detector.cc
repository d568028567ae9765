#include "runtime/code/change_detector.h"

#include <chrono>
#include <vector>

#include "runtime/code/source_files.h"

namespace orchestrator::runtime {
namespace {

constexpr std::size_t kWatchedMax = 50'000;
constexpr std::chrono::seconds kLookTime{3};
constexpr std::size_t kTrackedCommandsMax = 1'000;
constexpr std::size_t kToldMax = 200;
/// A tool that was let write does so within this time.
constexpr std::uint64_t kWriteTakesMs = 10'000;

}  // namespace

ChangeDetector::ChangeDetector(os::FileSystem& fs, std::string root,
                               std::function<void(FilesChanged, engine::Outbox&)> found,
                               std::function<void(const std::string& why)> blind)
    : fs_(fs), root_(std::move(root)), found_(std::move(found)), blind_(std::move(blind)) {}

void ChangeDetector::begin(engine::Outbox& outbox) {
  end();
  active_ = true;
  look(outbox);
}

void ChangeDetector::end() {
  ++watch_;
  active_ = looking_ = again_ = false;
  before_.reset();
  wrote_.clear();
  running_.clear();
  ran_.clear();
}

void ChangeDetector::wrote(const std::string& path, std::uint64_t now_ms) {
  if (active_) wrote_[path] = now_ms;
}

void ChangeDetector::command_began(const SessionId& session, const std::string& call) {
  if (!active_) return;
  if (running_.size() >= kTrackedCommandsMax)
    running_.clear();  // commands whose end was never reported
  running_.insert({session, call});
  ran_.insert(session);
}

void ChangeDetector::command_ended(const SessionId& session, const std::string& call,
                                   engine::Outbox& outbox) {
  if (!active_) return;
  running_.erase({session, call});
  ran_.insert(session);
  look(outbox);
}

void ChangeDetector::look(engine::Outbox& outbox) {
  again_ = looking_;
  if (looking_) return;
  looking_ = true;
  struct Job {
    Look look;
    std::set<SessionId> ran;
    std::uint64_t began_ms = 0;
  };
  auto job = std::make_shared<Job>();
  job->began_ms = outbox.now_ms();
  job->ran = std::exchange(ran_, {});
  for (const auto& [session, call] : running_) ran_.insert(session);
  outbox.run_on_pool([job, &fs = fs_, root = root_] { read_versions(fs, root, job->look); },
                     [this, job, watch = watch_](engine::Outbox& out) {
                       if (watch != watch_) return;
                       looking_ = false;
                       // Who began while it looked may have changed what it saw.
                       for (const auto& [session, call] : running_) job->ran.insert(session);
                       compare(job->look, job->ran, out);
                       looked_ms_ = job->began_ms;
                       if (again_ && active_) look(out);
                     });
}

/// Pool thread.
void ChangeDetector::read_versions(os::FileSystem& fs, const std::string& root, Look& look) {
  const auto end = std::chrono::steady_clock::now() + kLookTime;
  const auto late = [end] { return std::chrono::steady_clock::now() > end; };
  TreeQuery query;
  query.wanted = [](const std::string&) { return true; };
  query.stop = late;
  query.files_max = kWatchedMax;
  const SourceTree tree = find_sources(fs, root, query);
  if (!tree.unreadable.empty()) look.blind = tree.unreadable + " cannot be listed";
  if (!tree.complete) look.blind = "it has too many files, or its disk is too slow";
  if (!look.blind.empty()) return;
  std::string whole = root + "/";
  for (const std::string& path : tree.files) {
    if (late()) {
      look.blind = "its disk is too slow";
      return;
    }
    whole.replace(root.size() + 1, std::string::npos, path);
    const auto info = fs.stat(whole);
    if (!info.ok()) continue;  // gone meanwhile
    look.files[path] = {info.value().size_bytes, info.value().modified_ns, info.value().file_id};
  }
}

void ChangeDetector::compare(const Look& now, const std::set<SessionId>& ran,
                             engine::Outbox& outbox) {
  if (!now.blind.empty()) {
    end();
    return blind_("changes through a shell are not found in this project: " + now.blind);
  }
  const auto before = std::exchange(before_, now.files);
  if (!before) return;
  FilesChanged changed;
  const auto note = [&](const std::string& path) {
    const auto wrote = wrote_.find(path);
    if (wrote != wrote_.end() &&
        (wrote->second >= looked_ms_ || outbox.now_ms() - wrote->second < kWriteTakesMs)) {
      return;
    }
    if (changed.paths.size() < kToldMax) {
      changed.paths.push_back(path);
    } else {
      changed.left_out += 1;
    }
  };
  for (const auto& [path, version] : now.files) {
    const auto old = before->find(path);
    if (old == before->end() || old->second != version) note(path);
  }
  for (const auto& [path, version] : *before) {
    if (!now.files.contains(path)) note(path);
  }
  std::erase_if(wrote_, [&](const auto& wrote) {
    return wrote.second < looked_ms_ && outbox.now_ms() - wrote.second >= kWriteTakesMs;
  });
  if (changed.paths.empty()) return;
  changed.ran.assign(ran.begin(), ran.end());
  found_(std::move(changed), outbox);
}

}  // namespace orchestrator::runtime
