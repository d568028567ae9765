#include <utility>

#include "core/support/fake_host.h"

/// What a model of the unit tests can do in its turn: the methods of `Turn`.
namespace orchestrator::test {

Answer Turn::mission_run(RunArgs args) {
  return host.call(RunCalled{host.new_request(), session, std::move(args), {}}, session);
}
Answer Turn::plan(PlanArgs args) {
  return host.call(PlanSubmitted{host.new_request(), session, std::move(args), {}}, session);
}
Answer Turn::work(WorkArgs args) {
  return host.call(WorkSubmitted{host.new_request(), session, std::move(args), {}}, session);
}
Answer Turn::todo(TodoArgs args) {
  return host.call(TodoUpdated{host.new_request(), session, std::move(args), {}}, session);
}
Answer Turn::delegate(DelegateArgs args) {
  return host.call(DelegateCalled{host.new_request(), session, std::move(args), {}}, session);
}
Answer Turn::result(const std::string& task_id) {
  return host.call(ResultAsked{host.new_request(), session, {TaskId(task_id)}, {}}, session);
}
Answer Turn::cancel(const std::string& task_id, const std::string& reason) {
  return host.call(CancelCalled{host.new_request(), session, {TaskId(task_id), reason}, {}},
                   session);
}
Answer Turn::review(ReviewArgs args) {
  return host.call(
      ReviewSubmitted{
          host.new_request(), session, std::move(args), {}, host.files_hash(session), {}},
      session);
}

void Turn::write(const std::string& path) {
  if (!why_not_write(host.state, session, path).empty()) return;
  host.files_of(session)[path] = host.git_.new_text();
  host.host_says(FileWritten{session, path});
}

void Turn::run(const std::string& command, int exit_code) {
  run_while(
      command, [] {}, exit_code);
}

void Turn::run_while(const std::string& command, const std::function<void()>& meanwhile,
                     int exit_code) {
  const std::string begun = host.files_hash(session);
  meanwhile();
  CommandRan ran{session, command, "", exit_code, "output", host.files_hash(session)};
  ran.begun_hash = begun;
  ran.previous = host.state.receipt_head;
  ran.chain_hash = "receipt" + std::to_string(host.log.size());
  host.host_says(std::move(ran));
}

Answer Turn::do_work() {
  const Task* mine = find_task(host.state, task);
  WorkArgs args;
  args.summary = "Did " + task.value;
  if (mine != nullptr) {
    for (const std::string& file : std::vector<std::string>(mine->files)) {
      if (file.find('*') != std::string::npos) continue;
      write(file);
      args.files.push_back(file);
    }
  }
  return work(std::move(args));
}

void Turn::run_verify(int exit_code) {
  const Task* mine = find_task(host.state, task);
  const auto commands = mine == nullptr ? host.state.plan.verify : mine->spec.verify;
  for (const std::string& command : commands) run(command, exit_code);
}

Answer Turn::pass() {
  run_verify();
  ReviewArgs args;
  args.verdict = Verdict::pass;
  return review(std::move(args));
}

Answer Turn::reject(const std::string& message, const std::string& file) {
  ReviewArgs args;
  args.verdict = Verdict::reject;
  args.findings = {Finding{file, 0, Severity::error, message}};
  return review(std::move(args));
}

void Turn::fail(const std::string& name) { host.break_turn(session, name); }

void Turn::hang(bool in_tool) {
  host.child_of(session).hangs = true;
  host.child_of(session).in_tool = in_tool;
}

}  // namespace orchestrator::test
