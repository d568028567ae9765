#include "opencode_model/git.h"

#include <algorithm>
#include <utility>

namespace orchestrator::opencode_model {
namespace {

constexpr std::size_t kAll = static_cast<std::size_t>(-1);

std::string key_of(const AskWorktrees& question) {
  return question.mission.value + "." + question.name;
}

}  // namespace

int text_in(const Files& files, const std::string& path) {
  const auto it = files.find(path);
  return it == files.end() ? 0 : it->second;
}

std::set<std::string> differing(const Files& a, const Files& b) {
  std::set<std::string> paths;
  for (const auto& [path, text] : a) {
    if (text_in(b, path) != text) paths.insert(path);
  }
  for (const auto& [path, text] : b) {
    if (text_in(a, path) != text) paths.insert(path);
  }
  return paths;
}

WorktreesAnswered GitModel::answer(const AskWorktrees& question) {
  WorktreesAnswered answer;
  answer.effect = question.effect;
  switch (question.call) {
    case TreeCall::check:
      break;
    case TreeCall::snapshot:
      snapshot(question, answer);
      break;
    case TreeCall::add:
      add(question, answer);
      break;
    case TreeCall::collect:
      collect(question, answer);
      break;
    case TreeCall::merge:
      merge(question, answer);
      break;
    case TreeCall::apply:
      apply(question, kAll, answer);
      break;
    case TreeCall::remove:
      remove(question);
      break;
  }
  return answer;
}

WorktreesAnswered GitModel::apply_half(const AskWorktrees& question) {
  WorktreesAnswered answer;
  const Commit* const from = find(question.from, answer);
  const Commit* const to = find(question.to, answer);
  if (from == nullptr || to == nullptr) return answer;
  apply(question, differing(from->files, to->files).size() / 2, answer);
  return answer;
}

void GitModel::sweep(const std::set<std::string>& active) {
  std::erase_if(trees_, [&](const auto& entry) {
    return !active.contains(entry.first.substr(0, entry.first.find('.')));
  });
}

Files* GitModel::files_in(const std::string& directory) {
  if (directory.empty()) return &project_;
  for (auto& [key, tree] : trees_) {
    if (tree.directory == directory) return &tree.files;
  }
  return nullptr;
}

const GitModel::Tree* GitModel::tree(const std::string& directory) const {
  for (const auto& [key, tree] : trees_) {
    if (tree.directory == directory) return &tree;
  }
  return nullptr;
}

bool GitModel::has_work_of(const std::string& ours, const std::string& theirs) const {
  if (!commits_.contains(ours) || !commits_.contains(theirs)) return false;
  const Files base = merge_base(ours, theirs);
  const Files& mine = commits_.at(ours).files;
  const Files& other = commits_.at(theirs).files;
  return std::ranges::all_of(differing(base, other), [&](const std::string& path) {
    return text_in(mine, path) == text_in(other, path);
  });
}

// ---- the calls ----------------------------------------------------------------------------------

void GitModel::snapshot(const AskWorktrees& question, WorktreesAnswered& answer) {
  if (question.from.empty()) {
    answer.commit = commit(project_, {});
    return;
  }
  const Commit* const before = find(question.from, answer);
  if (before == nullptr) return;
  const bool same = before->files == project_;
  answer.commit = same ? question.from : commit(project_, {question.from});
}

void GitModel::add(const AskWorktrees& question, WorktreesAnswered& answer) {
  const Commit* const base = find(question.from, answer);
  if (base == nullptr) return;
  const std::string key = key_of(question);
  const auto there = trees_.find(key);
  const bool moves = there != trees_.end() && there->second.base != question.from;
  if (moves && there->second.files != commits_.at(there->second.base).files) {
    answer.problem = key + " has changes that no commit holds, and cannot be moved.";
    return;
  }
  answer.directory = root_ + "/" + key;
  if (there == trees_.end() || moves) trees_[key] = {answer.directory, question.from, base->files};
}

void GitModel::collect(const AskWorktrees& question, WorktreesAnswered& answer) {
  const auto there = trees_.find(key_of(question));
  if (there == trees_.end()) {
    answer.problem = key_of(question) + " is no worktree.";
    return;
  }
  const Tree& tree = there->second;
  for (const std::string& path : differing(commits_.at(tree.base).files, tree.files))
    answer.paths.push_back(path);
  answer.commit = answer.paths.empty() ? tree.base : commit(tree.files, {tree.base});
}

void GitModel::merge(const AskWorktrees& question, WorktreesAnswered& answer) {
  const Commit* const ours = find(question.from, answer);
  const Commit* const theirs = find(question.to, answer);
  if (ours == nullptr || theirs == nullptr) return;
  const Files base = merge_base(question.from, question.to);
  Files result = ours->files;
  for (const std::string& path : differing(base, theirs->files)) {
    const int mine = text_in(result, path);
    const int new_one = text_in(theirs->files, path);
    if (mine == new_one) continue;
    if (mine == text_in(base, path)) {
      result[path] = new_one;
    } else {
      answer.conflicts.push_back({path, "content", std::to_string(text_in(base, path)),
                                  std::to_string(mine), std::to_string(new_one)});
      result[path] = new_text();  // with marks
    }
  }
  const bool same = answer.conflicts.empty() && result == ours->files;
  answer.commit = same ? question.from : commit(std::move(result), {question.from, question.to});
}

void GitModel::apply(const AskWorktrees& question, std::size_t most, WorktreesAnswered& answer) {
  const Commit* const from = find(question.from, answer);
  const Commit* const to = find(question.to, answer);
  if (from == nullptr || to == nullptr) return;
  for (const std::string& path : differing(from->files, to->files)) {
    if (most-- == 0) return;
    const int now_there = text_in(project_, path);
    if (now_there != text_in(from->files, path) && now_there != text_in(to->files, path)) {
      answer.refused.push_back(path + ": it has changed meanwhile");
    } else {
      project_[path] = text_in(to->files, path);
      answer.paths.push_back(path);
    }
  }
}

void GitModel::remove(const AskWorktrees& question) {
  if (!question.name.empty()) {
    trees_.erase(key_of(question));
    return;
  }
  std::erase_if(trees_,
                [&](const auto& entry) { return entry.first.starts_with(key_of(question)); });
}

// ---- commits ------------------------------------------------------------------------------------

std::string GitModel::commit(Files files, std::vector<std::string> parents) {
  const std::string id = "c" + std::to_string(commits_.size() + 1);
  commits_[id] = {std::move(files), std::move(parents)};
  return id;
}

const GitModel::Commit* GitModel::find(const std::string& id, WorktreesAnswered& answer) const {
  const auto it = commits_.find(id);
  if (it != commits_.end()) return &it->second;
  answer.problem = "\"" + id + "\" is no commit.";
  return nullptr;
}

std::set<std::string> GitModel::ancestors(const std::string& id) const {
  std::set<std::string> all;
  std::vector<std::string> open{id};
  while (!open.empty()) {
    const std::string next = std::move(open.back());
    open.pop_back();
    if (!all.insert(next).second) continue;
    const auto& parents = commits_.at(next).parents;
    open.insert(open.end(), parents.begin(), parents.end());
  }
  return all;
}

Files GitModel::merge_base(const std::string& ours, const std::string& theirs) const {
  const std::set<std::string> known = ancestors(ours);
  std::vector<std::string> next{theirs};
  std::size_t at = 0;
  while (at < next.size() && !known.contains(next[at])) {
    const auto& parents = commits_.at(next[at]).parents;
    next.insert(next.end(), parents.begin(), parents.end());
    ++at;
  }
  return at < next.size() ? commits_.at(next[at]).files : Files{};
}

}  // namespace orchestrator::opencode_model
