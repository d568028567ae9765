#include "sim/git.h"

#include <algorithm>
#include <utility>

#include "core/state/path_claims.h"

namespace orchestrator::sim {

/// The worktree service of one simulated process. `alive_` guards its delayed actions: they do
/// nothing once the service is gone.
class Git::Service final : public runtime::WorktreeService {
 public:
  explicit Service(Git& git) : git_(git) {}

  void ask(const AskWorktrees& question, engine::Outbox& outbox, Then then) override {
    const std::uint64_t begins_ms = wait_ms();
    const bool slow = git_.faults_.hit(Fault::git_slow);
    const std::uint64_t takes_ms =
        slow ? git_.random_.between(10'000, 600'000) : git_.random_.between(2, 200);
    free_at_ms_ = git_.timeline_.now_ms() + begins_ms + takes_ms;
    later(begins_ms, [this, question] { git_.begin(question); });
    later(begins_ms + takes_ms, [this, question, &outbox, then = std::move(then)] {
      const WorktreesAnswered answer = git_.carry_out(question);
      // The process may die now: git has done its work, but no answer arrives.
      outbox.run_on_pool([] {}, [answer, then](engine::Outbox& out) { then(answer, out); });
    });
  }

  void sweep(const std::set<std::string>& active, engine::Outbox& outbox,
             std::function<void(engine::Outbox&)> then) override {
    const std::uint64_t at_ms = wait_ms() + git_.random_.between(2, 50);
    free_at_ms_ = git_.timeline_.now_ms() + at_ms;
    later(at_ms, [this, active, &outbox, then = std::move(then)] {
      git_.sweep(active);
      outbox.run_on_pool([] {}, then);
    });
  }

 private:
  [[nodiscard]] std::uint64_t wait_ms() const {
    const std::uint64_t now_ms = git_.timeline_.now_ms();
    return free_at_ms_ > now_ms ? free_at_ms_ - now_ms : 0;
  }

  void later(std::uint64_t delay_ms, std::function<void()> act) {
    git_.timeline_.after(delay_ms, [alive = std::weak_ptr<int>(alive_), act = std::move(act)] {
      if (!alive.expired()) act();
    });
  }

  Git& git_;
  const std::shared_ptr<int> alive_ = std::make_shared<int>(0);
  std::uint64_t free_at_ms_ = 0;
};

Git::Git(Faults& faults, Timeline& timeline, Disk& disk, std::uint64_t seed)
    : faults_(faults),
      timeline_(timeline),
      disk_(disk),
      random_(mix(seed, 51)),
      model_(runtime::worktrees_directory(kRoot)) {}

std::unique_ptr<runtime::WorktreeService> Git::service() {
  return std::make_unique<Service>(*this);
}

void Git::write(const std::string& directory, const std::string& path) {
  opencode_model::Files* const files = model_.files_in(directory);
  if (files == nullptr) return;
  (*files)[path] = model_.new_text();
  show(directory, path);
}

bool Git::changed_since(const std::string& directory, std::uint64_t tick,
                        const std::vector<std::string>& globs) const {
  const auto place = changed_.find(directory);
  if (place == changed_.end()) return false;
  return std::ranges::any_of(place->second, [&](const auto& change) {
    return change.second > tick && std::ranges::any_of(globs, [&](const std::string& glob) {
             return core::glob_matches(glob, change.first);
           });
  });
}

/// Writes a part of an `apply`, which stays in the project if the process dies before the end.
void Git::begin(const AskWorktrees& question) {
  if (question.call != TreeCall::apply || random_.chance(50)) return;
  for (const std::string& path : model_.apply_half(question).paths) show("", path);
}

WorktreesAnswered Git::carry_out(const AskWorktrees& question) {
  if (faults_.hit(Fault::git_fails)) {
    WorktreesAnswered answer;
    answer.effect = question.effect;
    answer.problem = "git says no.";
    return answer;
  }
  const bool stood = !question.name.empty() && !model_.trees().empty() &&
                     model_.trees().contains(question.mission.value + "." + question.name);
  WorktreesAnswered answer = model_.answer(question);
  if (question.call == TreeCall::merge && !answer.commit.empty())
    ++(answer.conflicts.empty() ? counts_.merges : counts_.conflicts);
  if (question.call == TreeCall::apply) {
    for (const std::string& path : answer.paths) show("", path);
  }
  if (question.call == TreeCall::add && !answer.directory.empty()) {
    counts_.missions.insert(question.mission);
    if (!stood) ++counts_.worktrees;
    on_disk_.insert(answer.directory);
    disk_.put(answer.directory + "/.git", "gitdir: elsewhere");
    for (const auto& [path, text] : *model_.files_in(answer.directory))
      show(answer.directory, path);
  }
  clear_disk();
  return answer;
}

void Git::sweep(const std::set<std::string>& active) {
  model_.sweep(active);
  clear_disk();
}

void Git::show(const std::string& directory, const std::string& path) {
  const std::string text =
      "version " + std::to_string(opencode_model::text_in(*model_.files_in(directory), path));
  const std::string name = (directory.empty() ? std::string(kRoot) : directory) + "/" + path;
  const std::string* const there = disk_.look(name);
  if (there != nullptr && *there == text) return;
  disk_.put(name, text);
  changed_[directory][path] = next_tick();
}

void Git::clear_disk() {
  std::erase_if(on_disk_, [&](const std::string& directory) {
    if (model_.tree(directory) != nullptr) return false;
    disk_.take_away(directory);
    changed_.erase(directory);
    return true;
  });
}

}  // namespace orchestrator::sim
