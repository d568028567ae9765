#include "runtime/project/sync.h"

namespace orchestrator::runtime {

bool Sync::run() {
  const auto synced = mission_.store.sync();
  if (synced.ok()) {
    unsynced_.clear();
    return true;
  }
  failure_ = synced.error();
  return false;
}

std::vector<Happening> Sync::drop(const std::string& why) {
  emit_.drop([&](const RequestId& request) { return !unsynced_.holds(request); });
  for (const RequestId& request : unsynced_.take_requests()) emit_.add(Reply{request, false, why});
  return unsynced_.take_facts();
}

}  // namespace orchestrator::runtime
