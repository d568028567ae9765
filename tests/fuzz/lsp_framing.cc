// A language server may send anything. Cut into pieces, with time passing in between, no input may
// crash the client, make it send an invalid message, or leave a check without an end.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "lsp/compare.h"
#include "lsp/framing.h"
#include "lsp/profile.h"
#include "lsp/server.h"

namespace {

using namespace orchestrator;

class Wire final : public lsp::Transport {
 public:
  explicit Wire(lsp::FrameReader& said) : said_(said) {}
  void send(std::string bytes) override {
    said_.push(bytes);
    while (const auto body = said_.next())
      ORCH_ASSERT(codec::decode_server_message(*body).kind != codec::ServerMessage::Kind::invalid);
    ORCH_ASSERT(said_.fault().empty());
  }

 private:
  lsp::FrameReader& said_;
};

class Starter final : public lsp::Launcher {
 public:
  base::Result<std::unique_ptr<lsp::Transport>> launch(std::uint64_t life) override {
    newest = life;
    said_ = lsp::FrameReader();
    return std::unique_ptr<lsp::Transport>(std::make_unique<Wire>(said_));
  }
  std::uint64_t newest = 0;

 private:
  lsp::FrameReader said_;
};

}  // namespace

/// The first bytes choose the profile; then pieces: a byte that says what, one that says how long.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto take = [&]() -> unsigned {
    if (input.empty()) return 0;
    const auto byte = static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
    return byte;
  };
  const auto languages = lsp::languages();
  const auto profiles = lsp::profiles_of(languages[take() % languages.size()].name);
  Starter starter;
  lsp::Server server(profiles.front(), "file:///p", 1, starter);
  std::uint64_t now = 1'000'000;
  std::uint64_t checks = 0;
  std::uint64_t ended = 0;
  const auto ask = [&] {
    const std::string text = "int a;\nint b;\n";
    server.check(++checks,
                 {{{"file:///p/a.c", "c", text}, "int a;\n"}, {{"file:///p/b.c", "c", text}, {}}},
                 now + 10'000, now);
  };
  const auto collect = [&] {
    for (const lsp::CheckOutcome& outcome : server.take_outcomes()) {
      ++ended;
      for (const auto& file : outcome.files) {
        if (file.now)
          (void)lsp::new_errors(*file.now, "int a;\nint b;\n",
                                file.before.value_or(lsp::Diagnostics{}), "int a;\n");
      }
    }
  };
  ask();
  while (!input.empty()) {
    const unsigned what = take();
    if (what < 8) {
      now += std::uint64_t{take()} * 100;
      server.tick(now);
    } else if (what < 12) {
      server.on_ended(starter.newest, "exit code 1", now);
    } else if (what < 16 && checks < 8) {
      ask();
    } else if (what < 20) {
      server.note_changed("file:///p/c.c");
    } else if (what < 128) {
      // A whole message with the rest of this piece as its body.
      const std::size_t length = std::min<std::size_t>(take() * 4U, input.size());
      server.on_bytes(starter.newest, lsp::frame(input.substr(0, length)), now);
      input.remove_prefix(length);
    } else {
      const std::size_t length = std::min<std::size_t>(take(), input.size());
      server.on_bytes(starter.newest, input.substr(0, length), now);
      input.remove_prefix(length);
    }
    collect();
  }
  for (int i = 0; i < 100 && ended < checks; ++i) {
    now += 1'000;
    server.tick(now);
    collect();
  }
  ORCH_ASSERT(ended == checks);
  return 0;
}
