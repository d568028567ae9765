#include "lsp/connection.h"

#include <algorithm>
#include <utility>

namespace orchestrator::lsp {
namespace {

/// Time limit for the answer to `initialize`; large projects need several seconds.
constexpr std::uint64_t kInitializeMs = 60'000;
constexpr std::uint64_t kShutDownMs = 2'000;
/// Delay before a question is repeated that the server refused because it still reads the project.
constexpr std::uint64_t kAgainMs = 250;
/// After this many invalid messages the process is not a language server.
constexpr std::uint32_t kInvalidMax = 20;
constexpr const char* kBarrier = "$/orchestrator/barrier";

/// Normalises a URI from a server: servers escape more or fewer characters than we do.
std::string unescaped(const std::string& uri) {
  std::string plain;
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  for (std::size_t i = 0; i < uri.size(); ++i) {
    const int high = uri[i] == '%' && i + 2 < uri.size() ? digit(uri[i + 1]) : -1;
    const int low = high >= 0 ? digit(uri[i + 2]) : -1;
    if (low < 0) {
      plain += uri[i];
    } else {
      plain += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return plain;
}

}  // namespace

Connection::Connection(Profile profile, std::string root_uri, std::int64_t our_process, Send send)
    : profile_(std::move(profile)),
      root_uri_(std::move(root_uri)),
      our_process_(our_process),
      send_(std::move(send)) {}

void Connection::say(std::string_view body) { send_(frame(body)); }

void Connection::fail(std::string why) {
  if (fault_.empty()) fault_ = std::move(why);
}

void Connection::start(std::uint64_t now_ms) {
  state_ = State::starting;
  initialize_ = next_id_++;
  deadline_ms_ = now_ms + kInitializeMs;
  say(codec::initialize_request(initialize_, root_uri_, our_process_,
                                std::string(profile_.settings)));
}

void Connection::take(std::string_view bytes, std::uint64_t now_ms) {
  if (!fault_.empty() || state_ == State::exited) return;
  reader_.push(bytes);
  while (const auto body = reader_.next()) {
    on_message(codec::decode_server_message(*body), now_ms);
    if (!fault_.empty() || state_ == State::exited) return;
  }
  if (!reader_.fault().empty()) fail("it sent what is no message: " + reader_.fault());
}

void Connection::tick(std::uint64_t now_ms) {
  if (state_ == State::starting && now_ms >= deadline_ms_) {
    fail("it did not answer `initialize` within " + std::to_string(kInitializeMs / 1000) + " s");
  }
  if (state_ == State::stopping && now_ms >= deadline_ms_) {
    say(codec::plain_message(0, "exit"));
    state_ = State::exited;
  }
  for (Question& question : questions_) {
    if (!question.again_ms || now_ms < *question.again_ms) continue;
    question.again_ms.reset();
    ask(question);
  }
}

std::optional<std::uint64_t> Connection::wake_ms() const {
  if (!fault_.empty()) return std::nullopt;
  if (state_ == State::starting || state_ == State::stopping) return deadline_ms_;
  std::optional<std::uint64_t> again;
  for (const Question& question : questions_) {
    if (question.again_ms && (!again || *question.again_ms < *again)) again = question.again_ms;
  }
  if (again) return again;
  const bool settling = state_ == State::ready && way_ == Way::published && !questions_.empty() &&
                        std::ranges::all_of(questions_, [](const Question& question) {
                          return question.found.has_value();
                        });
  if (settling) return heard_ms_ + profile_.settle_ms;
  return std::nullopt;
}

void Connection::on_message(const Message& message, std::uint64_t now_ms) {
  switch (message.kind) {
    case Message::Kind::invalid:
      if (++invalid_ > kInvalidMax) fail("it sent what is no message: " + message.problem);
      return;
    case Message::Kind::response:
      return on_response(message, now_ms);
    case Message::Kind::request:
      return on_request(message);
    case Message::Kind::notification:
      if (message.method == "textDocument/publishDiagnostics") on_published(message, now_ms);
      return;
  }
}

void Connection::on_response(const Message& message, std::uint64_t now_ms) {
  if (message.id == 0) return;
  if (message.id == initialize_ && state_ == State::starting) {
    if (message.failed) return fail("it did not start: " + message.error);
    way_ = message.tsserver_requests ? Way::tsserver : message.pulls ? Way::pulled : Way::published;
    state_ = State::ready;
    say(codec::initialized_notification());
    return;
  }
  if (message.id == shutdown_ && state_ == State::stopping) {
    say(codec::plain_message(0, "exit"));
    state_ = State::exited;
    return;
  }
  if (message.id == barrier_) barrier_ = 0;
  for (Question& question : questions_) {
    const auto asked = question.requests.find(message.id);
    if (asked == question.requests.end() || asked->second) continue;
    if (message.failed && message.again) {
      question.requests.erase(asked);
      question.again_ms = now_ms + kAgainMs;
      continue;
    }
    if (message.failed || !message.diagnostics) {
      question.refused = true;
      refusal_ = message.failed ? message.error : "its answer has no diagnostics";
      continue;
    }
    asked->second = true;
    heard_ms_ = now_ms;
    if (!question.found) question.found.emplace();
    question.found->insert(question.found->end(), message.diagnostics->begin(),
                           message.diagnostics->end());
  }
}

void Connection::on_request(const Message& message) {
  const std::string& method = message.method;
  if (method == "workspace/configuration") {
    say(codec::list_response(message.raw_id, message.items));
  } else if (method == "workspace/workspaceFolders" || method == "client/registerCapability" ||
             method == "client/unregisterCapability" ||
             method == "window/workDoneProgress/create" || method == "window/showMessageRequest" ||
             method == "workspace/diagnostic/refresh") {
    say(codec::null_response(message.raw_id));
  } else {
    say(codec::unknown_method_response(message.raw_id, method));
  }
}

void Connection::on_published(const Message& message, std::uint64_t now_ms) {
  Question* question = find(message.uri);
  if (question == nullptr || !message.diagnostics || way_ != Way::published) return;
  if (message.version) {
    names_versions_ = true;
    if (*message.version != question->version) return;
  } else if (barrier_ != 0) {
    return;
  }
  question->found = *message.diagnostics;
  heard_ms_ = now_ms;
}

Connection::Question* Connection::find(const std::string& uri) {
  const std::string plain = unescaped(uri);
  const auto found = std::ranges::find_if(
      questions_, [&](const Question& question) { return unescaped(question.uri) == plain; });
  return found == questions_.end() ? nullptr : &*found;
}

void Connection::cancel_questions() {
  for (const Question& question : questions_) {
    for (const auto& [id, answered] : question.requests) {
      if (!answered) say(codec::cancel_notification(id));
    }
  }
  questions_.clear();
}

void Connection::diagnose(const std::vector<Document>& documents, std::uint64_t now_ms) {
  cancel_questions();
  refusal_.clear();
  if (way_ == Way::published) {
    barrier_ = next_id_++;
    say(codec::plain_message(barrier_, kBarrier));
  }
  // A server without version numbers may publish nothing if nothing changed.
  const bool may_change = way_ != Way::published || names_versions_;
  for (const Document& document : documents) {
    const bool is_open = open_.contains(document.uri);
    const std::int64_t version = ++version_;
    if (is_open && may_change) {
      say(codec::change_notification(document.uri, version, document.text));
    } else {
      if (is_open) say(codec::close_notification(document.uri));
      say(codec::open_notification(document.uri, document.language, version, document.text));
      open_.insert(document.uri);
    }
    Question question;
    question.uri = document.uri;
    question.version = version;
    questions_.push_back(std::move(question));
  }
  // Send all texts before the first question: files of one check may import each other.
  for (Question& question : questions_) ask(question);
  heard_ms_ = now_ms;
}

void Connection::ask(Question& question) {
  const auto request = [&] {
    const std::uint64_t id = next_id_++;
    question.requests[id] = false;
    return id;
  };
  switch (way_) {
    case Way::published:
      return;
    case Way::pulled:
      return say(codec::pull_request(request(), question.uri));
    case Way::tsserver:
      for (const char* command : {"syntacticDiagnosticsSync", "semanticDiagnosticsSync"})
        say(codec::tsserver_request(request(), command, question.uri));
      return;
  }
}

bool Connection::done(std::uint64_t now_ms) const {
  const bool all = std::ranges::all_of(questions_, [](const Question& question) {
    const bool answered =
        std::ranges::all_of(question.requests, [](const auto& request) { return request.second; });
    return question.refused || (question.found.has_value() && answered && !question.again_ms);
  });
  return all && (way_ != Way::published || now_ms >= heard_ms_ + profile_.settle_ms);
}

std::vector<std::optional<Connection::Found>> Connection::answers() const {
  std::vector<std::optional<Found>> all;
  for (const Question& question : questions_) {
    const bool answered =
        std::ranges::all_of(question.requests, [](const auto& request) { return request.second; });
    const bool whole = answered && !question.refused && !question.again_ms;
    all.push_back(whole ? question.found : std::nullopt);
  }
  return all;
}

void Connection::close_documents() {
  cancel_questions();
  for (const std::string& uri : open_) say(codec::close_notification(uri));
  open_.clear();
}

void Connection::tell_changed(const std::vector<std::string>& uris) {
  if (!uris.empty()) say(codec::files_changed_notification(uris));
}

void Connection::shut_down(std::uint64_t now_ms) {
  if (state_ != State::ready) {
    state_ = State::exited;
    return;
  }
  shutdown_ = next_id_++;
  deadline_ms_ = now_ms + kShutDownMs;
  state_ = State::stopping;
  say(codec::plain_message(shutdown_, "shutdown"));
}

}  // namespace orchestrator::lsp
