// Texts for models and people: what they say, and how long they may be.

#include "core/prompts/report.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "core/support/fake_host.h"

namespace orchestrator::test {
namespace {

bool is_utf8(const std::string& text) {
  std::size_t follow = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (follow > 0) {
      if ((byte & 0xC0U) != 0x80U) return false;
      --follow;
    } else if (byte >= 0xF0U) {
      follow = 3;
    } else if (byte >= 0xE0U) {
      follow = 2;
    } else if (byte >= 0xC0U) {
      follow = 1;
    } else if (byte >= 0x80U) {
      return false;
    }
  }
  return follow == 0;
}

/// 500 tasks with long non-ASCII texts, in every phase.
State huge(Phase phase) {
  State state;
  state.mission = MissionId("m-20260101-120000-abcd");
  state.phase = phase;
  std::string long_text;
  for (int i = 0; i < 300; ++i) long_text += "Größe 日本語 🚀 ";
  state.objective = long_text + "\n" + long_text;
  state.reason = long_text;
  state.plan.verify_reason = long_text;
  state.root_session = SessionId("ses_0123456789abcdef0123456789");
  state.iteration = 5;
  for (int i = 0; i < 500; ++i) {
    Task each;
    each.id = TaskId("Task-with-a-very-long-name-" + std::to_string(1000 + i));
    each.title = base::clip(long_text, 200);
    each.agent = "worker";
    each.status = static_cast<TaskStatus>(i % 9);
    each.summary = each.note = long_text;
    each.files = {"src/größe/" + std::to_string(i) + ".cc"};
    state.tasks.push_back(each);
    state.master_review.proved_by.push_back(base::clip(long_text, 300));
  }
  return state;
}

TEST(Report, TextsKeepTheirLimitsAndStayWhole) {
  for (const auto& name : enum_names(Phase{})) {
    const State state = huge(name.value);
    for (const auto& [text, bytes_max] : std::vector<std::pair<std::string, std::size_t>>{
             {core::final_report(state), 4000},
             {core::interruption_report(state, state.objective), 4000},
             {status_text(state), 1000},
             {progress_title(state), 120}}) {
      EXPECT_LE(text.size(), bytes_max) << name.name << ":\n" << text;
      EXPECT_TRUE(is_utf8(text)) << text;
    }
    EXPECT_NE(core::final_report(state).find("\nNow: "), std::string::npos);
    EXPECT_NE(core::interruption_report(state, "x").find("\nNow: "), std::string::npos);
    EXPECT_TRUE(is_utf8(todo_markdown(state)));
  }
}

TEST(Report, TodoHasALineForEachTaskWithItsBox) {
  State state = huge(Phase::executing);
  state.tasks.resize(9);
  for (std::size_t i = 0; i < 9; ++i) {
    state.tasks[i].id = TaskId("T" + std::to_string(i + 1));
    state.tasks[i].title = "Title";
  }
  state.tasks[1].deps = {TaskId("T1")};
  state.tasks[1].files.clear();
  const std::string text = todo_markdown(state);
  for (const char* line :
       {"- [ ] T1 Title (agent: worker; files: src/größe/0.cc)\n",
        "- [ ] T2 Title (agent: worker; deps: T1)\n", "- [~] T3 Title", "- [~] T4 Title",
        "- [~] T5 Title", "- [~] T6 Title", "- [x] T7 Title", "- [-] T8 Title", "- [!] T9 Title"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
}

TEST(Report, WithoutAMissionStatusSaysHowToStartOne) {
  EXPECT_NE(status_text(State{}).find("/task"), std::string::npos);
}

TEST(Report, ClipCutsAtTheEdgeOfACharacter) {
  for (std::size_t n = 4; n < 60; ++n) {
    const std::string cut = base::clip("Größe 日本語 🚀 Größe 日本語 🚀 Größe 日本語 🚀", n);
    EXPECT_LE(cut.size(), n);
    EXPECT_TRUE(is_utf8(cut)) << n;
  }
  EXPECT_EQ(base::clip("short", 100), "short");
  EXPECT_EQ(base::first_line("one\ntwo", 100), "one");
}

}  // namespace
}  // namespace orchestrator::test
