// A submission waits for a language server while other things happen to the mission.

#include "runtime/code/language_servers.h"
#include "runtime/support/damage_story.h"

namespace orchestrator::runtime {
namespace {

class HeldWorkTest : public DamageTest {
 protected:
  HeldWorkTest() {
    fs::create_symlink("/bin/true", fs::path(programs.path()) / "clangd");  // is never really run
    project.reset();
    disk = &broken;
    program_path = programs.path();
    outbox = FakeOutbox();
    outbox.starts_processes = true;
    start();
  }
  ~HeldWorkTest() override { project.reset(); }  // before the disk

  /// The Worker hands in `a.c`, and its server is silent.
  void submit() {
    ASSERT_TRUE(start_mission()["ok"]);
    call("submit_plan", "root",
         {{"summary", "s"},
          {"verify", {"check"}},
          {"tasks", {{{"id", "T1"}, {"title", "One"}, {"files", {"**"}}, {"verify", {"check"}}}}}});
    call("mission_run", "root", json::object());
    create("worker");
    ASSERT_TRUE(ask({{"type", "write_asked"}, {"session", "worker"}, {"paths", {"a.c"}}})["ok"]);
    write("a.c", "int a;\n");
    EXPECT_TRUE(call("submit_work", "worker", {{"summary", "done"}, {"files", {"a.c"}}}).is_null());
    submission = "r" + std::to_string(requests);
    mission = snapshot()["mission"];
    EXPECT_EQ(outbox.started, 1);
  }
  [[nodiscard]] json answer() const {
    for (const json& message : outbox.sent) {
      if (message["type"] == "reply" && message["request"] == submission) return message;
    }
    return nullptr;
  }
  void expect_answer(bool ok, const std::string& part) const {
    const json reply = answer();
    ASSERT_FALSE(reply.is_null());
    EXPECT_EQ(reply["ok"], ok) << reply;
    EXPECT_NE(reply["text"].get<std::string>().find(part), std::string::npos) << reply;
  }
  void wait_for_the_server() {
    outbox.clock_ms += 11'000;
    project->on_timer(LanguageServers::kTimer, outbox);
    turn_timers();
  }

  orchestrator::testing::TemporaryDirectory programs;
  orchestrator::testing::BrokenDisk broken{os::posix_file_system()};
  std::string submission;
};

TEST_F(HeldWorkTest, AfterTheTimeLimitItIsAcceptedWithANote) {
  submit();
  EXPECT_TRUE(answer().is_null());
  EXPECT_NE(ask({{"type", "mission_status"}})["text"].get<std::string>().find("T1"),
            std::string::npos)
      << "the engine goes on";
  wait_for_the_server();
  expect_answer(true, "clangd: it was still starting");
}

TEST_F(HeldWorkTest, LaterEventsOfItsSessionAreRecordedAfterIt) {
  submit();
  run("worker", "later", 0);
  say({{"type", "turn_ended"},
       {"session", "worker"},
       {"tokens", 1},
       {"usd", 0.0},
       {"message", "m"}});
  EXPECT_TRUE(answer().is_null());
  wait_for_the_server();
  expect_answer(true, "Taken: T1");
  turn_timers();
  expect_log_tells_all();
}

TEST_F(HeldWorkTest, AnOutageRefusesItAndTheMissionGoesOnLater) {
  submit();
  say({{"type", "turn_ended"},
       {"session", "worker"},
       {"tokens", 1},
       {"usd", 0.0},
       {"message", "m"}});
  turn_timers();
  broken.fail();
  EXPECT_FALSE(ask({{"type", "write_asked"}, {"session", "worker"}, {"paths", {"b.c"}}})["ok"]);
  expect_answer(false, "No space left");
  wait_for_the_server();  // whose word comes too late
  broken.repair();
  turn_timers();
  turn_timers();
  EXPECT_EQ(snapshot()["phase"], "paused");
  EXPECT_EQ(snapshot()["tasks"][0]["status"], "running");
  expect_log_tells_all();
}

TEST_F(HeldWorkTest, DuringAnOutageNoChildAsksItsModel) {
  const auto stopped = [&](const std::string& session) {
    const json reply = ask({{"type", "role_asked"}, {"session", session}});
    return reply["data"]["stopped"].get<std::string>();
  };
  submit();
  EXPECT_EQ(stopped("worker"), "");
  broken.fail();
  EXPECT_FALSE(ask({{"type", "write_asked"}, {"session", "worker"}, {"paths", {"b.c"}}})["ok"]);
  EXPECT_EQ(outbox.last("abort_session")["session"], "worker");
  EXPECT_NE(stopped("worker").find("No space left"), std::string::npos) << stopped("worker");
  EXPECT_EQ(outbox.session_info["worker"], "");
  EXPECT_EQ(stopped("root"), "") << "a person may still talk there";
  broken.repair();
}

TEST_F(HeldWorkTest, AnotherProcessThatTakesTheDirectoryRefusesIt) {
  submit();
  turn_timers();
  fs::remove(paths().lock);
  const auto other = os::posix_file_system().lock(paths().lock);
  ASSERT_TRUE(other.ok());
  say({{"type", "turn_started"}, {"session", "root"}});
  expect_answer(false, "cannot be changed by this process any more");
  wait_for_the_server();
}

TEST_F(HeldWorkTest, AStoppedMissionWaitsForNoServer) {
  submit();
  EXPECT_TRUE(ask({{"type", "stop_requested"}, {"session", "root"}, {"arguments", ""}})["ok"]);
  wait_for_the_server();
  const json reply = answer();
  ASSERT_FALSE(reply.is_null());
  EXPECT_EQ(reply["ok"], false);
  EXPECT_EQ(snapshot()["phase"], "cancelled");
}

TEST_F(HeldWorkTest, ServersEndWithTheirProject) {
  submit();
  EXPECT_EQ(outbox.running, 1);
  project.reset();
  EXPECT_EQ(outbox.running, 0);
}

}  // namespace
}  // namespace orchestrator::runtime
