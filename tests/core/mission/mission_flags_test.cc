// What /task makes of the user's words.
#include "core/mission/mission_flags.h"

#include <gtest/gtest.h>

namespace orchestrator::core {
namespace {

std::string objective(const std::string& arguments, HostMode mode = HostMode::serve) {
  return parse_mission_flags(arguments, mode).objective;
}

TEST(MissionFlags, FlagsMayStandBeforeOrAfterTheObjective) {
  for (const char* text :
       {"--parallel 3 --budget 5usd --time 2h --isolation shared --background fix it",
        "fix it --background --isolation=shared --time=2h --budget 5usd --parallel 3",
        "--parallel=3 --background fix it --budget=5usd --time 120m --isolation shared",
        "  --background\n--parallel 3\tfix it\n--budget 5USD --time 7200s --isolation shared "}) {
    const MissionFlags command = parse_mission_flags(text, HostMode::serve);
    EXPECT_TRUE(command.problems.empty()) << text;
    EXPECT_EQ(command.objective, "fix it") << text;
    EXPECT_EQ(command.parallel, 3U);
    EXPECT_EQ(command.budget_usd, 5.0);
    EXPECT_EQ(command.time_ms, 7'200'000);
    EXPECT_EQ(command.isolation, Isolation::shared);
    EXPECT_TRUE(command.background);
  }
}

TEST(MissionFlags, BudgetsInTokens) {
  const auto tokens = [](const char* text) {
    return parse_mission_flags(text, HostMode::serve).budget_tokens;
  };
  EXPECT_EQ(tokens("x --budget 2Mtok"), 2'000'000U);
  EXPECT_EQ(tokens("x --budget 1.5mtok"), 1'500'000U);
  EXPECT_EQ(tokens("x --budget 500ktok"), 500'000U);
  EXPECT_EQ(tokens("x --budget 900tok"), 900U);
}

TEST(MissionFlags, ObjectivesArriveUnchanged) {
  for (const std::string text :
       {"one line", "two\nlines\n\nand a  gap", "say \"hi\" and 'ho'",
        "run `ls` and !`rm -rf x` and $HOME $1", "für Größe: 日本語 🚀", "a --flag of its own",
        "explain --parallel in the README", "trailing backslash \\", "\"quoted\" and \"again\"",
        "-- dashes --", "--unknown 3 is text", "\xC2\xA0nbsp stays\xC2\xA0"}) {
    EXPECT_EQ(objective(text), text);
    EXPECT_EQ(objective("--background " + text), text);
    EXPECT_EQ(objective(text + " --background"), text);
  }
}

TEST(MissionFlags, InRunModeTheHostsQuotesAreRemoved) {
  const HostMode run = HostMode::run;
  EXPECT_EQ(objective("\"fix it now\"", run), "fix it now");
  EXPECT_EQ(objective("\"say \\\"hi\\\" to `me`\"", run), "say \"hi\" to `me`");
  EXPECT_EQ(objective("\"two\nmore lines\"", run), "two\nmore lines");
  EXPECT_EQ(objective("--parallel 2 \"fix it now\"", run), "fix it now");
  EXPECT_EQ(objective("\"fix it now\" --time 2h", run), "fix it now");
  EXPECT_EQ(objective("\"fix it now --parallel 2\"", run), "fix it now");
  EXPECT_EQ(parse_mission_flags("\"fix it --parallel 2\"", run).parallel, 2U);
  EXPECT_EQ(objective("fix", run), "fix");
  EXPECT_EQ(objective("\"one\" and \"two\"", run), "\"one\" and \"two\"");
  EXPECT_EQ(objective("\"hello\"", run), "\"hello\"");  // the host quotes only where a space is
  EXPECT_EQ(objective("\"C:\\my dir\\\"", run), "C:\\my dir\\");
  EXPECT_EQ(objective("\"fix it now\""), "\"fix it now\"") << "elsewhere they are the user's own";
}

TEST(MissionFlags, AllBadValuesAreListed) {
  const MissionFlags command = parse_mission_flags(
      "--parallel 0 --budget 5 --time soon --isolation vm fix it", HostMode::serve);
  ASSERT_EQ(command.problems.size(), 4U);
  EXPECT_NE(command.problems[0].find("--parallel 0: write a whole number from 1 to 50"),
            std::string::npos);
  EXPECT_NE(command.problems[1].find("--budget 5: "), std::string::npos);
  EXPECT_NE(command.problems[2].find("--time soon: "), std::string::npos);
  EXPECT_NE(command.problems[3].find("--isolation vm: "), std::string::npos);
}

TEST(MissionFlags, OddValuesAreRefused) {
  for (const char* text :
       {"--parallel 51 x", "--parallel -1 x", "--parallel 3.5 x", "--budget infusd x",
        "--budget nanusd x", "--budget -5usd x", "--budget 1e99Mtok x", "--time 0h x",
        "--time 1e30h x", "--time 2d x", "x --parallel= --background", "--budget 0.1tok x"}) {
    EXPECT_EQ(parse_mission_flags(text, HostMode::serve).problems.size(), 1U) << text;
  }
}

TEST(MissionFlags, AnEmptyObjectiveIsRefused) {
  for (const char* text : {"", "  \n", "--background", "--parallel 3"}) {
    const MissionFlags command = parse_mission_flags(text, HostMode::serve);
    ASSERT_FALSE(command.problems.empty()) << text;
    EXPECT_NE(command.problems.back().find("the objective is empty"), std::string::npos);
  }
  EXPECT_FALSE(parse_mission_flags("\"\"", HostMode::run).problems.empty());
}

TEST(MissionFlags, AMistypedFlagInFrontIsNamedAndOtherWordsAreTheObjective) {
  const MissionFlags slip = parse_mission_flags("--paralel 3 build it", HostMode::serve);
  ASSERT_EQ(slip.problems.size(), 1U);
  EXPECT_NE(slip.problems[0].find("did you mean --parallel?"), std::string::npos);
  const MissionFlags words =
      parse_mission_flags("--verbose must be a flag of the tool", HostMode::serve);
  EXPECT_TRUE(words.problems.empty());
  EXPECT_EQ(words.objective, "--verbose must be a flag of the tool");
  for (const char* plain :
       {"parallel 3 builds at once", "budget for the year", "isolation", "-parallel 3"}) {
    const MissionFlags objective = parse_mission_flags(plain, HostMode::serve);
    EXPECT_TRUE(objective.problems.empty()) << plain;
    EXPECT_EQ(objective.objective, plain);
  }
}

}  // namespace
}  // namespace orchestrator::core
