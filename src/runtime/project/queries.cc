#include "runtime/project/queries.h"

#include <optional>
#include <string>

#include "base/text.h"
#include "orchestrator/step.h"
#include "runtime/project/session_info.h"

namespace orchestrator::runtime {

void Queries::answer(const codec::RoleAsked& asked) {
  const CurrentMission& mission = p_.mission;
  const std::string outage = mission.failure.empty() ? "" : mission.outage_text();
  p_.emit.reply_first(
      Reply{asked.request, true, "",
            session_info_of(mission.state, asked.session, mission.foreign, outage)});
}

void Queries::answer(const codec::StatusAsked& asked) {
  const std::string problem = p_.mission.problem();
  const std::string more = problem.empty() ? "" : "\n" + problem;
  p_.emit.reply(asked.request, true, status_text(p_.mission.state) + more);
}

void Queries::answer(const codec::ListAsked& asked) {
  if (!asked.problems.empty())
    return p_.emit.reply(asked.request, false, base::listed("list_tasks:", asked.problems));
  const std::optional<TaskStatus> status = from_name<TaskStatus>(asked.args.status);
  std::string unknown;
  if (!status && !asked.args.status.empty()) {
    for (const std::string_view name : names_of<TaskStatus>())
      unknown += (unknown.empty() ? "" : ", ") + std::string(name);
    unknown =
        "There is no such status, so all tasks are listed. Status is one of " + unknown + ".\n";
  }
  p_.emit.reply(asked.request, true, unknown + task_list_text(p_.mission.state, status));
}

/// Ignores mistakes in the configuration: they are reported when a mission starts.
void Queries::answer(const codec::SettingsAsked& asked) {
  SettingsAnswer settings;
  if (const auto options = options_.read(); options.ok())
    settings.snapshots = options.value().snapshots;
  p_.emit.reply(Reply{asked.request, true, "", settings});
}

}  // namespace orchestrator::runtime
