#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/log_record.h"
#include "orchestrator/effect.h"
#include "orchestrator/mission.h"
#include "os/file_system.h"
#include "store/wal_reader.h"

namespace orchestrator::runtime {

/// BLAKE2b of the state's canonical bytes in a log of this version, 64 hexadecimal digits.
[[nodiscard]] std::string state_hash(const State& state,
                                     std::uint32_t version = codec::kStateVersion);

/// One segment of a mission's log. `<mission>.wal` is the one that grows; those that it has
/// outgrown have the number of their first event in their name.
struct LogFile {
  std::string path;
  std::uint64_t first_seq = 0;  ///< as its name says; of the growing one: not known
  bool growing = false;
};
/// All of them, oldest first. A directory that is not there holds none.
[[nodiscard]] std::vector<LogFile> log_files(os::FileSystem& fs, const std::string& directory,
                                             const std::string& mission);
[[nodiscard]] std::string log_path(const std::string& directory, const std::string& mission);
[[nodiscard]] std::string archived_log_path(const std::string& directory,
                                            const std::string& mission, std::uint64_t first_seq);
/// The mission that a segment's file name speaks of; empty: the name is no segment's.
[[nodiscard]] std::string mission_of_log(const std::string& file_name);

/// Where replay and the log disagree about what an event has come to.
struct Divergence {
  std::string path;
  std::uint64_t offset = 0;
  std::uint64_t seq = 0;
  std::string what;    ///< a sentence for people
  std::string engine;  ///< the version that wrote it, where that is known
};

/// What reading one segment has come to.
struct SegmentEnd {
  enum class Kind {
    whole,       ///< read to its end; a torn tail counts as the end
    stopped,     ///< at the limit, or because the caller has said so
    gap,         ///< events before it are missing
    damaged,     ///< unusable from `damage` on
    newer,       ///< of a format that only a later program knows
    unreadable,  ///< the disk does not give it
  };
  Kind kind = Kind::whole;
  store::WalScan scan;
  std::optional<store::WalDamage> damage;
  std::uint64_t checkpoint_seq = 0;   ///< of its checkpoint; 0: it has none
  std::uint64_t first_event_seq = 0;  ///< 0: it holds no event
  std::uint64_t last_event_seq = 0;   ///< of the last sound one
  base::Error error;                  ///< newer, unreadable
};

/// Leads a state through the records of a log, and compares on the way. Any thread.
class Replay {
 public:
  /// Called after each event. False: stop behind it.
  using Watch = std::function<bool(const codec::LoggedEvent& logged, const Effects& effects)>;

  /// From nothing: the log must begin with the mission, or with a checkpoint.
  Replay() = default;
  /// From a snapshot: what it holds already is passed over.
  explicit Replay(State start) : state_(std::move(start)), known_(true) {}

  void watch(Watch watch) { watch_ = std::move(watch); }
  /// Nothing behind this event is looked at.
  void stop_after(std::uint64_t seq) { until_ = seq; }
  /// Receipts that are no chain count as a divergence (receipt_chain.h).
  void check_receipts() { check_receipts_ = true; }

  SegmentEnd read(os::FileSystem& fs, const std::string& path);
  SegmentEnd read_bytes(std::string_view bytes, const std::string& path);

  /// False: no record has brought a state yet.
  [[nodiscard]] bool known() const { return known_; }
  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] State take_state() { return std::move(state_); }
  /// The first one.
  [[nodiscard]] const std::optional<Divergence>& divergence() const { return divergence_; }
  [[nodiscard]] std::uint64_t events() const { return events_; }
  [[nodiscard]] std::uint64_t witnesses() const { return witnesses_; }
  [[nodiscard]] std::uint64_t marks() const { return marks_; }
  /// Receipts that were checked and are links of the chain.
  [[nodiscard]] std::uint64_t receipts() const { return receipts_; }
  /// Events that a checkpoint stood for, because the log does not hold them.
  [[nodiscard]] std::uint64_t skipped() const { return skipped_; }
  [[nodiscard]] const std::string& engine() const { return engine_; }

 private:
  bool take(const store::WalRecord& record, SegmentEnd& end);
  bool take_event(const store::WalRecord& record, SegmentEnd& end);
  void take_receipt(const store::WalRecord& record);
  bool take_mark(const store::WalRecord& record, SegmentEnd& end);
  bool take_checkpoint(const store::WalRecord& record, SegmentEnd& end);
  void differ(const store::WalRecord& record, std::string what);

  State state_;
  bool known_ = false;
  Watch watch_;
  std::uint64_t until_ = std::numeric_limits<std::uint64_t>::max();
  std::string path_;
  /// Logs of older versions were written by programs with other texts of prompts, which states
  /// hold: the digests of their steps are compared, the hashes of their states are not.
  [[nodiscard]] bool proves_states() const { return version_ >= codec::kStateVersion; }

  std::uint32_t version_ = 0;
  codec::LoggedEvent logged_;
  std::optional<Divergence> divergence_;
  std::uint64_t events_ = 0;
  std::uint64_t witnesses_ = 0;
  std::uint64_t marks_ = 0;
  bool check_receipts_ = false;
  std::uint64_t receipts_ = 0;
  std::uint64_t skipped_ = 0;
  std::string engine_;
};

}  // namespace orchestrator::runtime
