#include "core/tools/lsp_findings.h"

#include <cstdint>

namespace orchestrator::core {
namespace {

constexpr std::uint32_t kSameMax = 3;
constexpr std::uint32_t kInARowMax = 6;  // below the refused calls in a row that end an attempt
constexpr std::size_t kShownMax = 10;

std::string sentence(const Diagnostic& error) {
  return error.file + ":" + std::to_string(error.line) + ":" + std::to_string(error.column) + ": " +
         error.message + " (" + error.server + (error.code.empty() ? "" : " " + error.code) + ")";
}

/// FNV-1a hash of the errors without their lines, which change with every edit.
std::string fingerprint(const std::vector<Diagnostic>& errors) {
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  const auto add = [&](const std::string& text) {
    for (const char c : text + '\n') {
      hash ^= static_cast<unsigned char>(c);
      hash *= 1'099'511'628'211U;
    }
  };
  for (const Diagnostic& error : errors) {
    add(error.file);
    add(error.code);
    add(error.message);
  }
  return std::to_string(hash);
}

}  // namespace

std::vector<std::string> refused_errors(Task& task, const Diagnosis& diagnosis) {
  if (diagnosis.errors.empty()) return {};
  const std::string now = fingerprint(diagnosis.errors);
  if (now != task.progress.refused_errors) task.progress.refused_same = 0;
  if (task.progress.refused_same >= kSameMax || task.progress.refused_diagnoses >= kInARowMax)
    return {};
  task.progress.refused_errors = now;
  task.progress.refused_same += 1;
  task.progress.refused_diagnoses += 1;
  std::vector<std::string> problems;
  for (const Diagnostic& error : diagnosis.errors) problems.push_back(sentence(error));
  if (diagnosis.left_out > 0) {
    problems.push_back("and " + std::to_string(diagnosis.left_out) +
                       " more new errors; lsp_diagnostics shows them");
  }
  problems.emplace_back(
      "These errors were not there before the mission. If one is not the file's fault, say so in "
      "the summary");
  return problems;
}

void keep_diagnosis(Task& task, const Diagnosis& diagnosis) {
  task.review.diagnosis.clear();
  std::string servers;
  for (const std::string& server : diagnosis.servers)
    servers += (servers.empty() ? "" : ", ") + server;
  if (!diagnosis.errors.empty()) {
    task.review.diagnosis.push_back(
        "submit_work was refused " + std::to_string(task.progress.refused_diagnoses) +
        " times for these new errors, and they are not fixed. If they are real, reject:");
    for (const Diagnostic& error : diagnosis.errors) {
      if (task.review.diagnosis.size() > kShownMax) break;
      task.review.diagnosis.push_back(sentence(error));
    }
  } else if (!servers.empty()) {
    task.review.diagnosis.push_back(servers + ": no new error");
  }
  for (const std::string& note : diagnosis.notes) {
    if (task.review.diagnosis.size() > kShownMax) break;
    task.review.diagnosis.push_back(note);
  }
  task.progress.refused_errors.clear();
  task.progress.refused_same = 0;
  task.progress.refused_diagnoses = 0;
}

}  // namespace orchestrator::core
