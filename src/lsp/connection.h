#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "codec/language_server.h"
#include "lsp/framing.h"
#include "lsp/profile.h"

namespace orchestrator::lsp {

struct Document {
  std::string uri;
  std::string language;  ///< `languageId`
  std::string text;
};

/// The protocol with one server process, from start to exit. No I/O, no clock: bytes and times come
/// in, bytes go out through `send`. Times are milliseconds of one clock that does not run
/// backwards.
///
/// Diagnostics come in one of three ways, by what the server offers: pulled
/// (`textDocument/diagnostic`), asked of tsserver through typescript-language-server, or published
/// by the server when it likes. Of the last, those count that name our version; those that name
/// none count from the moment on at which the server has answered a request sent right before the
/// text.
class Connection {
 public:
  using Send = std::function<void(std::string bytes)>;

  Connection(Profile profile, std::string root_uri, std::int64_t our_process, Send send);

  /// Sends `initialize`.
  void start(std::uint64_t now_ms);
  void take(std::string_view bytes, std::uint64_t now_ms);
  /// Handles what is due at this time.
  void tick(std::uint64_t now_ms);
  /// Time of the next tick(); none: not before the next input.
  [[nodiscard]] std::optional<std::uint64_t> wake_ms() const;

  [[nodiscard]] bool ready() const { return state_ == State::ready; }
  /// Why the connection failed, and the process must be ended; empty: it is sound.
  [[nodiscard]] const std::string& fault() const { return fault_; }
  /// After shut_down(): the server was asked to exit.
  [[nodiscard]] bool told_to_exit() const { return state_ == State::exited; }

  /// Asks for the diagnostics of these texts; needs ready(). A document that is open gets its new
  /// text; what was asked before and is not answered is cancelled.
  void diagnose(const std::vector<Document>& documents, std::uint64_t now_ms);
  /// Whether all that was asked for is answered.
  [[nodiscard]] bool done(std::uint64_t now_ms) const;
  /// The server's last refusal of a question; empty: none.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }
  /// What was answered, in the order of `documents`; none: not answered.
  [[nodiscard]] std::vector<std::optional<std::vector<codec::ServerDiagnostic>>> answers() const;
  /// Closes every document, and cancels what is not answered.
  void close_documents();
  /// Files changed on disk that are not open.
  void tell_changed(const std::vector<std::string>& uris);
  /// Sends `shutdown`, and `exit` when that is answered.
  void shut_down(std::uint64_t now_ms);

 private:
  using Message = codec::ServerMessage;
  using Found = std::vector<codec::ServerDiagnostic>;
  enum class State { fresh, starting, ready, stopping, exited };
  enum class Way { published, pulled, tsserver };
  /// What is asked about one document.
  struct Question {
    std::string uri;
    std::int64_t version = 0;
    std::map<std::uint64_t, bool> requests;  ///< id -> answered
    std::optional<Found> found;
    bool refused = false;                   ///< there will be no answer
    std::optional<std::uint64_t> again_ms;  ///< when the question is repeated
  };

  void say(std::string_view body);
  void fail(std::string why);
  void on_message(const Message& message, std::uint64_t now_ms);
  void on_response(const Message& message, std::uint64_t now_ms);
  void on_request(const Message& message);
  void on_published(const Message& message, std::uint64_t now_ms);
  void ask(Question& question);
  void cancel_questions();
  [[nodiscard]] Question* find(const std::string& uri);

  const Profile profile_;
  const std::string root_uri_;
  const std::int64_t our_process_;
  const Send send_;
  FrameReader reader_;
  State state_ = State::fresh;
  Way way_ = Way::published;
  std::string fault_;
  std::uint64_t next_id_ = 1;
  std::uint64_t initialize_ = 0;
  std::uint64_t shutdown_ = 0;
  std::uint64_t barrier_ = 0;  ///< id of the request that is awaited; 0: none
  std::uint64_t deadline_ms_ = 0;
  std::int64_t version_ = 0;     ///< the newest; one count for all documents
  std::set<std::string> open_;   ///< uris
  bool names_versions_ = false;  ///< what it publishes names a version
  std::vector<Question> questions_;
  std::uint64_t heard_ms_ = 0;  ///< when it last published what counts
  std::uint32_t invalid_ = 0;   ///< count of invalid messages
  std::string refusal_;
};

}  // namespace orchestrator::lsp
