#include "syntax/query_shape.h"

#include <gtest/gtest.h>

#include "syntax/search.h"

namespace orchestrator::syntax {
namespace {

// Found by the fuzzer code_pattern: tree-sitter makes such a query without end, and takes all
// memory.
TEST(QueryShape, APlusUponWhatMayBeNothingIsRefusedWithItsPlace) {
  for (const char* query :
       {"_*+", "_____*+", "((_)*)+", "((_)?)+ @x", "([(identifier) (_)*])+ @x", "_*+*+",
        "(call_expression (_)?+) @x", "((_)* (_)?)+", "\"(\"*+", "((_)* @a)+", "(_) @x ; c\n(_)*+",
        "(((_)*))+", "(_ name: (_)*+)", "[_* (_)]+", "_ * +"}) {
    const auto search = Search::for_query(Language::javascript, query);
    ASSERT_FALSE(search.ok()) << query;
    EXPECT_NE(search.error().text().find("a + follows what may match nothing"), std::string::npos)
        << query << ": " << search.error().text();
    EXPECT_NE(search.error().where.find("byte"), std::string::npos);
  }
}

TEST(QueryShape, WhatTreeSitterBearsIsLeftToIt) {
  for (const char* query :
       {"(_)+ @x", "(_)* @x", "((identifier) @a (_)*)+", "[(identifier) (number)]+ @x",
        "(call_expression (_)* @x)", "((comment)+ . (function_declaration) @f)",
        "((identifier) @x (#match? @x \"^(a*)+$\"))", "(identifier) @x ; (_)*+ in a comment",
        "(call_expression function: (identifier) @f !type_arguments)", "\"*+\" @x", "", ")*+", "\"",
        "\"\\", "(", "[(", "@", "(#"}) {
    EXPECT_TRUE(check_query_shape(query).ok()) << query;
  }
}

TEST(QueryShape, NestingIsBounded) {
  EXPECT_TRUE(check_query_shape(std::string(100, '(')).ok());
  EXPECT_FALSE(check_query_shape(std::string(200, '(')).ok());
  EXPECT_FALSE(Search::for_query(Language::javascript, std::string(16'000, '[')).ok());
}

}  // namespace
}  // namespace orchestrator::syntax
