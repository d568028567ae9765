#include "core/tools/todo_file.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "core/models/budget.h"
#include "core/prompts/notes.h"
#include "core/sessions/session_lifecycle.h"
#include "core/state/plan_rules.h"
#include "core/state/tasks.h"
#include "core/tools/common.h"
#include "core/tools/todo_format.h"
#include "core/worktrees/external_changes.h"
#include "core/worktrees/worktrees.h"

namespace orchestrator::core {
namespace {

constexpr std::size_t kEditedTitleBytesMax = 200;
constexpr std::size_t kRemarksBytesMax = 600;

bool same_card(const TodoLine& a, const TodoLine& b) {
  return a.agent == b.agent && a.files == b.files && a.deps == b.deps;
}

/// Whether the first word of an added line is meant as an id (`T7`, `F2.1`, `DOC-3`) and not as the
/// first word of its title.
bool looks_like_id(const std::string& word) {
  const std::size_t letters = word.find_first_of("0123456789-_.");
  return letters != std::string::npos && letters <= 4 &&
         word.find_first_not_of("0123456789-_.", letters) == std::string::npos &&
         word.back() >= '0' && word.back() <= '9';
}

class Edit {
 public:
  Edit(Context& ctx, const TodoEdited& event)
      : ctx_(ctx), before_(event.before.empty() ? todo_lines(ctx.state) : event.before) {
    for (const TodoLine& line : before_) was_.emplace(line.id, &line);
    sort(event.lines);
  }

  void apply() {
    for (const auto& [id, line] : kept_) change(*line, *was_.at(id));
    for (const TodoLine& line : before_) {
      if (!kept_.contains(line.id)) remove(line);
    }
    for (const TodoLine* line : added_) add(*line);
  }

  /// Summary of the changes, for the person who edited the file.
  [[nodiscard]] const std::string& remarks() const { return remarks_; }
  [[nodiscard]] bool changed() const { return changed_; }

 private:
  /// Separates the engine's own lines from new ones. If two lines have the same id, the one with
  /// the old title is the engine's; the other is a copy, or its title begins with a word that is an
  /// id.
  void sort(const std::vector<TodoLine>& lines) {
    for (const TodoLine& line : lines) {
      const auto was = was_.find(line.id);
      if (line.id.empty() || was == was_.end()) {
        added_.push_back(&line);
        continue;
      }
      const auto [it, first] = kept_.emplace(line.id, &line);
      if (first) continue;
      const bool older = line.title == was->second->title && it->second->title != line.title;
      const TodoLine* copy = older ? std::exchange(it->second, &line) : &line;
      if (copy->title != was->second->title) added_.push_back(copy);
    }
  }

  void remark(const std::string& text) {
    changed_ = true;
    if (remarks_.size() < kRemarksBytesMax) remarks_ += (remarks_.empty() ? "" : ", ") + text;
  }

  // ---- lines that were there ------------------------------------------------------------------

  void change(const TodoLine& line, const TodoLine& was) {
    Task* task = find_task(ctx_.state, line.id);
    if (task == nullptr) return;  // a new plan has removed the task meanwhile
    if (line.title != was.title && !line.title.empty()) {
      task->title = base::first_line(line.title, kEditedTitleBytesMax);
      remark(task->id.value + " has a new title");
    }
    if (!same_card(line, was)) change_card(*task, line);
    if (line.mark != was.mark) mark(*task, line.mark);
  }

  void change_card(Task& task, const TodoLine& line) {
    const std::string& id = task.id.value;
    if (is_in_work(task.status) || task.status == TaskStatus::done) {
      return remark(id + " is " + std::string(to_name(task.status)) +
                    ", so its agent, files and deps stay");
    }
    std::vector<Task> others;
    std::ranges::copy_if(ctx_.state.tasks, std::back_inserter(others),
                         [&](const Task& other) { return other.id != task.id; });
    TaskSpec spec = spec_of(line);
    spec.id = task.id;
    spec.title = task.title;
    const std::vector<std::string> problems = task_problems(ctx_.state, others, {spec}, id);
    if (!problems.empty()) return remark("not changed: " + problems.front());
    Task made = make_task(ctx_.state, spec);
    task.agent = std::move(made.agent);
    task.files = std::move(made.files);
    task.deps = std::move(made.deps);
    ctx_.moved = ctx_.graph_moved = true;
    remark(id + " has a new card");
  }

  void mark(Task& task, TodoMark mark) {
    switch (mark) {
      case TodoMark::done:
        return finish(task);
      case TodoMark::dropped:
        return close_task(task, TaskStatus::dropped, "dropped by a person in todo.md");
      case TodoMark::blocked:
        return close_task(task, TaskStatus::blocked, "blocked by a person in todo.md");
      case TodoMark::open:
      case TodoMark::running:
        return reopen(task);
    }
  }

  void finish(Task& task) {
    if (task.status == TaskStatus::done) return;
    end_task_sessions(ctx_, task.id);
    keep_work(ctx_.state, task);
    finish_on_word(ctx_, task);
    remark(task.id.value + " is done: you accepted it");
  }

