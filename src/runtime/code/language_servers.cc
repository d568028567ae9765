#include "runtime/code/language_servers.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "lsp/profile.h"

namespace orchestrator::runtime {
namespace {

constexpr std::uint64_t kFileBytesMax = 1U << 20U;
constexpr std::size_t kBeforeFilesMax = 2000;
constexpr std::size_t kBeforeBytesMax = std::size_t{64} << 20U;
constexpr std::size_t kFilesMax = 50;  // of one check

class Wire final : public lsp::Transport {
 public:
  explicit Wire(std::unique_ptr<engine::Process> process) : process_(std::move(process)) {}
  void send(std::string bytes) override { process_->write(std::move(bytes)); }

 private:
  const std::unique_ptr<engine::Process> process_;
};

}  // namespace

/// A language's server, if there is one.
struct LanguageServers::Slot final : lsp::Launcher {
  explicit Slot(LanguageServers& owner) : owner_(owner) {}

  base::Result<std::unique_ptr<lsp::Transport>> launch(std::uint64_t life) override {
    ORCH_ASSERT(owner_.outbox_ != nullptr);
    engine::ProcessSpec spec;
    spec.argv = argv;
    spec.directory = owner_.root_;
    spec.on_output = [this, life](std::string_view bytes, engine::Outbox& outbox) {
      owner_.outbox_ = &outbox;
      server->on_bytes(life, bytes, outbox.now_ms());
      owner_.after_input(outbox);
    };
    spec.on_end = [this, life](const std::string& how, engine::Outbox& outbox) {
      owner_.outbox_ = &outbox;
      server->on_ended(life, how, outbox.now_ms());
      owner_.after_input(outbox);
    };
    auto started = owner_.outbox_->start_process(std::move(spec));
    if (!started.ok()) return started.error();
    return std::unique_ptr<lsp::Transport>(std::make_unique<Wire>(std::move(started).value()));
  }

  std::string language;
  std::vector<std::string> argv;
  std::string missing;  ///< a clause: why there is none
  bool disabled = false;
  std::unique_ptr<lsp::Server> server;

