#include "runtime/git/worktrees.h"

#include <optional>
#include <utility>

#include "runtime/git/worktrees_impl.h"

namespace orchestrator::runtime {
namespace {

using base::Error;
using base::Result;

std::optional<Error> bad_name(const std::string& mission, const std::string& name) {
  if (is_plain_name(mission, false) && is_plain_name(name, true)) return std::nullopt;
  return Error{"it is no name for a worktree", mission + "." + name, ""};
}

std::optional<Error> bad_commit(const std::string& id) {
  if (is_object_id(id)) return std::nullopt;
  return Error{"it is no commit's id", id, ""};
}

}  // namespace

Worktrees::Worktrees(std::string project, std::string program_path)
    : body_(std::make_shared<Body>(std::move(project), std::move(program_path))) {}

Worktrees::~Worktrees() { body_->stop = true; }

template <class T, class Work>
void Worktrees::enqueue(engine::Outbox& outbox, Then<T> then, Work work) {
  auto answer = std::make_shared<std::optional<Result<T>>>();
  waiting_.push_back(
      {[answer, work = std::move(work)](Body& body) { *answer = work(body); },
       [answer, then = std::move(then)](engine::Outbox& out) { then(std::move(**answer), out); }});
  start_next(outbox);
}

void Worktrees::start_next(engine::Outbox& outbox) {
  if (busy_ || waiting_.empty()) return;
  busy_ = true;
  auto job = std::make_shared<Job>(std::move(waiting_.front()));
  waiting_.pop_front();
  outbox.run_on_pool([job, body = body_] { job->work(*body); },
                     [this, job, body = body_](engine::Outbox& out) {
                       if (body->stop) return;  // and this object is gone
                       job->done(out);
                       if (body->stop) return;
                       busy_ = false;
                       start_next(out);
                     });
}

void Worktrees::check(engine::Outbox& outbox, Then<Usable> then) {
  enqueue<Usable>(outbox, std::move(then), [](Body& body) { return body.check(); });
}

void Worktrees::snapshot(const std::string& mission, const std::string& after,
                         engine::Outbox& outbox, Then<Snapshot> then) {
  enqueue<Snapshot>(outbox, std::move(then), [mission, after](Body& body) -> Result<Snapshot> {
    if (auto bad = bad_name(mission, "x")) return *bad;
    if (auto bad = bad_commit(after); bad && !after.empty()) return *bad;
    return body.snapshot(mission, after);
  });
}

void Worktrees::add(const std::string& mission, const std::string& name, const std::string& base,
                    engine::Outbox& outbox, Then<Added> then) {
  enqueue<Added>(outbox, std::move(then), [mission, name, base](Body& body) -> Result<Added> {
    if (auto bad = bad_name(mission, name)) return *bad;
    if (auto bad = bad_commit(base)) return *bad;
    return body.add(mission, name, base);
  });
}

void Worktrees::collect(const std::string& mission, const std::string& name, engine::Outbox& outbox,
                        Then<Collected> then) {
  enqueue<Collected>(outbox, std::move(then), [mission, name](Body& body) -> Result<Collected> {
    if (auto bad = bad_name(mission, name)) return *bad;
    return body.collect(mission, name);
  });
}

void Worktrees::merge(const std::string& mission, const std::string& ours,
                      const std::string& theirs, engine::Outbox& outbox, Then<Merged> then) {
  enqueue<Merged>(outbox, std::move(then), [mission, ours, theirs](Body& body) -> Result<Merged> {
    if (auto bad = bad_name(mission, "x")) return *bad;
    if (auto bad = bad_commit(ours)) return *bad;
    if (auto bad = bad_commit(theirs)) return *bad;
    return body.merge(mission, ours, theirs);
  });
}

void Worktrees::apply(const std::string& from, const std::string& to, engine::Outbox& outbox,
                      Then<Applied> then) {
  enqueue<Applied>(outbox, std::move(then), [from, to](Body& body) -> Result<Applied> {
    if (auto bad = bad_commit(from)) return *bad;
    if (auto bad = bad_commit(to)) return *bad;
    return body.apply(from, to);
  });
}

void Worktrees::remove(const std::string& mission, const std::string& name, engine::Outbox& outbox,
                       Then<Done> then) {
  enqueue<Done>(outbox, std::move(then), [mission, name](Body& body) -> Result<Done> {
    if (auto bad = bad_name(mission, name)) return *bad;
    return body.remove(mission, name);
  });
}

void Worktrees::remove_all(const std::string& mission, engine::Outbox& outbox, Then<Done> then) {
  enqueue<Done>(outbox, std::move(then), [mission](Body& body) -> Result<Done> {
    if (auto bad = bad_name(mission, "x")) return *bad;
    return body.remove_missions([&](const std::string& one) { return one == mission; }, false);
  });
}

void Worktrees::sweep(const std::set<std::string>& active, engine::Outbox& outbox,
                      Then<Done> then) {
  enqueue<Done>(outbox, std::move(then), [active](Body& body) {
    return body.remove_missions([&](const std::string& one) { return !active.contains(one); },
                                true);
  });
}

}  // namespace orchestrator::runtime
