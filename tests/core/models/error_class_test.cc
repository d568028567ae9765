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
    Fault fault;
  };
  for (const Case& c : {
           Case{"APIError", "Too Many Requests: rate limit reached", 429, Fault::rate_limit},
           Case{"APIError", "Rate limit reached (rehearsal)", 0, Fault::rate_limit},
           Case{"APIError", "", 429, Fault::rate_limit},
           Case{"APIError", "Provider is overloaded", 0, Fault::overload},
           Case{"APIError", "Service Unavailable", 503, Fault::overload},
           Case{"APIError", "something", 529, Fault::overload},
           Case{"APIError", "Internal error (rehearsal)", 500, Fault::network},
           Case{"APIError", "Bad Gateway", 502, Fault::network},
           Case{"APIError", "", 408, Fault::network},
           Case{"APIError", "", 500, Fault::network},
           Case{"APIError", "", 599, Fault::network},
           Case{"APIError", "", 600, Fault::other},
           Case{"APIError", "", 499, Fault::other},
           Case{"APIError", "the network is down", 400, Fault::other},
           Case{"APIError", "the network is down", 500, Fault::network},
           Case{"APIError", "", 503, Fault::overload},
           Case{"APIError", "", 402, Fault::refused},
           Case{"APIError", "", 403, Fault::refused},
           Case{"APIError", "Forbidden", 500, Fault::network},
           Case{"UnknownError", "The socket connection was closed unexpectedly.", 0,
                Fault::network},
           Case{"UnknownError", "ECONNRESET", 0, Fault::network},
           Case{"UnknownError", "JSON parsing failed: Text: {", 0, Fault::garbled},
           Case{"APIError", "Unauthorized", 401, Fault::refused},
           Case{"ProviderAuthError", "", 0, Fault::refused},
           Case{"APIError", "You exceeded your quota: insufficient_quota", 429, Fault::refused},
           Case{"APIError", "The model does not exist", 404, Fault::refused},
           Case{"APIError", "messages.3: text is required; connection id 7", 400, Fault::other},
           Case{"ContextOverflowError", "too long, rate limit", 429, Fault::context_overflow},
           Case{"MessageOutputLengthError", "", 0, Fault::output_length},
           Case{"MessageAbortedError", "Aborted", 0, Fault::aborted},
           Case{"UnknownError", "TypeError: x is undefined", 0, Fault::other},
           Case{"", "", 0, Fault::other},
       }) {
    EXPECT_EQ(to_name(classify(c.name, c.message, c.status)), to_name(c.fault))
        << c.name << " " << c.message << " " << c.status;
  }
}

TEST(ErrorClass, BlamesTheModelOnlyForItsOwnErrors) {
  EXPECT_TRUE(blames_model(Fault::empty));
  EXPECT_TRUE(blames_model(Fault::network));
  EXPECT_FALSE(blames_model(Fault::aborted));
  EXPECT_FALSE(blames_model(Fault::output_length));
  EXPECT_FALSE(blames_model(Fault::other));
}

}  // namespace
}  // namespace orchestrator::core
