#include "runtime/project/unsynced.h"

#include <algorithm>
#include <variant>

namespace orchestrator::runtime {
namespace {

/// Events of the host that are kept during an outage; further ones are dropped.
constexpr std::size_t kFactsMax = 10'000;

}  // namespace

const RequestId* waiting_request(const Happening& happening) {
  return std::visit(
      [](const auto& event) -> const RequestId* {
        using Told = std::remove_cvref_t<decltype(event)>;
        if constexpr (std::is_same_v<Told, CallAborted>) {
          return nullptr;  // its request does not wait any more
        } else if constexpr (requires { event.request; }) {
          return event.request.empty() ? nullptr : &event.request;
        } else {
          return nullptr;
        }
      },
      happening);
}

void Unsynced::note(const Happening& happening) {
  if (const RequestId* request = waiting_request(happening)) {
    requests_.push_back(*request);
  } else if (!std::holds_alternative<FileWritten>(happening) && facts_.size() < kFactsMax) {
    facts_.push_back(happening);  // a permission to write goes to the request that asked for it
  }
}

void Unsynced::clear() {
  requests_.clear();
  facts_.clear();
}

bool Unsynced::holds(const RequestId& request) const {
  return std::ranges::find(requests_, request) != requests_.end();
}

}  // namespace orchestrator::runtime
