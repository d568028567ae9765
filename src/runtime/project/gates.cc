#include "runtime/project/gates.h"

#include <chrono>
#include <memory>
#include <utility>

#include "orchestrator/step.h"
#include "runtime/code/syntax_gate.h"

namespace orchestrator::runtime {
namespace {

/// Time limit for the syntax check of one write; after it the write's tool call goes on without an
/// answer.
constexpr std::chrono::milliseconds kShadowParse{500};
constexpr std::size_t kCheckedMax = 50;

}  // namespace

/// The claim grows when the write is permitted, not when it is done: of two sessions that ask for
/// the same free file, the second is refused.
void Gates::answer(const codec::WriteAsked& asked, engine::Outbox& outbox) {
  ProjectFiles& files = observe_.files_of(asked.session);
  std::vector<std::string> inside;
  for (const std::string& path : asked.paths) {
    inside.push_back(files.relative(path));
    const auto why = [&] {
      return why_not_write(mission_.state, asked.session, inside.back(), asked.child);
    };
    if (why().empty()) continue;
    // The refusal may preempt another task, and then this session may write after all.
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
      // Parse the old text while the host writes, so that the check of the write can compare.
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

/// A check changes no durable state, so its reply does not wait for the disk.
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
