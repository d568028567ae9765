#include "runtime/project/code_tools.h"

#include <utility>

#include "orchestrator/step.h"

namespace orchestrator::runtime {

void CodeTools::answer(const codec::AstSearchAsked& asked, engine::Outbox& outbox) {
  start(asked.request, make_ast_search(place(asked.session), asked.args), outbox);
}

void CodeTools::answer(const codec::AstOutlineAsked& asked, engine::Outbox& outbox) {
  start(asked.request, make_ast_outline(place(asked.session), asked.args), outbox);
}

void CodeTools::answer(const codec::AstReplaceAsked& asked, engine::Outbox& outbox) {
  const State& state = mission_.state;
  if (!is_active(state.phase) || role_of(state, asked.session) != Role::worker) {
    return emit_.reply(asked.request, false,
                       "Refused: only a Worker of a mission may replace code.");
  }
  auto made = make_ast_replace(place(asked.session), asked.args);
  if (!made.ok()) return emit_.reply(asked.request, false, made.error().text());
  const auto started = std::move(made).value();
  replacing_.push_back(asked.request);
  // The job owns this callback, so the callback must not own the job.
  started->start(outbox, [this, asked, weak = std::weak_ptr(started)](engine::Outbox& box,
                                                                      const ToolAnswer& found) {
    const auto job = weak.lock();
    const bool wanted = std::erase(replacing_, asked.request) > 0;
    if (wanted && job && job->wants_writing()) {
      write(asked, job, box);
    } else {
      emit_.reply(asked.request, found.ok, found.text);
    }
    inlet_.release(box);
  });
}

void CodeTools::start(const RequestId& request, base::Result<std::shared_ptr<SourceScan>> made,
                      engine::Outbox& outbox) {
  if (!made.ok()) return emit_.reply(request, false, made.error().text());
  made.value()->start(outbox, [this, request](engine::Outbox& box, ToolAnswer found) {
    emit_.reply(request, found.ok, std::move(found.text));
    inlet_.release(box);
  });
}

/// Writes all files or none: a replacement is never left half applied. Claims are checked and the
/// event is logged first, as with the host's own writing tools.
void CodeTools::write(const codec::AstReplaceAsked& asked, const std::shared_ptr<AstReplace>& job,
                      engine::Outbox& outbox) {
  const std::string problem = mission_.problem();
  if (!problem.empty()) return emit_.reply(asked.request, false, problem);
  if (!is_active(mission_.state.phase)) {
    return emit_.reply(asked.request, false,
                       "Nothing is written: the mission is over. End your turn.");
  }
  ProjectFiles& files = observe_.files_of(asked.session);
  for (const AstReplace::Change& change : job->changes()) {
    const bool here = files.relative(change.path) == change.path;
    const std::string why = here ? why_not_write(mission_.state, asked.session, change.path)
                                 : change.path + " is a link to another place now.";
    if (why.empty()) continue;
    return emit_.reply(asked.request, false,
                       why + " Nothing is written; leave that file out by paths.");
  }
  sync_.await_disk(asked.request);
  for (const AstReplace::Change& change : job->changes()) {
    files.note_baseline(change.path, change.before);
    const FileWritten written{asked.session, change.path};
    observe_.note_write(written, outbox.now_ms());
    record_.add(written, outbox);
  }
  if (mission_.is_open() && !sync_.run()) return;  // the following `release` refuses the call
  const auto answer = std::make_shared<ToolAnswer>();
  outbox.run_on_pool([job, answer] { *answer = job->write(); },
                     [this, request = asked.request, answer](engine::Outbox& box) {
                       emit_.reply(request, answer->ok, std::move(answer->text));
                       inlet_.release(box);
                     });
}

}  // namespace orchestrator::runtime
