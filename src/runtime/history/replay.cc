#include "runtime/history/replay.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <variant>

#include "orchestrator/step.h"
#include "os/content_hash.h"
#include "runtime/history/receipt_chain.h"
#include "store/wal_format.h"

namespace orchestrator::runtime {
namespace {

constexpr std::string_view kSuffix = ".wal";
constexpr std::size_t kSeqDigits = 12;

bool is_number(std::string_view text) {
  return text.size() >= kSeqDigits && text.size() < 20 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// `<mission>.<first seq>` or `<mission>`, without the suffix.
std::string_view stem_of(std::string_view file_name) {
  if (!file_name.ends_with(kSuffix)) return {};
  return file_name.substr(0, file_name.size() - kSuffix.size());
}

void damaged(SegmentEnd& end, const store::WalRecord& record, std::string reason) {
  end.kind = SegmentEnd::Kind::damaged;
  end.damage = store::WalDamage{record.offset, std::move(reason), record.offset};
}

}  // namespace

std::string state_hash(const State& state, std::uint32_t version) {
  return os::content_hash(codec::encode_state(state, version));
}

std::string log_path(const std::string& directory, const std::string& mission) {
  return directory + "/" + mission + std::string(kSuffix);
}

std::string archived_log_path(const std::string& directory, const std::string& mission,
                              std::uint64_t first_seq) {
  std::array<char, 32> number{};
  std::snprintf(number.data(), number.size(), "%012llu",
                static_cast<unsigned long long>(first_seq));
  return directory + "/" + mission + "." + number.data() + std::string(kSuffix);
}

std::string mission_of_log(const std::string& file_name) {
  std::string_view stem = stem_of(file_name);
  const std::size_t dot = stem.rfind('.');
  if (dot != std::string_view::npos && is_number(stem.substr(dot + 1))) stem = stem.substr(0, dot);
  return std::string(stem);
}

std::vector<LogFile> log_files(os::FileSystem& fs, const std::string& directory,
                               const std::string& mission) {
  std::vector<LogFile> files;
  const auto entries = fs.list(directory);
  if (!entries.ok()) return files;
  for (const os::DirectoryEntry& entry : entries.value()) {
    if (entry.kind != os::FileInfo::Kind::file || mission_of_log(entry.name) != mission) continue;
    const std::string_view number = stem_of(entry.name).substr(mission.size());
    LogFile file{directory + "/" + entry.name, 0, number.empty()};
    if (!file.growing)
      file.first_seq = std::strtoull(std::string(number.substr(1)).c_str(), nullptr, 10);
    files.push_back(std::move(file));
  }
  std::ranges::sort(files, [](const LogFile& a, const LogFile& b) {
    return std::pair(a.growing, a.first_seq) < std::pair(b.growing, b.first_seq);
  });
  return files;
}

SegmentEnd Replay::read(os::FileSystem& fs, const std::string& path) {
  const auto bytes = fs.read(path, store::kWalFileBytesMax);
  if (bytes.ok()) return read_bytes(bytes.value(), path);
  SegmentEnd end;
  end.kind = SegmentEnd::Kind::unreadable;
  end.error = bytes.error();
  return end;
}

SegmentEnd Replay::read_bytes(std::string_view bytes, const std::string& path) {
  SegmentEnd end;
  path_ = path;
  version_ = store::wal_version_of(bytes);
  const auto scan = store::scan_wal_bytes(
      bytes, path, [&](const store::WalRecord& record) { return take(record, end); }, {});
  if (!scan.ok()) {
    end.error = scan.error();
    end.kind = store::wal_is_newer(bytes) ? SegmentEnd::Kind::newer : SegmentEnd::Kind::damaged;
    if (end.kind == SegmentEnd::Kind::damaged)
      end.damage = store::WalDamage{0, scan.error().what, std::nullopt};
    return end;
  }
  end.scan = scan.value();
  if (end.scan.damage && end.kind == SegmentEnd::Kind::whole) {
    end.kind = SegmentEnd::Kind::damaged;
    end.damage = end.scan.damage;
  }
  return end;
}

bool Replay::take(const store::WalRecord& record, SegmentEnd& end) {
  if (record.seq > until_) {
    end.kind = SegmentEnd::Kind::stopped;
    return false;
  }
  switch (record.kind) {
    case store::WalKind::event:
      return take_event(record, end);
    case store::WalKind::mark:
      return take_mark(record, end);
    case store::WalKind::checkpoint:
      return take_checkpoint(record, end);
  }
  return false;
}

bool Replay::take_event(const store::WalRecord& record, SegmentEnd& end) {
  const auto count = [&] {
    if (end.first_event_seq == 0) end.first_event_seq = record.seq;
    end.last_event_seq = record.seq;
  };
  if (!known_ && record.seq == 1) known_ = true;  // a mission's first event makes its state
  if (known_ && record.seq <= state_.last_seq) {
    count();
    return true;
  }
  if (!known_ || record.seq != state_.last_seq + 1) {
    count();  // the rest is not looked at
    end.kind = SegmentEnd::Kind::gap;
    return false;
  }
  std::string error;
  if (!codec::decode_event_record(record.payload, version_, logged_, &error)) {
    damaged(end, record, "event " + std::to_string(record.seq) + " cannot be read: " + error);
    return false;
  }
  if (logged_.event.seq != record.seq) {
    damaged(end, record,
            "event " + std::to_string(record.seq) + " says that it is event " +
                std::to_string(logged_.event.seq));
    return false;
  }
  count();
  if (check_receipts_) take_receipt(record);
  const Effects effects = step(state_, logged_.event);
  ++events_;
  if (logged_.has_witness) {
    ++witnesses_;
    if (step_digest(state_, effects) != logged_.witness)
      differ(record, "event " + std::to_string(record.seq) + " (" + type_of(logged_.event.what) +
                         ") leads to another state than when it was logged");
  }
  if (watch_ && !watch_(logged_, effects)) {
    end.kind = SegmentEnd::Kind::stopped;
    return false;
  }
  return true;
}

/// Before its step: `state_` holds the end of the chain so far.
void Replay::take_receipt(const store::WalRecord& record) {
  const auto* ran = std::get_if<CommandRan>(&logged_.event.what);
  if (ran == nullptr) return;
  const std::string why = why_not_next_link(state_, *ran, logged_.event.at_ms);
  if (!why.empty()) {
    differ(record, why);
  } else if (!ran->chain_hash.empty()) {
    ++receipts_;
  }
}

bool Replay::take_mark(const store::WalRecord& record, SegmentEnd& end) {
  codec::StateMark mark;
  std::string error;
  if (!codec::decode_mark(record.payload, mark, &error)) {
    damaged(end, record,
            "the mark after event " + std::to_string(record.seq) + " cannot be read: " + error);
    return false;
  }
  engine_ = mark.engine;
  if (!known_ || state_.last_seq != record.seq) return true;
  if (!proves_states()) return true;
  ++marks_;
  if (state_hash(state_, version_) != mark.hash)
    differ(record, "the state after event " + std::to_string(record.seq) +
                       " has another hash than when it was logged");
  return true;
}

bool Replay::take_checkpoint(const store::WalRecord& record, SegmentEnd& end) {
  end.checkpoint_seq = record.seq;
  if (known_ && record.seq < state_.last_seq) return true;
  if (known_ && record.seq == state_.last_seq) {
    if (!proves_states()) return true;
    ++marks_;
    if (codec::encode_state(state_, version_) != record.payload)
      differ(record, "the state after event " + std::to_string(record.seq) +
                         " is not the one that the checkpoint holds");
    return true;
  }
  State state;
  std::string error;
  if (!codec::decode_state(record.payload, version_, state, &error) ||
      state.last_seq != record.seq) {
    damaged(end, record,
            "the checkpoint after event " + std::to_string(record.seq) +
                " cannot be read: " + (error.empty() ? "it is of another event" : error));
    return false;
  }
  if (known_) skipped_ += record.seq - state_.last_seq;
  state_ = std::move(state);
  known_ = true;
  return true;
}

void Replay::differ(const store::WalRecord& record, std::string what) {
  if (!divergence_)
    divergence_ = Divergence{path_, record.offset, record.seq, std::move(what), engine_};
}

}  // namespace orchestrator::runtime
