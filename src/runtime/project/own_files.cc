#include "runtime/project/own_files.h"

#include <utility>
#include <variant>

#include "codec/binary.h"
#include "codec/message.h"
#include "core/tools/todo_format.h"

namespace orchestrator::runtime {

void OwnFiles::heal(engine::Outbox& outbox) {
  CurrentMission& mission = p_.mission;
  if (mission.is_over() && !p_.derived.phase_changed()) {  // people may delete the files now
    if (!mission.store.lock_is_seen()) missions_.leave();
    return;
  }
  const auto healed = mission.store.heal(mission.state, outbox.now_ms());
  if (!healed.ok()) return lose_directory(healed.error(), outbox);
  const MissionStore::Healed& found = healed.value();
  if (found.look_again) todo_timer_.start(outbox);
  if (found.notices.empty() && !found.todo) return;
  if (!found.notices.empty())
    p_.log.open(mission.store.log_path(), mission.state.options.log.level);
  missions_.report(found.notices, outbox);
  if (found.save_due) p_.derived.want_save();
  if (found.todo) on_todo_changed(*found.todo, outbox);
}

/// Another program has written `todo.md`; `text` is its whole content.
void OwnFiles::on_todo_changed(const std::string& text, engine::Outbox& outbox) {
  CurrentMission& mission = p_.mission;
  auto now = core::parse_todo(text);
  if (!now.ok()) return refuse_todo(now.error().text(), outbox);
  const MissionId& named = now.value().mission;
  if (!named.empty() && named != mission.state.mission) {
    return refuse_todo("todo.md: is of mission " + named.value.substr(0, 64) + ", not of " +
                           mission.state.mission.value + " (the engine restores it)",
                       outbox);
  }
  TodoEdited edit{std::move(now.value().lines), {}, {}};
  if (auto before = core::parse_todo(mission.store.todo_text()); before.ok())
    edit.before = std::move(before.value().lines);
  const bool same = codec::encode(TodoEdited{edit.lines, {}, {}}) ==
                    codec::encode(TodoEdited{edit.before, {}, {}});
  if (same) return;  // only text between the task lines has changed
  edit.by = p_.observe.state_writer(outbox.now_ms());
  p_.log.note(LogLevel::info, edit.by.empty()
                                  ? "todo.md was edited"
                                  : "todo.md was changed by a command of " + edit.by.value);
  mission.store.take_todo();
  p_.derived.want_save();
  p_.record.add(std::move(edit), outbox);
}

/// The file is no todo list any more, or that of another mission.
void OwnFiles::refuse_todo(const std::string& why, engine::Outbox& outbox) {
  const auto kept = p_.mission.store.refuse_todo(outbox.now_ms());
  const std::string where = kept.ok() ? "; the old text is kept as " + kept.value() : "";
  missions_.report({why + where}, outbox);
  p_.derived.want_save();
}

/// Another process holds the directory although this one held the lock: the lock file was deleted.
void OwnFiles::lose_directory(const base::Error& error, engine::Outbox& outbox) {
  std::string& foreign = p_.mission.foreign;
  foreign =
      "The mission of this directory cannot be changed by this process any more. " + error.text();
  (void)p_.sync.drop("Not done. " + foreign);
  missions_.leave();
  for (const codec::Incoming& behind : p_.hold.drop(foreign, outbox))
    p_.emit.decline(std::get<Happening>(behind.what));
  outbox.send(codec::encode_effect(ShowToast{"error", "Orchestrator: " + foreign}));
}

}  // namespace orchestrator::runtime
