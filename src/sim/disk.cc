#include "sim/disk.h"

#include <algorithm>
#include <utility>

namespace orchestrator::sim {
namespace {

using base::Error;
using base::Result;

/// What the page cache writes at once.
constexpr std::size_t kPageBytes = 4096;
/// A power cut brings back what was durable: never much older than what was there.
constexpr std::size_t kWholeKept = 64;

/// A log is named after its mission: `m-x.wal`, `m-x.1.wal`.
std::string mission_of(const std::string& log) {
  const std::string name = log.substr(log.rfind('/') + 1);
  return name.substr(0, name.find('.'));
}

Error missing(const std::string& path) { return {"No such file or directory", path, ""}; }

}  // namespace

class Disk::File final : public os::AppendFile {
 public:
  File(Disk& disk, NodePtr node, std::string path)
      : disk_(disk), node_(std::move(node)), path_(std::move(path)), life_(disk.life_) {}

  Result<void> append(std::string_view bytes) override {
    if (life_ != disk_.life_) return Error{"the process is dead", path_, ""};
    return disk_.append_to(*node_, path_, bytes);
  }
  Result<void> sync() override {
    if (life_ != disk_.life_) return Error{"the process is dead", path_, ""};
    return disk_.sync_node(*node_, path_);
  }

 private:
  Disk& disk_;
  const NodePtr node_;
  const std::string path_;
  const std::uint64_t life_;
};

class Disk::Lock final : public os::DirectoryLock {
 public:
  Lock(Disk& disk, std::string path) : disk_(disk), path_(std::move(path)), life_(disk.life_) {}
  ~Lock() override {
    if (life_ == disk_.life_) disk_.locks_.erase(path_);
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Disk& disk_;
  const std::string path_;
  const std::uint64_t life_;
};

Disk::Disk(Faults& faults) : faults_(faults) {}

bool Disk::is_ours(const std::string& path) { return path.find("/.opencode") != std::string::npos; }

Disk::NodePtr Disk::find(const std::string& path) const {
  const auto it = names_.find(path);
  return it == names_.end() ? nullptr : it->second;
}

void Disk::maybe_die() {
  if (dead_ || !faults_.hit(Fault::die_at_write)) return;
  dead_ = true;
  if (!quiet_) throw ProcessDied{};
}

bool Disk::is_full() {
  if (faults_.hit(Fault::disk_full))
    full_until_ms_ = now_ms_ + faults_.detail(Fault::disk_full).between(100, 600'000);
  return now_ms_ < full_until_ms_ && !faults_.healed();
}

std::optional<Error> Disk::begin(const std::string& path, std::optional<Fault> error,
                                 const char* action) {
  if (dead_) return Error{"the process is dead", path, ""};
  ++calls_;
  if (!is_ours(path)) return std::nullopt;
  if (error != Fault::read_error) maybe_die();
  if (dead_) return Error{"the process is dead", path, ""};
  if (error && faults_.hit(*error))
    return Error{std::string(action) + ": Input/output error", path, ""};
  return std::nullopt;
}

void Disk::change_names(const std::string& directory,
                        std::vector<std::pair<std::string, NodePtr>> names) {
  for (const auto& [name, node] : names) {
    if (node) {
      names_[name] = node;
    } else {
      names_.erase(name);
    }
  }
  journal_.push_back({directory, std::move(names)});
}

void Disk::make_durable(const NameChange& change) {
  for (const auto& [name, node] : change.names) {
    if (!node) {
      durable_.erase(name);
      continue;
    }
    durable_[name] = node;
    if (const auto bad = damaged_.find(name); bad != damaged_.end() && bad->second != node)
      damaged_.erase(bad);
  }
}

// ---- the file system ----------------------------------------------------------------------------

Result<std::unique_ptr<os::AppendFile>> Disk::open_append(const std::string& path, bool create) {
  if (auto error = begin(path, Fault::write_error, "cannot open for writing")) return *error;
  NodePtr node = find(path);
  if (!node) {
    if (!create) return missing(path);
    const NodePtr parent = find(os::parent_directory(path));
    if (!parent || !parent->directory) return missing(path);
    if (is_full()) return Error{"cannot open for writing: No space left on device", path, ""};
    node = std::make_shared<Node>();
    node->is_log = path.find(".wal") != std::string::npos;
    touch(*node);
    change_names(os::parent_directory(path), {{path, node}});
    maybe_die();
  }
  return std::unique_ptr<os::AppendFile>(std::make_unique<File>(*this, std::move(node), path));
}

Result<std::string> Disk::read(const std::string& path, std::uint64_t bytes_max) {
  if (auto error = begin(path, Fault::read_error, "cannot read")) return *error;
  const NodePtr node = find(path);
  if (!node) return missing(path);
  if (node->directory) return Error{"cannot read: Is a directory", path, ""};
  if (node->bytes.size() > bytes_max)
    return Error{"is larger than the limit of " + std::to_string(bytes_max) + " bytes", path, ""};
  return node->bytes;
}

Result<void> Disk::read_parts(const std::string& path,
                              const std::function<void(std::string_view)>& take) {
  if (auto error = begin(path, Fault::read_error, "cannot read")) return *error;
  const NodePtr node = find(path);
  if (!node) return missing(path);
  if (node->directory) return Error{"cannot read: Is a directory", path, ""};
  take(node->bytes);
  return {};
}

void Disk::touch(Node& node) {
  node.modified_ns = static_cast<std::int64_t>(now_ms_) * 1'000'000 + changes_++ % 1'000'000;
}

Result<void> Disk::append_to(Node& node, const std::string& path, std::string_view bytes) {
  if (auto error = begin(path, Fault::write_error, "cannot write")) {
    if (dead_) return *error;
    // As a disk does that fails in the middle: a part of it arrives.
    touch(node);
    node.bytes += bytes.substr(
        0, faults_.detail(Fault::write_error).pick(static_cast<std::uint32_t>(bytes.size() + 1)));
    return *error;
  }
  if (is_full()) {
    node.bytes += bytes.substr(
        0, faults_.detail(Fault::disk_full).pick(static_cast<std::uint32_t>(bytes.size() + 1)));
    return Error{"cannot write: No space left on device", path, ""};
  }
  node.bytes += bytes;
  touch(node);
  bytes_written_ += bytes.size();
  maybe_die();
  return {};
}

Result<void> Disk::sync_node(Node& node, const std::string& path) {
  if (auto error = begin(path, Fault::sync_error, "cannot sync")) {
    if (dead_) return *error;
    // Linux marks pages clean that it could not write: a later sync says that all is well.
    if (faults_.detail(Fault::sync_error).chance(50) && node.synced < node.bytes.size()) {
      node.dropped.emplace_back(node.synced, node.bytes.size());
      node.synced = node.bytes.size();
    }
    return *error;
  }
  node.synced = node.bytes.size();
  if (node.is_log) {
    ++log_syncs_;
    const std::string mission = mission_of(path);
    if (!log_is_dirty(mission)) whole_syncs_[mission] = log_syncs_;
  }
  maybe_die();
  return {};
}

Result<void> Disk::truncate(const std::string& path, std::uint64_t size_bytes) {
  if (auto error = begin(path, Fault::write_error, "cannot cut")) return *error;
  const NodePtr node = find(path);
  if (!node) return missing(path);
  node->bytes.resize(size_bytes);
  touch(*node);
  node->synced = std::min<std::size_t>(node->synced, size_bytes);
  std::erase_if(node->dropped, [&](const auto& range) { return range.first >= size_bytes; });
  for (auto& range : node->dropped) range.second = std::min<std::size_t>(range.second, size_bytes);
  maybe_die();
  return sync_node(*node, path);
}

Result<void> Disk::rename(const std::string& from, const std::string& to) {
  if (auto error = begin(from, Fault::write_error, "cannot rename")) return *error;
  const NodePtr node = find(from);
  if (!node) return missing(from);
  if (to.ends_with(".json") || to.ends_with(".md")) {
    std::deque<std::size_t>& whole = whole_[to];
    whole.push_back(std::hash<std::string>{}(node->bytes));
    if (whole.size() > kWholeKept) whole.pop_front();
  }
  if (to.find(".wal") != std::string::npos) node->is_log = true;
  change_names(os::parent_directory(to), {{from, nullptr}, {to, node}});
  maybe_die();
  return {};
}

Result<void> Disk::sync_directory(const std::string& path) {
  if (auto error = begin(path, Fault::sync_error, "cannot sync the directory")) return *error;
  if (!find(path)) return missing(path);
  std::erase_if(journal_, [&](const NameChange& change) {
    if (change.directory != path) return false;
    make_durable(change);
    return true;
  });
  maybe_die();
  return {};
}

Result<void> Disk::remove(const std::string& path) {
  if (auto error = begin(path, Fault::write_error, "cannot remove")) return *error;
  if (!find(path)) return {};
  change_names(os::parent_directory(path), {{path, nullptr}});
  maybe_die();
  return {};
}

Result<void> Disk::create_directories(const std::string& path) {
  if (auto error = begin(path, Fault::write_error, "cannot create the directory")) return *error;
  std::vector<std::string> lacking;
  for (std::string at = path; !find(at) && at != "/" && at != "."; at = os::parent_directory(at))
    lacking.push_back(at);
  for (auto it = lacking.rbegin(); it != lacking.rend(); ++it) {
    if (is_full()) return Error{"cannot create the directory: No space left on device", path, ""};
    auto node = std::make_shared<Node>();
    node->directory = true;
    change_names(os::parent_directory(*it), {{*it, std::move(node)}});
    maybe_die();
  }
  return {};
}

Result<std::vector<os::DirectoryEntry>> Disk::list(const std::string& path) {
  if (auto error = begin(path, Fault::read_error, "cannot list the directory")) return *error;
  std::string start = path;
  if (start.empty() || start.back() != '/') start += '/';
  std::vector<os::DirectoryEntry> entries;
  for (auto it = names_.lower_bound(start); it != names_.end() && it->first.starts_with(start);
       ++it) {
    const std::string name = it->first.substr(start.size());
    if (name.empty() || name.find('/') != std::string::npos) continue;
    entries.push_back(
        {name, it->second->directory ? os::FileInfo::Kind::directory : os::FileInfo::Kind::file});
  }
  std::ranges::sort(entries, {}, &os::DirectoryEntry::name);
  return entries;
}

Result<os::FileInfo> Disk::stat(const std::string& path) {
  if (dead_) return Error{"the process is dead", path, ""};
  const NodePtr node = find(path);
  if (!node) return missing(path);
  os::FileInfo info;
  info.kind = node->directory ? os::FileInfo::Kind::directory : os::FileInfo::Kind::file;
  info.size_bytes = node->bytes.size();
  info.modified_ns = node->modified_ns;
  return info;
}

bool Disk::exists(const std::string& path) { return !dead_ && find(path) != nullptr; }

Result<std::string> Disk::canonical(const std::string& path) {
  if (path == "/" || find(path)) return path;
  return missing(path);
}

Result<std::unique_ptr<os::DirectoryLock>> Disk::lock(const std::string& path) {
  if (auto error = begin(path, Fault::write_error, "cannot open the lock file")) return *error;
  if (!find(path)) {
    const NodePtr parent = find(os::parent_directory(path));
    if (!parent || !parent->directory) return missing(path);
    change_names(os::parent_directory(path), {{path, std::make_shared<Node>()}});
  }
  if (!locks_.insert(path).second)
    return Error{"is in use by another process", path, "end that program"};
  return std::unique_ptr<os::DirectoryLock>(std::make_unique<Lock>(*this, path));
}

std::string Disk::temporary_name(const std::string& path) {
  return path + ".tmp-" + std::to_string(life_) + "-" + std::to_string(temporaries_++);
}

// ---- the simulation's own hand ------------------------------------------------------------------

void Disk::put(const std::string& path, std::string bytes) {
  for (std::string at = os::parent_directory(path); !find(at) && at != "/" && at != ".";
       at = os::parent_directory(at)) {
    auto directory = std::make_shared<Node>();
    directory->directory = true;
    names_[at] = durable_[at] = directory;
  }
  const NodePtr there = find(path);
  const NodePtr node = there ? there : std::make_shared<Node>();
  node->bytes = std::move(bytes);
  node->synced = node->bytes.size();
  touch(*node);
  names_[path] = durable_[path] = node;
  whole_[path].push_back(std::hash<std::string>{}(node->bytes));
}

const std::string* Disk::look(const std::string& path) const {
  const auto it = names_.find(path);
  return it == names_.end() || it->second->directory ? nullptr : &it->second->bytes;
}

void Disk::lose(const std::string& path) {
  if (names_.erase(path) == 0) return;
  durable_.erase(path);
  if (path.ends_with(".wal")) damaged_[path] = nullptr;
}

void Disk::take_away(const std::string& directory) {
  const auto is_in = [&](const auto& entry) {
    return entry.first == directory || entry.first.starts_with(directory + "/");
  };
  std::erase_if(names_, is_in);
  std::erase_if(durable_, is_in);
}

void Disk::rot(const std::string& path, Random random) {
  const NodePtr node = find(path);
  if (!node || node->bytes.empty()) return;
  const std::uint32_t at = random.pick(static_cast<std::uint32_t>(node->bytes.size()));
  node->bytes[at] =
      static_cast<char>(static_cast<unsigned char>(node->bytes[at]) ^ (1U << random.pick(8)));
  rotten_.insert(node);
  if (path.ends_with(".wal")) damaged_[path] = node;
}

bool Disk::is_damaged(const std::string& mission) const {
  return std::ranges::any_of(damaged_,
                             [&](const auto& log) { return mission_of(log.first) == mission; });
}

std::vector<std::string> Disk::files() const {
  std::vector<std::string> files;
  for (const auto& [name, node] : names_) {
    if (!node->directory) files.push_back(name);
  }
  return files;
}

std::uint64_t Disk::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [name, node] : names_) sum += node->bytes.size();
  return sum;
}

void Disk::die(bool power_cut, Random random) {
  dead_ = true;
  ++life_;
  locks_.clear();
  if (power_cut) cut_power(random);
}

void Disk::start() {
  dead_ = false;
  quiet_ = false;
}

/// What was written since the last sync is there or not, page by page, and the last page may be
/// cut at any byte.
void Disk::tear(Node& node, Random& random) {
  for (const auto& [first, last] : node.dropped) {
    for (std::size_t i = first; i < last && i < node.bytes.size(); ++i) node.bytes[i] = '\0';
  }
  node.dropped.clear();
  if (node.synced >= node.bytes.size()) return;
  const std::size_t unsynced = node.bytes.size() - node.synced;
  switch (random.pick(4)) {
    case 0:  // nothing of it
      node.bytes.resize(node.synced);
      break;
    case 1:  // all of it
      break;
    case 2:  // its beginning
      node.bytes.resize(node.synced + random.pick(static_cast<std::uint32_t>(unsynced)));
      break;
    default:  // pages in any order: the size is there, and some of the content
      for (std::size_t page = node.synced / kPageBytes; page * kPageBytes < node.bytes.size();
           ++page) {
        if (random.pick(2) == 0) continue;
        const std::size_t first = std::max(node.synced, page * kPageBytes);
        const std::size_t last = std::min(node.bytes.size(), (page + 1) * kPageBytes);
        for (std::size_t i = first; i < last; ++i) node.bytes[i] = '\0';
      }
      break;
  }
  node.synced = node.bytes.size();
}

void Disk::cut_power(Random random) {
  // A journal keeps its order; how far it came is chance.
  std::size_t kept = random.pick(static_cast<std::uint32_t>(journal_.size() + 1));
  for (const NameChange& change : journal_) {
    if (kept-- == 0) break;
    make_durable(change);
  }
  journal_.clear();
  // What stands in a directory that is lost is lost with it.
  for (auto it = durable_.begin(); it != durable_.end();) {
    const std::string parent = os::parent_directory(it->first);
    const bool lost = parent != "/" && parent != "." && !durable_.contains(parent);
    it = lost ? durable_.erase(it) : std::next(it);
  }
  names_ = durable_;
  std::set<Node*> seen;
  for (const auto& [name, node] : names_) {
    if (!node->directory && seen.insert(node.get()).second) tear(*node, random);
  }
}

bool Disk::log_is_dirty(const std::string& mission) const {
  for (const auto& [name, node] : names_) {
    if (!node->is_log || node->synced >= node->bytes.size()) continue;
    // Set aside, or never finished: no log.
    if (name.find(".damaged-") != std::string::npos || name.find(".tmp-") != std::string::npos)
      continue;
    if (name.find(mission) != std::string::npos) return true;
  }
  return false;
}

std::uint64_t Disk::whole_sync(const std::string& mission) const {
  const auto last = whole_syncs_.find(mission);
  return last == whole_syncs_.end() ? 0 : last->second;
}

bool Disk::is_whole(const std::string& path) const {
  const NodePtr node = find(path);
  if (!node || rotten_.contains(node)) return true;
  const auto it = whole_.find(path);
  return it != whole_.end() &&
         std::ranges::find(it->second, std::hash<std::string>{}(node->bytes)) != it->second.end();
}

}  // namespace orchestrator::sim
