// Reflection by hand: structs and enums describe their fields and values for the codecs. Standard
// library only.
//
// A struct is *described* when it names its fields, once, in an order that never changes (new ones
// go last). A field with tags is put in parentheses:
//
//   struct Place {
//     std::string file;
//     std::uint32_t line = 0;
//     ORCH_FIELDS((file, required),  // a reader of JSON insists on it
//                 (line, range(1, 1000000), doc("counted from 1")));
//   };
//
// which is the same as
//
//   template <class Self, class Visitor>
//   static void describe(Self& self, Visitor&& visit) {  // Self may be const
//     visit("file", self.file, required);
//     visit("line", self.line, range(1, 1000000), doc("counted from 1"));
//   }
//
// A struct may also say `static constexpr std::string_view kIgnoredKey = "$schema";`: a text that
// its JSON form may hold, and that nothing reads.
//
// An enum is described by a function found by argument-dependent lookup:
//
//   enum class Phase { briefing, planning };
//   constexpr auto enum_names(Phase) {
//     return std::array{EnumName<Phase>{Phase::briefing, "briefing"},
//                       EnumName<Phase>{Phase::planning, "planning"}};
//   }
//
// Field types: bool, integers, double, std::string, described enums, ids, std::optional,
// std::vector, std::map with string or id keys, described structs, and std::variant of described
// structs that each have `static constexpr std::string_view kType`.

#ifndef ORCHESTRATOR_DESCRIBE_H_
#define ORCHESTRATOR_DESCRIBE_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace orchestrator {

/// Tag of a field that JSON must contain.
struct Required {};
inline constexpr Required required{};

/// Tag of a number: its smallest and largest value; of a map: those of its values.
struct Range {
  double min;
  double max;
};
constexpr Range range(double min, double max) { return {min, max}; }

/// Tag: what the field means, for people and models. A sentence, or a part of one.
struct Doc {
  std::string_view text;
};
constexpr Doc doc(std::string_view text) { return {text}; }

/// Tag of a map: its permitted keys. With `models`, any "provider/model" is a key as well.
struct Keys {
  std::span<const std::string_view> names;
  bool models = false;
};
constexpr Keys keys(std::span<const std::string_view> names) { return {names, false}; }
constexpr Keys keys_or_models(std::span<const std::string_view> names) { return {names, true}; }
inline constexpr Keys model_keys{{}, true};

/// Tag of a map: its values are "provider/model".
struct ModelValues {};
inline constexpr ModelValues model_values{};

/// Tag of a setting that this version reads and checks, but does not use.
struct NoEffect {};
inline constexpr NoEffect no_effect{};

/// Tag of structs in a tool's arguments: the schema that models read says only that they are
/// objects. They are checked all the same.
struct Outline {};
inline constexpr Outline outline{};

/// All tags of one field.
struct FieldTags {
  bool required = false;
  std::optional<Range> range;
  std::string_view doc;
  std::optional<Keys> keys;
  bool model_values = false;
  bool no_effect = false;
  bool outline = false;

  constexpr void add(Required) { required = true; }
  constexpr void add(Range tag) { range = tag; }
  constexpr void add(Doc tag) { doc = tag.text; }
  constexpr void add(Keys tag) { keys = tag; }
  constexpr void add(ModelValues) { model_values = true; }
  constexpr void add(NoEffect) { no_effect = true; }
  constexpr void add(Outline) { outline = true; }
};

/// Collects the tags that `visit` was called with after the field.
template <class... Tags>
[[nodiscard]] constexpr FieldTags tags_of(const Tags&... tags) {
  FieldTags all;
  (all.add(tags), ...);
  return all;
}

/// One enumerator and its word outside of C++.
template <class E>
struct EnumName {
  E value;
  std::string_view name;
};

/// An enum with an `enum_names` function.
template <class E>
concept DescribedEnum = std::is_enum_v<E> && requires(E value) {
  enum_names(value);
};

/// The word for `value`; empty for a value outside the enum.
template <DescribedEnum E>
[[nodiscard]] constexpr std::string_view to_name(E value) {
  constexpr auto names = enum_names(E{});
  for (const auto& entry : names) {
    if (entry.value == value) return entry.name;
  }
  return {};
}

/// The value called exactly `name`, if there is one.
template <DescribedEnum E>
[[nodiscard]] constexpr std::optional<E> from_name(std::string_view name) {
  constexpr auto names = enum_names(E{});
  for (const auto& entry : names) {
    if (entry.name == name) return entry.value;
  }
  return std::nullopt;
}

/// All words of an enum, in the order of `enum_names`.
template <DescribedEnum E>
[[nodiscard]] constexpr auto names_of() {
  constexpr auto names = enum_names(E{});
  std::array<std::string_view, names.size()> words{};
  for (std::size_t i = 0; i < names.size(); ++i) words[i] = names[i].name;
  return words;
}