  /// Moves a task to `dropped` or `blocked`.
  void close_task(Task& task, TaskStatus to, const char* note) {
    if (task.status == to) return;
    if (!task_move_exists(task.status, to)) {
      return remark(task.id.value + " stays " + std::string(to_name(task.status)));
    }
    end_task_sessions(ctx_, task.id);
    move_task(ctx_, task, to);
    task.note = note;
    remark(task.id.value + " is " + std::string(to_name(to)));
  }

  void reopen(Task& task) {
    if (task.status == TaskStatus::done) return remark(task.id.value + " stays done");
    if (task.status != TaskStatus::blocked && task.status != TaskStatus::dropped) return;
    task.attempt = 0;
    task.progress.retries = 0;
    task.review.attempts = 0;
    move_task(ctx_, task, TaskStatus::pending);
    remark(task.id.value + " is open again");
  }

  /// A line was removed: drops its task, but a task that is done stays done, because people tidy
  /// up.
  void remove(const TodoLine& line) {
    Task* task = find_task(ctx_.state, line.id);
    if (task == nullptr || is_settled(task->status)) return;
    close_task(*task, TaskStatus::dropped, "its line was removed from todo.md");
  }

  // ---- new lines ------------------------------------------------------------------------------

  static TaskSpec spec_of(const TodoLine& line) {
    TaskSpec spec;
    spec.id = line.id;
    spec.title = line.title;
    spec.agent = line.agent;
    spec.files = line.files;
    spec.deps = line.deps;
    return spec;
  }

  TaskId free_id() {
    while (true) {
      TaskId id("P" + std::to_string(++numbered_));
      if (find_task(ctx_.state, id) == nullptr && !was_.contains(id)) return id;
    }
  }

  void add(const TodoLine& line) {
    if (line.mark == TodoMark::dropped) return;
    TaskSpec spec = spec_of(line);
    const bool named = looks_like_id(line.id.value) && !line.title.empty();
    if (!named) spec.title = base::trimmed(line.id.value + " " + line.title);
    const bool free = find_task(ctx_.state, line.id) == nullptr && !was_.contains(line.id);
    if (!named || !free) spec.id = free_id();
    spec.title = base::first_line(spec.title, kEditedTitleBytesMax);
    const std::string shown = "\"" + base::clip(spec.title, 60) + "\"";
    if (is_unplanned(ctx_.state)) return remark(shown + " not added: there is no plan yet");
    std::string note;
    std::vector<std::string> problems = task_problems(ctx_.state, ctx_.state.tasks, {spec}, shown);
    if (!problems.empty()) {  // the task is added as blocked until its line is corrected
      note = problems.front();
      spec.agent.clear();
      spec.files.clear();
      spec.deps.clear();
      problems = task_problems(ctx_.state, ctx_.state.tasks, {spec}, shown);
      if (!problems.empty()) return remark("not added: " + problems.front());
    }
    ctx_.state.tasks.push_back(make_task(ctx_.state, spec));
    ctx_.moved = ctx_.graph_moved = true;
    Task& task = ctx_.state.tasks.back();
    remark(task.id.value + " is new");
    if (line.mark == TodoMark::done) {
      finish(task);
    } else if (!note.empty()) {
      close_task(task, TaskStatus::blocked, note.c_str());
      remark(note);
    } else if (line.mark == TodoMark::blocked) {
      mark(task, line.mark);
    }
  }

  Context& ctx_;
  const std::vector<TodoLine> before_;
  std::map<TaskId, const TodoLine*> was_;
  std::map<TaskId, const TodoLine*> kept_;
  std::vector<const TodoLine*> added_;
  std::string remarks_;
  bool changed_ = false;
  std::size_t numbered_ = 0;
};

/// Ignores an edit that a model's command made: it is no person's approval. The Master Reviewer
/// reads of it.
void refuse_edit(Context& ctx, const SessionId& by) {
  FilesChanged found;
  found.paths = {".opencode/todo.md"};
  found.ran = {by};
  note_unattributed(ctx, found, found.paths.front());
  const Session* session = find_session(ctx.state, by);
  const std::string who = session == nullptr ? "the Commander" : owner_words(*session);
  ctx.emit(ShowToast{"warning", "todo.md was changed by a command of " + who +
                                    ", not by you: the engine restored it. If the change was "
                                    "yours, make it again."});
}

}  // namespace

void on(Context& ctx, const TodoEdited& event) {
  if (!is_active(ctx.state.phase)) return;
  if (!event.by.empty()) return refuse_edit(ctx, event.by);
  Edit edit(ctx, event);
  edit.apply();
  if (!edit.changed()) return;
  ctx.state.unblocks = 0;
  unblock(ctx);
  ctx.emit(ShowToast{"info", "todo.md: " + base::clip(edit.remarks(), kRemarksBytesMax)});
}

}  // namespace orchestrator::core
