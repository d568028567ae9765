// What the host's words for an error mean.
#include "core/models/error_class.h"

#include <gtest/gtest.h>

namespace orchestrator::core {
namespace {

TEST(ErrorClass, RecognisesTheHostsRealErrors) {
  struct Case {
    const char* name;
    const char* message;
    std::int64_t status;
    ErrorClass fault;
  };
  for (const Case& c : {
           Case{"APIError", "Too Many Requests: rate limit reached", 429, ErrorClass::rate_limit},
           Case{"APIError", "Rate limit reached (rehearsal)", 0, ErrorClass::rate_limit},
           Case{"APIError", "", 429, ErrorClass::rate_limit},
           Case{"APIError", "Provider is overloaded", 0, ErrorClass::overload},
           Case{"APIError", "Service Unavailable", 503, ErrorClass::overload},
           Case{"APIError", "something", 529, ErrorClass::overload},
           Case{"APIError", "Internal error (rehearsal)", 500, ErrorClass::network},
           Case{"APIError", "Bad Gateway", 502, ErrorClass::network},
           Case{"APIError", "", 408, ErrorClass::network},
           Case{"APIError", "", 500, ErrorClass::network},
           Case{"APIError", "", 599, ErrorClass::network},
           Case{"APIError", "", 600, ErrorClass::other},
           Case{"APIError", "", 499, ErrorClass::other},
           Case{"APIError", "the network is down", 400, ErrorClass::other},
           Case{"APIError", "the network is down", 500, ErrorClass::network},
           Case{"APIError", "", 503, ErrorClass::overload},
           Case{"APIError", "", 402, ErrorClass::refused},
           Case{"APIError", "", 403, ErrorClass::refused},
           Case{"APIError", "Forbidden", 500, ErrorClass::network},
           Case{"UnknownError", "The socket connection was closed unexpectedly.", 0,
                ErrorClass::network},
           Case{"UnknownError", "ECONNRESET", 0, ErrorClass::network},
           Case{"UnknownError", "JSON parsing failed: Text: {", 0, ErrorClass::garbled},
           Case{"APIError", "Unauthorized", 401, ErrorClass::refused},
           Case{"ProviderAuthError", "", 0, ErrorClass::refused},
           Case{"APIError", "You exceeded your quota: insufficient_quota", 429,
                ErrorClass::refused},
           Case{"APIError", "The model does not exist", 404, ErrorClass::refused},
           Case{"APIError", "messages.3: text is required; connection id 7", 400,
                ErrorClass::other},
           Case{"ContextOverflowError", "too long, rate limit", 429, ErrorClass::context_overflow},
           Case{"MessageOutputLengthError", "", 0, ErrorClass::output_length},
           Case{"MessageAbortedError", "Aborted", 0, ErrorClass::aborted},
           Case{"UnknownError", "TypeError: x is undefined", 0, ErrorClass::other},
           Case{"", "", 0, ErrorClass::other},
       }) {
    EXPECT_EQ(to_name(classify(c.name, c.message, c.status)), to_name(c.fault))
        << c.name << " " << c.message << " " << c.status;
  }
}

TEST(ErrorClass, BlamesTheModelOnlyForItsOwnErrors) {
  EXPECT_TRUE(blames_model(ErrorClass::empty));
  EXPECT_TRUE(blames_model(ErrorClass::network));
  EXPECT_FALSE(blames_model(ErrorClass::aborted));
  EXPECT_FALSE(blames_model(ErrorClass::output_length));
  EXPECT_FALSE(blames_model(ErrorClass::other));
}

}  // namespace
}  // namespace orchestrator::core