 private:
  LanguageServers& owner_;
};

LanguageServers::LanguageServers(os::FileSystem& fs, std::string root, std::string program_path,
                                 std::function<void(engine::Outbox&)> on_news)
    : fs_(fs),
      root_(std::move(root)),
      program_path_(std::move(program_path)),
      on_news_(std::move(on_news)) {}

LanguageServers::~LanguageServers() = default;

void LanguageServers::begin(const Options& options) {
  options_ = options.lsp;
  before_.clear();
  before_bytes_ = 0;
  for (Pending& pending : pending_) reports_.push_back(std::move(pending.report));
  pending_.clear();
  slots_.clear();
}

bool LanguageServers::is_inside(const std::string& path) const {
  return path == root_ || path.starts_with(root_ + "/");
}

/// The absolute path of a program on PATH, or nothing. Links are followed, so that one into the
/// project is seen.
std::string LanguageServers::find_program(const std::string& name) const {
  for (std::size_t from = 0; from <= program_path_.size();) {
    const std::size_t end = std::min(program_path_.find(':', from), program_path_.size());
    const std::string directory = program_path_.substr(from, end - from);
    from = end + 1;
    if (!directory.starts_with('/')) continue;
    const auto real = fs_.canonical(directory + "/" + name);
    if (!real.ok() || is_inside(real.value())) continue;
    const auto info = fs_.stat(real.value());
    if (!info.ok() || info.value().kind != os::FileInfo::Kind::file) continue;
    return directory + "/" + name;
  }
  return "";
}

void LanguageServers::choose(Slot& slot) {
  const auto profiles = lsp::profiles_of(slot.language);
  std::optional<lsp::Profile> chosen;
  const auto given = options_.find(slot.language);
  if (given != options_.end() && given->second.disabled) {
    slot.disabled = true;
    slot.missing = "its language server is disabled by the configuration";
  } else if (given != options_.end() && !given->second.command.empty()) {
    slot.argv = given->second.command;
    std::string& program = slot.argv.front();
    const std::string named = program;
    if (program.find('/') == std::string::npos) {
      program = find_program(program);
    } else if (!program.starts_with('/')) {
      program = root_ + "/" + program;
    }
    if (program.empty() || !fs_.exists(program)) {
      slot.missing = "lsp." + slot.language + ".command: there is no " + named;
      return;
    }
    // Which one it is follows from its name, where that is known; it may be a script's.
    const auto known = std::ranges::find_if(profiles, [&](const lsp::Profile& profile) {
      return std::ranges::any_of(slot.argv, [&](const std::string& word) {
        return word.find(profile.server) != std::string::npos;
      });
    });
    chosen = known == profiles.end() ? profiles.front() : *known;
  } else {
    std::string names;
    for (const lsp::Profile& profile : profiles) {
      names += (names.empty() ? "" : ", ") + std::string(profile.server);
      const std::string program = find_program(std::string(profile.server));
      if (program.empty()) continue;
      slot.argv = {program};
      slot.argv.insert(slot.argv.end(), profile.arguments.begin(), profile.arguments.end());
      chosen = profile;
      break;
    }
    if (!chosen) slot.missing = "no language server was found on PATH (" + names + ")";
  }
  if (!chosen) return;
  slot.server = std::make_unique<lsp::Server>(*chosen, uri_of(""), getpid(), slot);
}

LanguageServers::Slot& LanguageServers::slot_of(std::string_view language) {
  const auto found = slots_.find(language);
  if (found != slots_.end()) return *found->second;
  auto slot = std::make_unique<Slot>(*this);
  slot->language = language;
  choose(*slot);
  return *slots_.emplace(std::string(language), std::move(slot)).first->second;
}

std::string LanguageServers::uri_of(const std::string& path) const {
  static constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string uri = "file://";
  for (const char c : path.empty() ? root_ : root_ + "/" + path) {
    if (kPlain.find(c) != std::string_view::npos) {
      uri += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    uri += '%';
    uri += kHex[byte >> 4U];
    uri += kHex[byte & 15U];
  }
  return uri;
}

bool LanguageServers::is_configured(const std::string& path, std::string_view language) const {
  std::string directory = path;
  while (true) {
    const std::size_t slash = directory.rfind('/');
    directory = slash == std::string::npos ? "" : directory.substr(0, slash);
    for (const std::string_view name : lsp::configuration_files(language)) {
      const std::string inside = (directory.empty() ? "" : directory + "/") + std::string(name);
      if (fs_.exists(root_ + "/" + inside)) return true;
    }
    if (directory.empty()) return false;
  }
}

bool LanguageServers::is_checkable(const std::string& path) const {
  const lsp::FileKind kind = lsp::kind_of(path);
  if (kind.language.empty() || path.starts_with('/')) return false;
  return !kind.needs_configuration || is_configured(path, kind.language);
}

void LanguageServers::note_write(const std::string& path, engine::Outbox& outbox) {
  if (!is_checkable(path)) return;
  outbox_ = &outbox;
  if (!before_.contains(path) && before_.size() < kBeforeFilesMax &&
      before_bytes_ < kBeforeBytesMax) {
    const std::string whole = root_ + "/" + path;
    if (!fs_.exists(whole)) {
      before_[path] = std::nullopt;
    } else if (auto text = fs_.read(whole, kFileBytesMax); text.ok()) {
      before_bytes_ += text.value().size();
      before_[path] = std::move(text).value();
    }
  }
  Slot& slot = slot_of(lsp::kind_of(path).language);
  if (!slot.server) return;
  for (const auto& [language, other] : slots_) {
    if (other->server) other->server->note_changed(uri_of(path));
  }
  slot.server->warm(outbox.now_ms());
  set_timer(outbox);
}

FileReport LanguageServers::look_at(const std::string& path, bool compare) const {
  FileReport file;
  file.path = path;
  const lsp::FileKind kind = lsp::kind_of(path);
  file.language = kind.language;
  if (path.starts_with('/')) {
    file.skipped = "outside of the project";
  } else if (kind.language.empty()) {
    file.skipped = "no language server is known for this kind of file";
  } else if (file.configured = is_configured(path, kind.language);
             kind.needs_configuration && !file.configured) {
    file.skipped = "needs one of ";
    for (const std::string_view name : lsp::configuration_files(kind.language))
      file.skipped += (file.skipped.back() == ' ' ? "" : ", ") + std::string(name);
  } else if (auto text = fs_.read(root_ + "/" + path, kFileBytesMax); text.ok()) {
    file.text = std::move(text).value();
  } else {
    file.skipped = fs_.exists(root_ + "/" + path) ? "cannot be read, or is larger than 1 MB"
                                                  : "there is no such file";
  }
  const auto before = before_.find(path);
  file.before_known = compare && before != before_.end();
  if (file.before_known) file.text_before = before->second;
  return file;
}

std::uint64_t LanguageServers::check(const std::vector<std::string>& paths, bool compare,
                                     std::uint64_t within_ms, engine::Outbox& outbox) {
  outbox_ = &outbox;
  Pending pending;
  const std::uint64_t id = next_check_++;
  pending.report.check = id;
  for (const std::string& path : paths) {
    if (pending.report.files.size() >= kFilesMax) {
      pending.report.problems.push_back("of " + std::to_string(paths.size()) + " files only " +
                                        std::to_string(kFilesMax) + " were checked");
      break;
    }
    FileReport file = look_at(path, compare);
    if (file.skipped.empty()) {
      const Slot& slot = slot_of(file.language);
      if (slot.server) {
        file.server = slot.server->profile().server;
        pending.open[file.language].push_back(pending.report.files.size());
      } else {
        file.skipped = slot.missing;
        file.missing = !slot.disabled;
      }
    }
    pending.report.files.push_back(std::move(file));
  }
  const auto open = pending.open;
  std::map<std::string, std::vector<lsp::CheckedFile>> asked;
  for (const auto& [language, indices] : open) {
    for (const std::size_t i : indices) {
      const FileReport& file = pending.report.files[i];
      asked[language].push_back(
          {{uri_of(file.path), std::string(lsp::kind_of(file.path).id), file.text},
           file.text_before});
    }
  }
  pending_.push_back(std::move(pending));
  const std::uint64_t now = outbox.now_ms();
  for (auto& [language, files] : asked)
    slot_of(language).server->check(id, std::move(files), now + within_ms, now);
  collect();
  set_timer(outbox);
  return id;
}

void LanguageServers::forget(std::uint64_t check, engine::Outbox& outbox) {
  outbox_ = &outbox;
  std::erase_if(pending_, [&](const Pending& pending) { return pending.report.check == check; });
  std::erase_if(reports_, [&](const CheckReport& report) { return report.check == check; });
  for (const auto& [language, slot] : slots_) {
    if (slot->server) slot->server->forget(check, outbox.now_ms());
  }
  collect();
  set_timer(outbox);
}

/// Puts together what the servers have answered.
void LanguageServers::collect() {
  for (const auto& [language, slot] : slots_) {
    if (!slot->server) continue;
    for (lsp::CheckOutcome& outcome : slot->server->take_outcomes()) {
      const auto pending = std::ranges::find_if(pending_, [&](const Pending& candidate) {
        return candidate.report.check == outcome.check;
      });
      if (pending == pending_.end()) continue;
      const auto& indices = pending->open[language];
      for (std::size_t i = 0; i < indices.size() && i < outcome.files.size(); ++i) {
        FileReport& file = pending->report.files[indices[i]];
        file.now = std::move(outcome.files[i].now);
        file.before = std::move(outcome.files[i].before);
      }
      if (!outcome.problem.empty()) {
        pending->report.problems.push_back(std::string(slot->server->profile().server) + ": " +
                                           outcome.problem);
      }
      pending->open.erase(language);
    }
  }
  for (auto it = pending_.begin(); it != pending_.end();) {
    if (it->open.empty()) {
      reports_.push_back(std::move(it->report));
      it = pending_.erase(it);
    } else {
      ++it;
    }
  }
}

std::vector<CheckReport> LanguageServers::take_reports() { return std::exchange(reports_, {}); }

void LanguageServers::after_input(engine::Outbox& outbox) {
  collect();
  set_timer(outbox);
  if (!reports_.empty()) on_news_(outbox);
}

void LanguageServers::tick(engine::Outbox& outbox) {
  outbox_ = &outbox;
  for (const auto& [language, slot] : slots_) {
    if (slot->server) slot->server->tick(outbox.now_ms());
  }
  after_input(outbox);
}

void LanguageServers::set_timer(engine::Outbox& outbox) {
  std::optional<std::uint64_t> first;
  for (const auto& [language, slot] : slots_) {
    if (!slot->server) continue;
    const auto at = slot->server->wake_ms();
    if (at && (!first || *at < *first)) first = at;
  }
  if (!first) return outbox.cancel_timer(kTimer);
  const std::uint64_t now = outbox.now_ms();
  outbox.start_timer(kTimer, *first > now ? *first - now : 1);
}

}  // namespace orchestrator::runtime
