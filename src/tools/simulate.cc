// The deterministic simulator: `opencode-orchestrator simulate`.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/simulation.h"

namespace orchestrator::sim {
namespace {

constexpr const char* kUsage =
    "usage: simulate [--seed S] [--runs N] [--jobs N] [--only FAULTS] [--trace LINES]\n"
    "                [--shrink RUNS] [--week] [--json]\n"
    "\n"
    "Runs simulated missions on a virtual clock, a simulated disk and a simulated host, with "
    "faults,\n"
    "and checks after every step what must be true. The same seed gives the same run.\n"
    "\n"
    "  --seed S      the first seed (1)\n"
    "  --runs N      so many seeds from there on (1000)\n"
    "  --jobs N      processes at once (1); the result does not depend on it\n"
    "  --only LIST   only these faults, e.g. die:3,event_lost:17, as a failure prints them\n"
    "  --trace N     print the last N lines of each failure, and of a single run (40)\n"
    "  --shrink N    spend so many runs on the shortest list of faults that fails (2000)\n"
    "  --week        one mission that lives for seven virtual days: does it grow?\n"
    "  --json        one JSON object instead of text\n"
    "\n"
    "Exit codes: 0 nothing was violated, 1 something was, 2 usage.\n";

constexpr std::uint64_t kFailuresShown = 10;

struct Arguments {
  std::uint64_t seed = 1;
  std::uint64_t runs = 1000;
  std::uint64_t jobs = 1;
  std::uint64_t trace = 40;
  std::uint64_t shrink_runs = 2000;
  std::optional<std::vector<Hit>> only;
  bool json = false;
  bool week = false;
};

struct Totals {
  std::uint64_t runs = 0;
  std::uint64_t missions = 0;
  std::uint64_t sealed = 0;
  std::uint64_t processes = 0;
  std::uint64_t messages = 0;
  std::uint64_t disk_calls = 0;
  std::uint64_t faults = 0;
  std::uint64_t virtual_s = 0;
  std::uint64_t in_worktrees = 0;  ///< missions that had worktrees
  std::uint64_t worktrees = 0;
  std::uint64_t races = 0;
  std::uint64_t merges = 0;
  std::uint64_t conflicts = 0;
  std::uint64_t deaths = 0;
  std::uint64_t hash = 0;  ///< over all traces, in no order
  std::uint64_t violations = 0;
  std::array<std::uint64_t, kFaults> hits{};
};

struct Failure {
  std::uint64_t seed = 0;
  char invariant[120] = {};
};

RunOptions options_of(std::uint64_t seed, std::optional<std::vector<Hit>> only,
                      std::size_t trace_lines) {
  RunOptions options;
  options.seed = seed;
  options.only = std::move(only);
  options.trace_lines = trace_lines;
  return options;
}

bool read_number(const char* text, std::uint64_t& out) {
  const char* const end = text + std::strlen(text);
  const auto [at, error] = std::from_chars(text, end, out);
  return error == std::errc{} && at == end;
}

/// Empty: understood. Else what is wrong.
std::string read_arguments(int argc, char** argv, Arguments& out) {
  const std::map<std::string_view, std::uint64_t*> numbers{{"--seed", &out.seed},
                                                           {"--runs", &out.runs},
                                                           {"--jobs", &out.jobs},
                                                           {"--trace", &out.trace},
                                                           {"--shrink", &out.shrink_runs}};
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--json" || name == "--week") {
      (name == "--json" ? out.json : out.week) = true;
      continue;
    }
    const auto number = numbers.find(name);
    if (number == numbers.end() && name != "--only") return std::string(name) + ": no such option";
    if (++i >= argc) return std::string(name) + ": its value is missing";
    if (number != numbers.end()) {
      if (!read_number(argv[i], *number->second))
        return std::string(name) + " " + argv[i] + ": a whole number is needed";
      continue;
    }
    out.only = parse_hits(argv[i]);
    if (!out.only) return "--only " + std::string(argv[i]) + ": write fault:number,fault:number";
  }
  if (out.runs < 1 || out.jobs < 1 || out.jobs > 256)
    return "--runs and --jobs: at least 1, and at most 256 jobs";
  return "";
}