namespace describe_detail {

struct AnyVisitor {
  template <class Field, class... Tags>
  void operator()(std::string_view, Field&, Tags...) const {}
};

template <class T>
concept HasStringValue = std::is_class_v<T> && sizeof(T) == sizeof(std::string) && requires(T t) {
  requires std::same_as<decltype(t.value), std::string>;
};

template <class T>
inline constexpr bool is_one_tag_template = false;
template <template <class> class Template, class Tag>
inline constexpr bool is_one_tag_template<Template<Tag>> = true;

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;

template <class T>
inline constexpr bool is_map = false;
template <class K, class V>
inline constexpr bool is_map<std::map<K, V>> = true;

template <class T>
inline constexpr bool is_variant = false;
template <class... T>
inline constexpr bool is_variant<std::variant<T...>> = true;

}  // namespace describe_detail

/// A struct with a `describe` function.
template <class T>
concept DescribedStruct = std::is_class_v<T> && requires(T& value) {
  T::describe(value, describe_detail::AnyVisitor{});
};

/// A strongly typed string: `template <class Tag> struct Id { std::string value; }`, or any struct
/// whose only member is `std::string value` and that says `using IdTag = …`. Coded as a plain
/// string.
template <class T>
concept IdLike = describe_detail::HasStringValue<T> && !DescribedStruct<T> &&
                 (describe_detail::is_one_tag_template<T> || requires { typename T::IdTag; });

template <class T>
concept OptionalLike = describe_detail::is_optional<T>;
template <class T>
concept VectorLike = describe_detail::is_vector<T>;
template <class T>
concept VariantLike = describe_detail::is_variant<T>;

/// std::map with a string or an id as its key.
template <class T>
concept MapLike = describe_detail::is_map<T> &&
    (std::same_as<typename T::key_type, std::string> || IdLike<typename T::key_type>);

/// Any integer type but bool and the character types.
template <class T>
concept IntegerLike = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                      !std::same_as<T, wchar_t>;

namespace describe_detail {

/// True if one of the extra arguments of `visit` is `required`.
template <class... Tags>
inline constexpr bool is_required = (std::same_as<std::remove_cvref_t<Tags>, Required> || ...);

/// For `static_assert` in the last arm of an `if constexpr` chain.
template <class T>
inline constexpr bool unsupported = false;

}  // namespace describe_detail

}  // namespace orchestrator

// ORCH_FIELDS walks its arguments by rescanning (C++20's __VA_OPT__): each ORCH_FIELDS_SCAN level
// reads its argument four times, which is enough for 256 fields.
#define ORCH_FIELDS_PARENS ()
#define ORCH_FIELDS_SCAN(...) \
  ORCH_FIELDS_SCAN3(ORCH_FIELDS_SCAN3(ORCH_FIELDS_SCAN3(ORCH_FIELDS_SCAN3(__VA_ARGS__))))
#define ORCH_FIELDS_SCAN3(...) \
  ORCH_FIELDS_SCAN2(ORCH_FIELDS_SCAN2(ORCH_FIELDS_SCAN2(ORCH_FIELDS_SCAN2(__VA_ARGS__))))
#define ORCH_FIELDS_SCAN2(...) \
  ORCH_FIELDS_SCAN1(ORCH_FIELDS_SCAN1(ORCH_FIELDS_SCAN1(ORCH_FIELDS_SCAN1(__VA_ARGS__))))
#define ORCH_FIELDS_SCAN1(...) \
  ORCH_FIELDS_SCAN0(ORCH_FIELDS_SCAN0(ORCH_FIELDS_SCAN0(ORCH_FIELDS_SCAN0(__VA_ARGS__))))
#define ORCH_FIELDS_SCAN0(...) __VA_ARGS__

#define ORCH_FIELDS_EACH(field, ...) \
  ORCH_FIELDS_ONE(field) __VA_OPT__(ORCH_FIELDS_AGAIN ORCH_FIELDS_PARENS(__VA_ARGS__))
#define ORCH_FIELDS_AGAIN() ORCH_FIELDS_EACH

// `(name, tags)` or `name`: ORCH_FIELDS_PROBE is called only where there are parentheses.
#define ORCH_FIELDS_ONE(field) \
  ORCH_FIELDS_JOIN(ORCH_FIELDS_VISIT_, ORCH_FIELDS_SECOND(ORCH_FIELDS_PROBE field, plain, ))(field)
#define ORCH_FIELDS_PROBE(...) ~, tagged
#define ORCH_FIELDS_SECOND(...) ORCH_FIELDS_SECOND_OF(__VA_ARGS__)
#define ORCH_FIELDS_SECOND_OF(first, second, ...) second
#define ORCH_FIELDS_JOIN(a, b) ORCH_FIELDS_JOIN_OF(a, b)
#define ORCH_FIELDS_JOIN_OF(a, b) a##b
#define ORCH_FIELDS_VISIT_plain(name) visit(#name, self.name);
#define ORCH_FIELDS_VISIT_tagged(field) ORCH_FIELDS_VISIT_WITH field
#define ORCH_FIELDS_VISIT_WITH(name, ...) visit(#name, self.name, __VA_ARGS__);

/// Describes the struct that contains it: names its fields, in their order.
#define ORCH_FIELDS(...)                                                                \
  template <class Self, class Visitor>                                                  \
  static void describe([[maybe_unused]] Self& self, [[maybe_unused]] Visitor&& visit) { \
    __VA_OPT__(ORCH_FIELDS_SCAN(ORCH_FIELDS_EACH(__VA_ARGS__)))                         \
  }                                                                                     \
  static_assert(true)

#endif  // ORCHESTRATOR_DESCRIBE_H_
