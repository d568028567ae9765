#include "runtime/git/git_program.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

namespace orchestrator::runtime {
namespace {

/// merge-tree --write-tree.
constexpr int kGitMajor = 2;
constexpr int kGitMinor = 38;
constexpr std::size_t kGitWordsMax = 300;
constexpr std::string_view kGitMend = "install git 2.38 or later";

/// Above what the user's configuration says.
constexpr std::array<std::string_view, 11> kGitSettings = {
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.splitIndex=false",
    "core.logAllRefUpdates=false",
    "commit.gpgSign=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "protocol.allow=never",  // a partial clone would fetch what it lacks
    "advice.detachedHead=false",
};

std::vector<std::string> git_environment(const GitCall& call) {
  std::vector<std::string> all = os::own_environment();
  std::erase_if(all, [](const std::string& entry) {
    const bool configures = entry.starts_with("GIT_CONFIG") || entry.starts_with("GIT_EXEC_PATH=");
    return (entry.starts_with("GIT_") && !configures) || entry.starts_with("LC_ALL=") ||
           entry.starts_with("LANGUAGE=");
  });
  for (const std::string_view entry :
       {"LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1",
        "GIT_AUTHOR_NAME=OpenCode Orchestrator", "GIT_AUTHOR_EMAIL=orchestrator@localhost",
        "GIT_COMMITTER_NAME=OpenCode Orchestrator", "GIT_COMMITTER_EMAIL=orchestrator@localhost"}) {
    all.emplace_back(entry);
  }
  if (!call.git_dir.empty()) all.push_back("GIT_DIR=" + call.git_dir);
  if (!call.work_tree.empty()) all.push_back("GIT_WORK_TREE=" + call.work_tree);
  if (!call.index.empty()) all.push_back("GIT_INDEX_FILE=" + call.index);
  return all;
}

/// "git version 2.39.5 (…)" -> "2.39.5"
std::string version_in(std::string_view text) {
  const std::size_t from = text.find_first_of("0123456789");
  if (!text.starts_with("git version ") || from == std::string_view::npos) return "";
  return std::string(text.substr(from, text.find_first_not_of("0123456789.", from) - from));
}

bool is_new_enough(const std::string& version) {
  int major = 0;
  int minor = 0;
  const char* const end = version.data() + version.size();
  const auto first = std::from_chars(version.data(), end, major);
  if (first.ptr < end) std::from_chars(first.ptr + 1, end, minor);
  return major > kGitMajor || (major == kGitMajor && minor >= kGitMinor);
}

}  // namespace

base::Result<GitProgram> GitProgram::find(const std::string& program_path,
                                          const std::string& project,
                                          const std::atomic<bool>& stop) {
  namespace files = std::filesystem;
  for (std::size_t from = 0; from <= program_path.size();) {
    const std::size_t end = std::min(program_path.find(':', from), program_path.size());
    const std::string directory = program_path.substr(from, end - from);
    from = end + 1;
    if (!directory.starts_with('/')) continue;
    const std::string path = directory + "/git";
    std::error_code error;
    const std::string real = files::canonical(path, error).string();
    // What a repository brings along is not run.
    if (error || (real + "/").starts_with(project + "/")) continue;
    if (!files::is_regular_file(real, error) || access(path.c_str(), X_OK) != 0) continue;
    GitProgram git(path, stop);
    GitCall call;
    call.arguments = {"--version"};
    call.directory = "/";
    call.output_max = 1'000;
    const auto said = git.output_of(call);
    if (!said.ok()) return said.error();
    git.version_ = version_in(said.value());
    if (!is_new_enough(git.version_)) {
      const std::string version = git.version_.empty() ? "of an unknown version" : git.version_;
      return base::Error{"git is " + version + ", and 2.38 is needed", path, std::string(kGitMend)};
    }
    return git;
  }
  return base::Error{"there is no git on PATH", "", std::string(kGitMend)};
}

base::Result<os::ProgramEnd> GitProgram::run(const GitCall& call) const {
  os::ProgramRun run;
  run.argv = {path_};
  for (const std::string_view setting : kGitSettings) {
    run.argv.emplace_back("-c");
    run.argv.emplace_back(setting);
  }
  run.argv.insert(run.argv.end(), call.arguments.begin(), call.arguments.end());
  run.directory = call.directory;
  run.environment = git_environment(call);
  run.input = call.input;
  run.output_max = call.output_max;
  run.time_max = call.time_max;
  run.stop = stop_;
  auto end = os::run_program(run);
  if (!end.ok()) return base::Error{end.error().what, "git " + call.arguments.front(), ""};
  return end;
}

base::Result<std::string> GitProgram::output_of(const GitCall& call) const {
  auto end = run(call);
  if (!end.ok()) return end.error();
  const std::string command = "git " + call.arguments.front();
  if (end.value().output_cut) return base::Error{"it said too much", command, ""};
  if (end.value().exit_code != 0) return git_error(command, end.value());
  return std::move(end.value().output);
}

base::Result<std::string> GitProgram::line_of(const GitCall& call) const {
  auto output = output_of(call);
  if (output.ok() && output.value().ends_with('\n')) output.value().pop_back();
  return output;
}

std::vector<std::string> nul_separated(std::string_view output) {
  std::vector<std::string> parts;
  for (std::size_t from = 0; from < output.size();) {
    const std::size_t end = std::min(output.find('\0', from), output.size());
    parts.emplace_back(output.substr(from, end - from));
    from = end + 1;
  }
  return parts;
}

std::vector<RawEntry> raw_entries(std::string_view output) {
  std::vector<RawEntry> entries;
  const auto parts = nul_separated(output);
  for (std::size_t i = 0; i + 1 < parts.size(); i += 2) {
    // ":100644 100644 <id> <id> M"
    RawEntry entry;
    std::array<std::string*, 4> fields = {&entry.old_mode, &entry.new_mode, &entry.old_id,
                                          &entry.new_id};
    std::size_t from = 1;
    for (std::string* field : fields) {
      const std::size_t end = std::min(parts[i].find(' ', from), parts[i].size());
      *field = parts[i].substr(std::min(from, parts[i].size()), end - from);
      from = end + 1;
    }
    entry.path = parts[i + 1];
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string nul_joined(const std::vector<std::string>& paths) {
  std::string all;
  for (const std::string& path : paths) all += path + '\0';
  return all;
}

base::Error git_error(const std::string& command, const os::ProgramEnd& end) {
  std::string_view words = end.errors;
  for (const std::string_view head : {"fatal: ", "error: "}) {
    const std::size_t at = words.find(head);
    if (at == std::string_view::npos || (at > 0 && words[at - 1] != '\n')) continue;
    words.remove_prefix(at + head.size());
    break;
  }
  words = words.substr(0, std::min(words.find('\n'), kGitWordsMax));
  std::string what(words);
  if (what.empty()) what = "it ended with code " + std::to_string(end.exit_code);
  return base::Error{what, command, ""};
}

}  // namespace orchestrator::runtime