void add(Totals& totals, const RunResult& result) {
  totals.runs += 1;
  totals.missions += result.missions;
  totals.sealed += result.outcome == "sealed" ? 1 : 0;
  totals.processes += result.processes;
  totals.messages += result.messages;
  totals.disk_calls += result.disk_calls;
  totals.in_worktrees += result.in_worktrees;
  totals.worktrees += result.worktrees;
  totals.races += result.races;
  totals.merges += result.merges;
  totals.conflicts += result.conflicts;
  totals.deaths += result.deaths;
  totals.faults += result.hits.size();
  totals.virtual_s += result.virtual_ms / 1000;
  totals.hash ^= mix(result.trace_hash);
  totals.violations += result.violation ? 1 : 0;
  for (const Hit& hit : result.hits) ++totals.hits[static_cast<std::size_t>(hit.fault)];
}

void add(Totals& totals, const Totals& more) {
  totals.runs += more.runs;
  totals.missions += more.missions;
  totals.sealed += more.sealed;
  totals.processes += more.processes;
  totals.messages += more.messages;
  totals.disk_calls += more.disk_calls;
  totals.in_worktrees += more.in_worktrees;
  totals.worktrees += more.worktrees;
  totals.races += more.races;
  totals.merges += more.merges;
  totals.conflicts += more.conflicts;
  totals.deaths += more.deaths;
  totals.faults += more.faults;
  totals.virtual_s += more.virtual_s;
  totals.hash ^= more.hash;
  totals.violations += more.violations;
  for (std::size_t i = 0; i < kFaults; ++i) totals.hits[i] += more.hits[i];
}

/// Runs one job's share: every `jobs`th seed.
void run_share(const Arguments& args, std::uint64_t job, Totals& totals,
               std::vector<Failure>& failures) {
  for (std::uint64_t i = job; i < args.runs; i += args.jobs) {
    const RunResult result = simulate(options_of(args.seed + i, args.only, 0));
    add(totals, result);
    if (!result.violation || failures.size() >= kFailuresShown) continue;
    Failure failure{args.seed + i, {}};
    result.violation->invariant.copy(failure.invariant, sizeof failure.invariant - 1);
    failures.push_back(failure);
  }
}

void write_all(int fd, const void* data, std::size_t bytes) {
  const char* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t count = ::write(fd, at, bytes);
    if (count <= 0) return;
    at += count;
    bytes -= static_cast<std::size_t>(count);
  }
}

bool read_all(int fd, void* data, std::size_t bytes) {
  char* at = static_cast<char*>(data);
  while (bytes > 0) {
    const ssize_t count = ::read(fd, at, bytes);
    if (count <= 0) return false;
    at += count;
    bytes -= static_cast<std::size_t>(count);
  }
  return true;
}

