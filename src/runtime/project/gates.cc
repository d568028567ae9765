#include "runtime/project/gates.h"

#include <chrono>
#include <memory>
#include <utility>

#include "orchestrator/step.h"
#include "runtime/code/syntax_gate.h"

namespace orchestrator::runtime {
namespace {

/// One write. When a later answer comes, the write's tool call no longer waits for it.
constexpr std::chrono::milliseconds kShadowParse{500};
constexpr std::size_t kCheckedMax = 50;

}  // namespace

/// The claim grows with the permission, not with the write: of two sessions that ask for one free
/// file, the second is refused.
void Gates::answer(const codec::WriteAsked& asked, engine::Outbox& outbox) {
  ProjectFiles& files = observe_.files_of(asked.session);
  std::vector<std::string> inside;
  for (const std::string& path : asked.paths) {
    inside.push_back(files.relative(path));
    const auto why = [&] {
      return why_not_write(mission_.state, asked.session, inside.back(), asked.child);
    };
    if (why().empty()) continue;
    // It may be that another task is preempted, and then it may write after all.
    if (role_of(mission_.state, asked.session) == Role::worker && !inside.back().starts_with('/') &&
        mission_.problem().empty())
      record_.add(WriteRefused{asked.session, inside.back()}, outbox);
    if (const std::string refused = why(); !refused.empty())
      return emit_.reply(asked.request, false, refused);
  }
  if (role_of(mission_.state, asked.session) != Role::none) {
    const std::string problem = mission_.problem();
    if (!problem.empty()) return emit_.reply(asked.request, false, problem);
    sync_.await_disk(asked.request);
    for (const std::string& path : inside) {
      // Parsed while the host writes, so that the check of that write finds a tree.
      if (auto file = files.note_baseline(path))
        outbox.run_on_pool([file] { file->prepare(); }, [](engine::Outbox&) {});
      if (observe_.works_in_project(asked.session)) hold_.note_write(path, outbox);
      const FileWritten written{asked.session, path};
      observe_.note_write(written, outbox.now_ms());
      record_.add(written, outbox);
    }
  }
  emit_.reply(asked.request, true, "");
}

/// Changes nothing that lasts, so its answer waits for no disk.
void Gates::answer(const codec::CheckAsked& asked, engine::Outbox& outbox) {
  ProjectFiles& files = observe_.files_of(asked.session);
  std::vector<std::shared_ptr<ShadowFile>> written;
  if (role_of(mission_.state, asked.session) != Role::none) {
    for (const std::string& path : asked.paths) {
      auto file = files.shadows().find(files.relative(path));
      if (file != nullptr && written.size() < kCheckedMax) written.push_back(std::move(file));
    }
  }
  if (written.empty()) return emit_.reply_first(Reply{asked.request, true, ""});
  struct Job {
    std::vector<std::shared_ptr<ShadowFile>> files;
    std::vector<std::string> paths;
    std::vector<ShadowReport> reports;
  };
  auto job = std::make_shared<Job>();
  for (const auto& file : written) job->paths.push_back(files.whole(file->path()));
  job->files = std::move(written);
  outbox.run_on_pool(
      [job, &disk = world_.files] {
        const syntax::Limits limits{.time_max = kShadowParse};
        for (std::size_t i = 0; i < job->files.size(); ++i)
          job->reports.push_back(job->files[i]->check(text_to_check(disk, job->paths[i]), limits));
      },
      [this, job, request = asked.request, session = asked.session](engine::Outbox& out) {
        for (const auto& file : job->files) observe_.files_of(session).shadows().used(file->path());
        bool say_unknown = !told_unknown_.contains(session);
        const std::string text = shadow_text(job->reports, say_unknown);
        if (!say_unknown) told_unknown_.insert(session);
        out.send(codec::encode_effect(Reply{request, true, text}));
      });
}

void Gates::answer(const codec::CommandAsked& asked, engine::Outbox& outbox) {
  if (role_of(mission_.state, asked.session) != Role::none) observe_.command_begins(asked, outbox);
  emit_.reply_first(Reply{asked.request, true, ""});
}

}  // namespace orchestrator::runtime
