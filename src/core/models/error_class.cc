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

Fault by_status(std::int64_t status) {
  if (status == 429) return Fault::rate_limit;
  if (status == 503 || status == 529) return Fault::overload;
  if (status == 408 || (status >= 500 && status <= 599)) return Fault::network;
  if (status == 401 || status == 402 || status == 403 || status == 404) return Fault::refused;
  return Fault::none;
}

Fault by_words(const std::string& text) {
  // A used-up quota comes with the status or the text of a rate limit, but waiting does not help.
  if (has_any(text, kRefused)) return Fault::refused;
  if (has_any(text, kRateLimit)) return Fault::rate_limit;
  if (has_any(text, kOverload)) return Fault::overload;
  if (has_any(text, kGarbled)) return Fault::garbled;
  if (has_any(text, kNetwork)) return Fault::network;
  return Fault::none;
}

}  // namespace

Fault classify(const std::string& name, const std::string& message, std::int64_t status) {
  if (name == "ContextOverflowError") return Fault::context_overflow;
  if (name == "MessageAbortedError") return Fault::aborted;
  if (name == "MessageOutputLengthError") return Fault::output_length;
  if (name == "ProviderAuthError" || name == "ProviderModelNotFoundError") return Fault::refused;
  const std::string text = lower(message);
  const Fault said = by_words(text);
  if (said == Fault::refused && (status == 429 || status == 0 || (status >= 400 && status < 500)))
    return Fault::refused;
  if (const Fault told = by_status(status); told != Fault::none) return told;
  // Any other 4xx: the request itself is wrong, whatever the text says.
  if (status >= 400 && status < 500) return Fault::other;
  return said == Fault::none ? Fault::other : said;
}

bool is_congestion(Fault fault) { return fault == Fault::rate_limit || fault == Fault::overload; }

bool blames_model(Fault fault) {
  switch (fault) {
    case Fault::rate_limit:
    case Fault::overload:
    case Fault::network:
    case Fault::empty:
    case Fault::garbled:
    case Fault::refused:
      return true;
    case Fault::none:
    case Fault::context_overflow:
    case Fault::output_length:
    case Fault::aborted:
    case Fault::other:
      return false;
  }
  return false;
}

}  // namespace orchestrator::core