/// Runs jobs as processes, not threads: a crash ends only its own job.
bool run_jobs(const Arguments& args, Totals& totals, std::vector<Failure>& failures) {
  if (args.jobs == 1) {
    run_share(args, 0, totals, failures);
    return true;
  }
  std::vector<std::pair<pid_t, int>> children;
  for (std::uint64_t job = 0; job < args.jobs; ++job) {
    int ends[2] = {};
    if (::pipe(ends) != 0) return false;
    const pid_t pid = ::fork();
    if (pid < 0) return false;
    if (pid == 0) {
      ::close(ends[0]);
      Totals own;
      std::vector<Failure> found;
      run_share(args, job, own, found);
      write_all(ends[1], &own, sizeof own);
      for (const Failure& failure : found) write_all(ends[1], &failure, sizeof failure);
      ::_exit(0);
    }
    ::close(ends[1]);
    children.emplace_back(pid, ends[0]);
  }
  bool whole = true;
  for (const auto& [pid, fd] : children) {
    Totals own;
    whole = read_all(fd, &own, sizeof own) && whole;
    add(totals, own);
    for (Failure failure; read_all(fd, &failure, sizeof failure);) failures.push_back(failure);
    ::close(fd);
    int status = 0;
    ::waitpid(pid, &status, 0);
    whole = whole && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  std::sort(failures.begin(), failures.end(),
            [](const Failure& a, const Failure& b) { return a.seed < b.seed; });
  return whole;
}

void print_trace(const RunResult& result) {
  for (const std::string& line : result.trace) std::printf("  %s\n", line.c_str());
}

/// Repeats the failure with as few faults as possible.
void explain(const Arguments& args, std::uint64_t seed) {
  const RunOptions options = options_of(seed, args.only, 0);
  const RunResult failed = simulate(options);
  const std::vector<Hit> needed =
      shrink(options, failed, static_cast<std::uint32_t>(args.shrink_runs));
  const RunResult shortest = simulate(options_of(seed, needed, args.trace));
  const Violation& violation = shortest.violation ? *shortest.violation : *failed.violation;
  std::printf("\nseed %llu violates: %s\n  %s\n", static_cast<unsigned long long>(seed),
              violation.invariant.c_str(), violation.text.c_str());
  std::printf("  with %zu of its %zu faults: %s\n", needed.size(), failed.hits.size(),
              to_text(needed).c_str());
  std::printf("  again: opencode-orchestrator simulate --seed %llu --runs 1 --only \"%s\"\n",
              static_cast<unsigned long long>(seed), to_text(needed).c_str());
  print_trace(shortest);
}

void print_text(const Arguments& args, const Totals& totals, double seconds) {
  std::printf(
      "%llu runs from seed %llu: %llu missions (%llu sealed), %llu processes, %llu messages, "
      "%llu calls to the disk, %llu faults, %llu virtual hours\n",
      static_cast<unsigned long long>(totals.runs), static_cast<unsigned long long>(args.seed),
      static_cast<unsigned long long>(totals.missions),
      static_cast<unsigned long long>(totals.sealed),
      static_cast<unsigned long long>(totals.processes),
      static_cast<unsigned long long>(totals.messages),
      static_cast<unsigned long long>(totals.disk_calls),
      static_cast<unsigned long long>(totals.faults),
      static_cast<unsigned long long>(totals.virtual_s / 3600));
  std::printf(
      "%llu missions in worktrees: %llu worktrees, %llu races, %llu merges, %llu conflicts; "
      "%llu processes crashed or ended\n",
      static_cast<unsigned long long>(totals.in_worktrees),
      static_cast<unsigned long long>(totals.worktrees),
      static_cast<unsigned long long>(totals.races), static_cast<unsigned long long>(totals.merges),
      static_cast<unsigned long long>(totals.conflicts),
      static_cast<unsigned long long>(totals.deaths));
  std::printf("%.1f s with %llu jobs: %.0f missions per second; all traces: %016llx\n", seconds,
              static_cast<unsigned long long>(args.jobs),
              static_cast<double>(totals.missions) / seconds,
              static_cast<unsigned long long>(totals.hash));
  std::printf("%llu violations\n", static_cast<unsigned long long>(totals.violations));
}

void print_json(const Arguments& args, const Totals& totals, const std::vector<Failure>& failures,
                double seconds) {
  std::printf(
      "{\"seed\":%llu,\"runs\":%llu,\"jobs\":%llu,\"missions\":%llu,\"sealed\":%llu,"
      "\"processes\":%llu,\"messages\":%llu,\"disk_calls\":%llu,\"faults\":%llu,"
      "\"in_worktrees\":%llu,\"worktrees\":%llu,\"races\":%llu,\"merges\":%llu,"
      "\"conflicts\":%llu,\"deaths\":%llu,"
      "\"virtual_s\":%llu,\"seconds\":%.3f,\"missions_per_s\":%.1f,\"trace\":\"%016llx\","
      "\"violations\":%llu,\"failures\":[",
      static_cast<unsigned long long>(args.seed), static_cast<unsigned long long>(totals.runs),
      static_cast<unsigned long long>(args.jobs), static_cast<unsigned long long>(totals.missions),
      static_cast<unsigned long long>(totals.sealed),
      static_cast<unsigned long long>(totals.processes),
      static_cast<unsigned long long>(totals.messages),
      static_cast<unsigned long long>(totals.disk_calls),
      static_cast<unsigned long long>(totals.faults),
      static_cast<unsigned long long>(totals.in_worktrees),
      static_cast<unsigned long long>(totals.worktrees),
      static_cast<unsigned long long>(totals.races), static_cast<unsigned long long>(totals.merges),
      static_cast<unsigned long long>(totals.conflicts),
      static_cast<unsigned long long>(totals.deaths),
      static_cast<unsigned long long>(totals.virtual_s), seconds,
      static_cast<double>(totals.missions) / seconds, static_cast<unsigned long long>(totals.hash),
      static_cast<unsigned long long>(totals.violations));
  for (std::size_t i = 0; i < failures.size(); ++i) {
    std::printf("%s{\"seed\":%llu,\"invariant\":\"%s\"}", i == 0 ? "" : ",",
                static_cast<unsigned long long>(failures[i].seed), failures[i].invariant);
  }
  std::printf("],\"hits\":{");
  for (std::size_t i = 0; i < kFaults; ++i) {
    std::printf("%s\"%s\":%llu", i == 0 ? "" : ",",
                std::string(name_of(static_cast<Fault>(i))).c_str(),
                static_cast<unsigned long long>(totals.hits[i]));
  }
  std::printf("}}\n");
}

/// Memory of this process without the simulated disk's content.
std::uint64_t memory_bytes(const Sample& sample) {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t pages = 0;
  std::uint64_t resident = 0;
  statm >> pages >> resident;
  const std::uint64_t bytes = resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return bytes > sample.disk_bytes ? bytes - sample.disk_bytes : 0;
}

/// The maxima of one day.
struct Day {
  std::uint64_t events = 0;
  std::uint64_t snapshot_bytes = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t memory_bytes = 0;
};

int run_week(const Arguments& args) {
  constexpr std::size_t kDays = 7;
  constexpr std::uint64_t kDayMs = 24ULL * 3'600'000;
  const auto start = std::chrono::steady_clock::now();
  std::array<Day, kDays> days{};
  RunOptions options;
  options.seed = args.seed;
  options.endless_hours = 24 * kDays;
  options.sampled = [&](const Sample& sample) {
    Day& day = days[std::min<std::size_t>((sample.virtual_ms - 1) / kDayMs, kDays - 1)];
    day.events = sample.events;
    day.log_bytes = std::max(day.log_bytes, sample.log_bytes);
    day.snapshot_bytes = std::max(day.snapshot_bytes, sample.snapshot_bytes);
    day.memory_bytes = std::max(day.memory_bytes, memory_bytes(sample));
  };
  const RunResult result = simulate(options);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const Day& first = days[1];  // the first day includes the start
  const Day& last = days[kDays - 1];
  const bool flat = last.snapshot_bytes <= first.snapshot_bytes * 5 / 4 &&
                    last.memory_bytes <= first.memory_bytes * 11 / 10 + (1U << 20U);
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  if (args.json) {
    std::printf(
        "{\"seed\":%llu,\"events\":%llu,\"processes\":%u,\"seconds\":%.1f,\"flat\":%s,"
        "\"violations\":%d,\"days\":[",
        number(args.seed), number(last.events), result.processes, took.count(),
        flat ? "true" : "false", result.violation ? 1 : 0);
  }
  for (std::size_t i = 0; i < kDays; ++i) {
    const Day& day = days[i];
    if (args.json) {
      std::printf(
          "%s{\"events\":%llu,\"snapshot_bytes\":%llu,\"log_bytes\":%llu,"
          "\"memory_bytes\":%llu}",
          i > 0 ? "," : "", number(day.events), number(day.snapshot_bytes), number(day.log_bytes),
          number(day.memory_bytes));
    } else {
      std::printf(
          "by day %zu: %llu events, snapshot %llu bytes, log %llu bytes, memory %llu bytes\n",
          i + 1, number(day.events), number(day.snapshot_bytes), number(day.log_bytes),
          number(day.memory_bytes));
    }
  }
  if (args.json) {
    std::printf("]}\n");
  } else {
    std::printf("%u processes, %.1f s; snapshot and memory are %s\n", result.processes,
                took.count(), flat ? "flat" : "NOT flat");
    if (result.violation) {
      std::printf("violates: %s\n  %s\n", result.violation->invariant.c_str(),
                  result.violation->text.c_str());
    }
  }
  return flat && !result.violation ? 0 : 1;
}

int run(const Arguments& args) {
  const auto start = std::chrono::steady_clock::now();
  Totals totals;
  std::vector<Failure> failures;
  const bool whole = run_jobs(args, totals, failures);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  if (args.json) {
    print_json(args, totals, failures, took.count());
  } else {
    if (args.runs == 1 && totals.violations == 0)
      print_trace(simulate(options_of(args.seed, args.only, args.trace)));
    print_text(args, totals, took.count());
    for (std::size_t i = 0; i < failures.size() && i < kFailuresShown; ++i)
      explain(args, failures[i].seed);
  }
  if (!whole) std::fprintf(stderr, "simulate: a job died; its seeds: run again with --jobs 1\n");
  return totals.violations == 0 && whole ? 0 : 1;
}

}  // namespace
}  // namespace orchestrator::sim

int main(int argc, char** argv) {
  using namespace orchestrator::sim;
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    std::fputs(kUsage, stdout);
    return 0;
  }
  Arguments args;
  const std::string wrong = read_arguments(argc, argv, args);
  if (wrong.empty()) return args.week ? run_week(args) : run(args);
  std::fprintf(stderr, "simulate: %s\n\n%s", wrong.c_str(), kUsage);
  return 2;
}
