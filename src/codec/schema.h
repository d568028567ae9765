// JSON Schema (draft 7) of described structs, from their fields and tags: for the schemas that
// models and editors read. It includes nlohmann: include it from tools/protocol.cc only.

#ifndef ORCHESTRATOR_CODEC_SCHEMA_H_
#define ORCHESTRATOR_CODEC_SCHEMA_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>

#include "codec/json_tree.h"
#include "orchestrator/describe.h"

namespace orchestrator::codec {

enum class SchemaFor {
  people,  ///< a file that an editor checks: with defaults, unknown keys refused
  models,  ///< a tool's arguments, sent with every request: as short as possible
};

/// A whole double as the integer that a reader expects.
[[nodiscard]] inline nlohmann::ordered_json schema_number(double value) {
  const auto whole = static_cast<std::int64_t>(value);
  if (static_cast<double>(whole) == value) return whole;
  return value;
}

template <DescribedStruct T>
[[nodiscard]] nlohmann::ordered_json json_schema(SchemaFor reader);

namespace schema_detail {

using Json = nlohmann::ordered_json;

inline Json key_schema(const Keys& keys) {
  Json any = Json::array();
  if (!keys.names.empty()) any.push_back({{"enum", keys.names}});
  if (keys.models) any.push_back({{"pattern", "/"}});
  return any.size() == 1 ? any[0] : Json{{"anyOf", any}};
}

template <class T>
Json type_schema(const FieldTags& tags, SchemaFor reader) {
  Json schema;
  if constexpr (OptionalLike<T>) {
    return type_schema<typename T::value_type>(tags, reader);
  } else if constexpr (std::is_same_v<T, bool>) {
    schema["type"] = "boolean";
  } else if constexpr (DescribedEnum<T>) {
    schema["type"] = "string";
    schema["enum"] = names_of<T>();
  } else if constexpr (IntegerLike<T> || std::is_same_v<T, double>) {
    schema["type"] = IntegerLike<T> ? "integer" : "number";
    if (tags.range) {
      schema["minimum"] = schema_number(tags.range->min);
      schema["maximum"] = schema_number(tags.range->max);
    } else if constexpr (std::is_unsigned_v<T>) {
      schema["minimum"] = 0;
    }
  } else if constexpr (std::is_same_v<T, std::string> || IdLike<T>) {
    schema["type"] = "string";
    if (tags.model_values) schema["pattern"] = "/";
  } else if constexpr (VectorLike<T>) {
    schema["type"] = "array";
    schema["items"] = type_schema<typename T::value_type>(tags, reader);
  } else if constexpr (MapLike<T>) {
    schema["type"] = "object";
    if (tags.keys) schema["propertyNames"] = key_schema(*tags.keys);
    schema["additionalProperties"] = type_schema<typename T::mapped_type>(tags, reader);
  } else if constexpr (DescribedStruct<T>) {
    if (!tags.outline || reader == SchemaFor::people) return json_schema<T>(reader);
    schema["type"] = "object";
  } else {
    static_assert(describe_detail::unsupported<T>, "no JSON Schema for this field type");
  }
  return schema;
}

template <class T>
inline constexpr bool has_plain_default =
    std::is_same_v<T, bool> || DescribedEnum<T> || IntegerLike<T> || std::is_same_v<T, double>;

}  // namespace schema_detail

/// The schema of the JSON that is read as a T without a problem. It lacks limits that have no tag.
template <DescribedStruct T>
[[nodiscard]] nlohmann::ordered_json json_schema(SchemaFor reader) {
  using nlohmann::ordered_json;
  ordered_json schema{{"type", "object"}, {"properties", ordered_json::object()}};
  ordered_json& properties = schema["properties"];
  ordered_json needed = ordered_json::array();
  const bool people = reader == SchemaFor::people;
  if constexpr (requires { T::kIgnoredKey; }) {
    if (people) properties[std::string(T::kIgnoredKey)] = {{"type", "string"}};
  }
  const T defaults{};
  T::describe(defaults,
              [&]<class Field>(std::string_view name, const Field& fresh, const auto&... list) {
                const FieldTags tags = tags_of(list...);
                ordered_json property = schema_detail::type_schema<Field>(tags, reader);
                std::string text(tags.doc);
                if (people && tags.no_effect)
                  text += (text.empty() ? "" : " ") + std::string("No effect in this version.");
                if (!text.empty()) property["description"] = text;
                if constexpr (schema_detail::has_plain_default<Field>) {
                  if (people) property["default"] = ordered_json::parse(dump(fresh));
                }
                if (tags.required) needed.push_back(name);
                properties[std::string(name)] = std::move(property);
              });
  if (!needed.empty()) schema["required"] = needed;
  if (people) schema["additionalProperties"] = false;
  return schema;
}

}  // namespace orchestrator::codec

#endif  // ORCHESTRATOR_CODEC_SCHEMA_H_
