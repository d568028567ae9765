// Where sources could be changed for a mutation test, found by the patterns of ast_search and
// written as ast_replace would write them. Rules come on the standard input, one a line, four
// fields with tabs between:
//
//   pattern  <language>  <pattern>  <rewrite>
//   query    <language>  <query>                the nodes that it captures as @site, for the caller
//   to change
//
// For each match one line of JSON: the file and the rule (both as numbers from 0), the span of
// bytes, and for a pattern the text that would stand there.

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "syntax/rewrite.h"
#include "syntax/search.h"

namespace {

using namespace orchestrator;  // NOLINT: a program of one file

struct Rule {
  syntax::Search search;
  std::optional<syntax::Rewrite> rewrite;
};

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::size_t begin = 0;
  for (std::size_t end = line.find('\t'); end != std::string::npos; end = line.find('\t', begin)) {
    fields.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  fields.push_back(line.substr(begin));
  return fields;
}

base::Result<Rule> rule_of(const std::string& line) {
  const std::vector<std::string> fields = fields_of(line);
  const bool is_pattern = fields.size() == 4 && fields[0] == "pattern";
  const bool is_query = fields.size() == 3 && fields[0] == "query";
  const auto language = fields.size() > 1 ? syntax::language_from_name(fields[1]) : std::nullopt;
  if (!language || (!is_pattern && !is_query)) return base::Error{"no rule", line, ""};
  auto search = is_query ? syntax::Search::for_query(*language, fields[2])
                         : syntax::Search::for_pattern(*language, fields[2]);
  if (!search.ok()) return base::Error{search.error().text(), line, ""};
  Rule rule{std::move(search).value(), std::nullopt};
  if (is_pattern) {
    auto rewrite = syntax::Rewrite::compile(*rule.search.pattern(), fields[3]);
    if (!rewrite.ok()) return base::Error{rewrite.error().text(), line, ""};
    rule.rewrite = std::move(rewrite).value();
  }
  return rule;
}

void print_sites(std::size_t file, const std::string& text, std::size_t number, const Rule& rule) {
  syntax::SearchLimits limits;
  limits.found_max = 1'000'000;
  for (const syntax::Found& found : rule.search.run(text, limits).found) {
    nlohmann::json line = {{"file", file}, {"rule", number}};
    if (rule.rewrite) {
      const auto result = rule.rewrite->apply(text, {found});
      if (result.edits.size() != 1) continue;
      line["begin"] = result.edits[0].begin;
      line["end"] = result.edits[0].end;
      line["text"] = result.edits[0].text;
    } else {
      for (const auto& capture : found.captures) {
        if (capture.name != "site") continue;
        line["begin"] = capture.span.begin;
        line["end"] = capture.span.end;
      }
      if (!line.contains("begin")) continue;
    }
    std::puts(line.dump().c_str());
  }
}

}  // namespace

int main(int count, char** words) {
  std::vector<Rule> rules;
  for (std::string line; std::getline(std::cin, line);) {
    auto rule = rule_of(line);
    if (!rule.ok()) {
      std::fprintf(stderr, "%s\n", rule.error().text().c_str());
      return 2;
    }
    rules.push_back(std::move(rule).value());
  }
  for (int i = 1; i < count; ++i) {
    std::ifstream in(words[i], std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const auto language = syntax::language_of_path(words[i]);
    for (std::size_t k = 0; k < rules.size(); ++k) {
      if (language == rules[k].search.language())
        print_sites(static_cast<std::size_t>(i - 1), text, k, rules[k]);
    }
  }
  return 0;
}
