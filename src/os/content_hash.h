#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "os/file_system.h"

namespace orchestrator::os {

/// BLAKE2b with 32 bytes of digest, as 64 lower-case hexadecimal digits. Thread-safe.
std::string content_hash(std::string_view bytes);

/// The hash of a file's bytes, read in parts. Links are followed; a directory is an error.
base::Result<std::string> content_hash_of_file(FileSystem& fs, const std::string& path);

}  // namespace orchestrator::os
