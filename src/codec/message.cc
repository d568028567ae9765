#include "codec/message.h"

#include <nlohmann/json.hpp>

#include "codec/binary.h"
#include "codec/legacy_state.h"
#include "codec/limits.h"
#include "orchestrator/step.h"

namespace orchestrator::codec {
namespace {

constexpr ReadOptions kOurOwn{UnknownKeys::ignore, true, true, 20};
/// Limit for snapshots: 500 tasks with long descriptions are larger than any model's message.
constexpr ReadOptions kExact{UnknownKeys::ignore, true, false, 20, std::size_t{64} << 20U};
/// The schema since which a snapshot has the nested form of `State`.
constexpr std::uint32_t kSchemaNested = 2;
constexpr std::size_t kIncomingBytesMax = std::size_t{16} << 20U;

template <class T>
concept ToolCall = requires(T event) {
  event.args;
  event.problems;
};

/// Reads a model's arguments: every mistake becomes a problem of the event.
template <ToolCall T>
void read_arguments(const nlohmann::json& args, T& event) {
  Problems problems;
  // The JS side sends a model's arguments as text: its size is checked before it is parsed.
  bool read = args.is_string()
                  ? parse_json(args.get_ref<const std::string&>(), event.args, problems)
                  : read_json(args, event.args, problems);
  if (read) read = check_limits(event.args, problems);
  if (!read) {
    for (const Problem& problem : problems) event.problems.push_back(to_string(problem));
  }
}

/// A tool whose arguments the runtime reads.
template <class Tool>
void read_arguments(const nlohmann::json& args, CodeAsked<Tool>& asked) {
  asked.args = args.is_string() ? args.get<std::string>() : args.dump();
}

template <class T>
void read_arguments(const nlohmann::json& /*args*/, T& /*event*/) {}

Incoming failed(std::string problem) {
  Incoming incoming;
  incoming.problem = std::move(problem);
  return incoming;
}

template <class Variant, std::size_t I = 0>
constexpr bool names_type(std::string_view type) {
  if constexpr (I == std::variant_size_v<Variant>) {
    return false;
  } else {
    return std::variant_alternative_t<I, Variant>::kType == type ||
           names_type<Variant, I + 1>(type);
  }
}

std::string take_string(nlohmann::json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_string()) return "";
  std::string text = it->get<std::string>();
  object.erase(it);
  return text;
}

struct Versioned {
  std::uint32_t schema = 0;

  ORCH_FIELDS(schema);
};

/// Every tool is an event or a query.
template <class... Args>
constexpr bool all_are_messages(const std::tuple<Args...>* /*tools*/) {
  return ((names_type<Happening>(Args::kTool.name) || names_type<Query>(Args::kTool.name)) && ...);
}
static_assert(all_are_messages(static_cast<const Tools*>(nullptr)));

/// The names of roles that options know are those of the roles.
constexpr bool all_are_roles() {
  for (const std::string_view name : kRoleNames) {
    if (!from_name<Role>(name)) return false;
  }
  return kRoleNames.size() + 1 == names_of<Role>().size();  // and `none`
}
static_assert(all_are_roles());

}  // namespace

Incoming decode_message(std::string_view json) try {
  Problems problems;
  const json_detail::NodePtr parsed =
      json_detail::parse(json, json_detail::Dialect::json, problems, kIncomingBytesMax);
  if (parsed == nullptr) return failed(to_string(problems));
  nlohmann::json& document = *parsed;
  if (!document.is_object()) return failed("a message is an object");
  const std::string type = document.value("type", "");
  Incoming incoming;
  if (names_type<Query>(type)) {
    const nlohmann::json args = document.value("args", nlohmann::json::object());
    document.erase("args");
    Query& query = incoming.what.emplace<Query>();
    if (!read_json(document, query, problems, kOurOwn)) return failed(to_string(problems));
    std::visit([&](auto& asked) { read_arguments(args, asked); }, query);
    return incoming;
  }
  if (!names_type<Happening>(type)) return failed("no message is called \"" + type + "\"");
  incoming.output = take_string(document, "output");
  const nlohmann::json args = document.value("args", nlohmann::json::object());
  document.erase("args");
  Happening& happening = incoming.what.emplace<Happening>();
  if (!read_json(document, happening, problems, kOurOwn)) return failed(to_string(problems));
  std::visit([&](auto& event) { read_arguments(args, event); }, happening);
  return incoming;
} catch (const nlohmann::json::exception& error) {
  return failed(error.what());
}

std::string encode_effect(const Effect& effect) { return dump(effect); }
std::string encode_notice(const Notice& notice) { return dump(notice); }

std::string encode_event(const Event& event) { return encode(event); }

bool decode_event(std::string_view bytes, Event& event, std::string* error) {
  return decode(bytes, event, error);
}

std::string dump_state(const State& state) { return dump(state, 2) + "\n"; }

bool parse_state(std::string_view json, State& state, Problems& problems) {
  if (const std::uint32_t schema = schema_of(json); schema < kSchemaNested) {
    legacy::State old;
    if (!parse_json(json, old, problems, kExact)) return false;
    state = legacy::from_legacy(std::move(old));
  } else if (!parse_json(json, state, problems, kExact)) {
    return false;
  }
  const std::string why = validate_state(state);
  if (why.empty()) return true;
  const std::size_t colon = why.find(": ");
  problems.push_back({why.substr(0, colon), why.substr(colon + 2)});
  state = State{};
  return false;
}

std::uint32_t schema_of(std::string_view json) {
  Versioned versioned;
  Problems problems;
  return parse_json(json, versioned, problems, kExact) ? versioned.schema : 0;
}

bool check_options(const Options& options, Problems& problems) {
  const std::size_t before = problems.size();
  check_limits(options, problems);
  // What lies between two values is no tag of one field.
  for (const auto& [language, server] : options.lsp) {
    if (!server.command.empty() && server.command.front().empty())
      problems.push_back({"lsp." + language + ".command[0]", "a program is needed"});
  }
  for (const auto& [key, model] : options.fallback) {
    if (model == key) problems.push_back({"fallback." + key, "names itself"});
  }
  return problems.size() == before;
}

bool parse_options(std::string_view jsonc, Options& options, Problems& problems) {
  return parse_jsonc(jsonc, options, problems) && check_options(options, problems);
}

}  // namespace orchestrator::codec
