// The directory of the tests' addon: every message comes back as it is, and some ask for more.

#include <stdexcept>
#include <string_view>

#include "node/factory.h"

namespace orchestrator::node {
namespace {

class Echo final : public engine::Directory {
 public:
  void on_messages(std::span<const std::string> batch, engine::Outbox& outbox) override {
    for (const std::string& message : batch) {
      const std::string_view text = message;
      if (text.starts_with("\"watch:")) outbox.watch_session(argument(text));
      if (text.starts_with("\"unwatch:")) outbox.unwatch_session(argument(text));
      if (text.starts_with("\"say:")) outbox.set_session_info(argument(text), "{\"ü\":\"🦊\"}");
      if (text.starts_with("\"timer:")) outbox.start_timer(1, std::stoull(argument(text)));
      if (text.starts_with("\"throw:")) throw std::runtime_error(argument(text));
      outbox.send(message);
    }
  }
  void on_timer(uint64_t, engine::Outbox& outbox) override { outbox.send("\"timer\""); }
  void on_bound(engine::Outbox& outbox) override { outbox.send("\"bound\""); }

 private:
  static std::string argument(std::string_view text) {
    const size_t colon = text.find(':');
    return std::string(text.substr(colon + 1, text.size() - colon - 2));
  }
};

}  // namespace

engine::DirectoryFactory directory_factory() {
  return [](const std::string&, const std::string&, engine::Outbox&) {
    return std::make_unique<Echo>();
  };
}

}  // namespace orchestrator::node
