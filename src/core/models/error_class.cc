#include "core/models/error_class.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace orchestrator::core {
namespace {

// Not std::tolower: its answer depends on the process's locale.
std::string lower(const std::string& text) {
  std::string out = text;
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

template <std::size_t N>
bool has_any(const std::string& text, const std::array<std::string_view, N>& words) {
  return std::ranges::any_of(
      words, [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

constexpr auto kRateLimit = std::to_array<std::string_view>(
    {"rate limit", "rate_limit", "rate-limit", "rate increased", "too many requests",
     "too_many_requests", "usage limit", "free limit", "resource_exhausted", "resource exhausted",
     "tokens per minute", "requests per minute"});
constexpr auto kOverload = std::to_array<std::string_view>(
    {"overload", "unavailable", "exhausted", "at capacity", "no capacity"});
constexpr auto kNetwork =
    std::to_array<std::string_view>({"econnreset",       "econnrefused",
                                     "etimedout",        "enotfound",
                                     "eai_again",        "epipe",
                                     "socket",           "connection",
                                     "network",          "fetch failed",
                                     "failed to fetch",  "terminated",
                                     "timed out",        "timeout",
                                     "stream",           "reset before headers",
                                     "upstream connect", "getaddrinfo",
                                     "premature close",  "unable to connect",
                                     "cannot connect",   "internal server error",
                                     "internal error",   "server error",
                                     "server_error",     "bad gateway",
                                     "gateway time"});
constexpr auto kGarbled = std::to_array<std::string_view>(
    {"json parsing", "json parse", "parse error", "unexpected token", "invalid json",
     "type validation failed", "invalid response data"});
constexpr auto kRefused = std::to_array<std::string_view>(
    {"api key", "api_key", "unauthorized", "authentication", "forbidden", "permission denied",
     "billing", "insufficient_quota", "insufficient quota", "insufficient balance",
     "credit balance", "payment required", "model not found", "does not exist", "no such model"});

ErrorClass by_status(std::int64_t status) {
  if (status == 429) return ErrorClass::rate_limit;
  if (status == 503 || status == 529) return ErrorClass::overload;
  if (status == 408 || (status >= 500 && status <= 599)) return ErrorClass::network;
  if (status == 401 || status == 402 || status == 403 || status == 404) return ErrorClass::refused;
  return ErrorClass::none;
}

ErrorClass by_words(const std::string& text) {
  // A used-up quota comes with the status or the text of a rate limit, but waiting does not help.
  if (has_any(text, kRefused)) return ErrorClass::refused;
  if (has_any(text, kRateLimit)) return ErrorClass::rate_limit;
  if (has_any(text, kOverload)) return ErrorClass::overload;
  if (has_any(text, kGarbled)) return ErrorClass::garbled;
  if (has_any(text, kNetwork)) return ErrorClass::network;
  return ErrorClass::none;
}

}  // namespace

ErrorClass classify(const std::string& name, const std::string& message, std::int64_t status) {
  if (name == "ContextOverflowError") return ErrorClass::context_overflow;
  if (name == "MessageAbortedError") return ErrorClass::aborted;
  if (name == "MessageOutputLengthError") return ErrorClass::output_length;
  if (name == "ProviderAuthError" || name == "ProviderModelNotFoundError")
    return ErrorClass::refused;
  const std::string text = lower(message);
  const ErrorClass said = by_words(text);
  if (said == ErrorClass::refused &&
      (status == 429 || status == 0 || (status >= 400 && status < 500)))
    return ErrorClass::refused;
  if (const ErrorClass told = by_status(status); told != ErrorClass::none) return told;
  // Any other 4xx: the request itself is wrong, whatever the text says.
  if (status >= 400 && status < 500) return ErrorClass::other;
  return said == ErrorClass::none ? ErrorClass::other : said;
}

bool is_congestion(ErrorClass error_class) {
  return error_class == ErrorClass::rate_limit || error_class == ErrorClass::overload;
}

bool blames_model(ErrorClass error_class) {
  switch (error_class) {
    case ErrorClass::rate_limit:
    case ErrorClass::overload:
    case ErrorClass::network:
    case ErrorClass::empty:
    case ErrorClass::garbled:
    case ErrorClass::refused:
      return true;
    case ErrorClass::none:
    case ErrorClass::context_overflow:
    case ErrorClass::output_length:
    case ErrorClass::aborted:
    case ErrorClass::other:
      return false;
  }
  return false;
}

}  // namespace orchestrator::core
