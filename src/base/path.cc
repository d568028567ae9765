#include "base/path.h"

#include <algorithm>

namespace orchestrator::base {

std::string project_path(const std::string& path) {
  if (path.empty() || path.front() == '/' || path.front() == '~' ||
      path.find('\0') != std::string::npos || path.find('\\') != std::string::npos) {
    return "";
  }
  std::string clean;
  std::size_t start = 0;
  while (start <= path.size()) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string part = path.substr(start, end - start);
    if (part == "..") return "";
    if (!part.empty() && part != ".") clean += (clean.empty() ? "" : "/") + part;
    start = end + 1;
  }
  return clean.empty() ? "**" : clean;
}

}  // namespace orchestrator::base
