// JSON for described values (orchestrator/describe.h): a writer, and a strict reader for what
// models, people and other programs send. The templates only walk fields; all that touches nlohmann
// is in json.cc, so that this header costs its includers little.

#ifndef ORCHESTRATOR_CODEC_JSON_H_
#define ORCHESTRATOR_CODEC_JSON_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "orchestrator/describe.h"

namespace orchestrator::codec {

/// Texts beyond this are refused unread, unless ReadOptions say otherwise.
inline constexpr std::size_t kJsonBytesMax = std::size_t{4} << 20U;
/// Brackets may be nested this deep.
inline constexpr int kJsonDepthMax = 64;

/// One problem of an input. `path` is like `tasks[2].files[0]`, empty for the whole.
struct Problem {
  std::string path;
  std::string message;
  bool operator==(const Problem&) const = default;
};
using Problems = std::vector<Problem>;

/// `path: message`, or the message alone.
[[nodiscard]] std::string to_string(const Problem& problem);
/// One problem a line, without a newline at the end.
[[nodiscard]] std::string to_string(const Problems& problems);

enum class UnknownKeys { refuse, ignore };

struct ReadOptions {
  UnknownKeys unknown_keys = UnknownKeys::refuse;
  /// null counts as "not given": OpenCode's tool schemas make models send every key.
  bool null_is_absent = true;
  /// So do "" and [] and {} for strings, ids, enums, optionals, vectors and maps. Turn off to read
  /// back exactly what `dump` wrote.
  bool empty_is_absent = true;
  /// Further problems are only counted, in one last problem.
  std::size_t problems_max = 100;
  /// A longer text is refused unread.
  std::size_t bytes_max = kJsonBytesMax;
};

namespace json_detail {

/// Appends JSON text. Invalid UTF-8 becomes U+FFFD; a number that JSON lacks (NaN, infinity)
/// becomes null.
class Writer {
 public:
  /// `indent` < 0: one line.
  Writer(std::string& out, int indent) : out_(out), indent_(indent) {}

  template <class T>
  void value(const T& item) {
    if constexpr (std::same_as<T, bool>) {
      raw(item ? "true" : "false");
    } else if constexpr (DescribedEnum<T>) {
      string(to_name(item));
    } else if constexpr (IntegerLike<T> && std::is_unsigned_v<T>) {
      integer(static_cast<std::uint64_t>(item));
    } else if constexpr (IntegerLike<T>) {
      integer(static_cast<std::int64_t>(item));
    } else if constexpr (std::same_as<T, double>) {
      number(item);
    } else if constexpr (std::same_as<T, std::string>) {
      string(item);
    } else if constexpr (IdLike<T>) {
      string(item.value);
    } else if constexpr (OptionalLike<T>) {
      if (item.has_value()) {
        value(*item);
      } else {
        raw("null");
      }
    } else if constexpr (VectorLike<T>) {
      open('[');
      for (const typename T::value_type& element : item) {
        next();
        value(element);
      }
      close(']');
    } else if constexpr (MapLike<T>) {
      open('{');
      for (const auto& [name, element] : item) {
        if constexpr (IdLike<typename T::key_type>) {
          key(name.value);
        } else {
          key(name);
        }
        value(element);
      }
      close('}');
    } else if constexpr (VariantLike<T>) {
      std::visit(
          [this](const auto& alternative) {
            this->open('{');
            this->key("type");
            this->string(std::remove_cvref_t<decltype(alternative)>::kType);
            this->fields(alternative);
            this->close('}');
          },
          item);
    } else if constexpr (DescribedStruct<T>) {
      open('{');
      fields(item);
      close('}');
    } else {
      static_assert(describe_detail::unsupported<T>, "no JSON form for this field type");
    }
  }

 private:
  template <DescribedStruct T>
  void fields(const T& item) {
    T::describe(item, [this](std::string_view name, const auto& field, auto...) {
      this->field_key(name);
      this->value(field);
    });
  }

  void raw(std::string_view text) { out_.append(text); }
  void string(std::string_view text);
  void number(double item);
  void integer(std::uint64_t item);
  void integer(std::int64_t item);
  void open(char bracket);
  void close(char bracket);
  void next();
  void key(std::string_view name);
  /// A name of the source's own, which needs no escapes.
  void field_key(std::string_view name);
  void line();

  std::string& out_;
  int indent_;
  int depth_ = 0;
  bool first_ = true;
};

/// Which empty values count as absent for a type.
enum class Empty { none, text, list, table, any };

template <class T>
constexpr Empty empty_of() {
  if constexpr (OptionalLike<T>) {
    return Empty::any;
  } else if constexpr (VectorLike<T>) {
    return Empty::list;
  } else if constexpr (MapLike<T>) {
    return Empty::table;
  } else if constexpr (std::same_as<T, std::string> || IdLike<T> || DescribedEnum<T>) {
    return Empty::text;
  } else {
    return Empty::none;
  }
}

struct NodeDeleter {
  void operator()(nlohmann::json* node) const;
};
using NodePtr = std::unique_ptr<nlohmann::json, NodeDeleter>;

/// Walks a parsed document and a described value side by side, and notes every problem.
class Reader {
 public:
  using Node = nlohmann::json;

  Reader(Problems& problems, const ReadOptions& options);

  template <class T>
  void value(const Node& node, T& item) {
    if constexpr (std::same_as<T, bool>) {
      boolean(node, item);
    } else if constexpr (DescribedEnum<T>) {
      static constexpr auto kNames = names_of<T>();
      if (const auto index = one_of(node, kNames)) item = enum_names(T{})[*index].value;
    } else if constexpr (IntegerLike<T> && std::is_unsigned_v<T>) {
      std::uint64_t wide = 0;
      if (unsigned_integer(node, std::numeric_limits<T>::max(), wide)) item = static_cast<T>(wide);
    } else if constexpr (IntegerLike<T>) {
      std::int64_t wide = 0;
      if (signed_integer(node, std::numeric_limits<T>::min(), std::numeric_limits<T>::max(),
                         wide)) {
        item = static_cast<T>(wide);
      }
    } else if constexpr (std::same_as<T, double>) {
      number(node, item);
    } else if constexpr (std::same_as<T, std::string>) {
      string(node, item);
    } else if constexpr (IdLike<T>) {
      string(node, item.value);
    } else if constexpr (OptionalLike<T>) {
      if (is_null(node)) {
        item.reset();
      } else {
        value(node, item.emplace());
      }
    } else if constexpr (VectorLike<T>) {
      items(node, item);
    } else if constexpr (MapLike<T>) {
      entries(node, item);
    } else if constexpr (VariantLike<T>) {
      alternative(node, item, std::make_index_sequence<std::variant_size_v<T>>{});
    } else if constexpr (DescribedStruct<T>) {
      if (const Node* object = as_object(node)) fields(*object, item, false);
    } else {
      static_assert(describe_detail::unsupported<T>, "no JSON form for this field type");
    }
  }

  /// Adds one problem for all beyond the limit. True if there was no problem.
  bool finish();

 private:
  /// A step down the path; undone at the end of its scope.
  class Step {
   public:
    Step(Reader& reader, std::string_view key);
    Step(Reader& reader, std::size_t index);
    ~Step();
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    Reader& reader_;
    std::size_t length_;
  };

  template <DescribedStruct T>
  void fields(const Node& object, T& item, bool tagged) {
    if (!enter()) return;
    std::vector<std::string_view> known;
    if (tagged) known.push_back("type");
    if constexpr (requires { T::kIgnoredKey; }) {
      known.push_back(T::kIgnoredKey);
      ignored_text(object, T::kIgnoredKey);
    }
    T::describe(item, [&]<class Field, class... Tags>(std::string_view key, Field& field, Tags...) {
      known.push_back(key);
      const Node* child = find(object, key);
      const Step step(*this, key);
      if (child == nullptr || is_absent(*child, empty_of<Field>())) {
        if constexpr (describe_detail::is_required<Tags...>) missing(child);
        return;
      }
      this->value(*child, field);
    });
    refuse_unknown(object, known);
    --depth_;
  }

  template <class T>
  void items(const Node& node, std::vector<T>& out) {
    const Node* array = as_array(node);
    if (array == nullptr || !enter()) return;
    out.clear();
    const std::size_t count = size(*array);
    for (std::size_t i = 0; i < count; ++i) {
      const Step step(*this, i);
      T item{};
      value(element(*array, i), item);
      out.push_back(std::move(item));
    }
    --depth_;
  }

  template <class K, class V>
  void entries(const Node& node, std::map<K, V>& out) {
    const Node* object = as_object(node);
    if (object == nullptr || !enter()) return;
    out.clear();
    for (const auto& [name, child] : members(*object)) {
      const Step step(*this, name);
      K key{};
      if constexpr (IdLike<K>) {
        key.value = name;
      } else {
        key = name;
      }
      value(*child, out[std::move(key)]);
    }
    --depth_;
  }

  template <class T, std::size_t I>
  static void read_alternative(Reader& reader, const Node& object, T& item) {
    reader.fields(object, item.template emplace<I>(), true);
  }

  template <class T, std::size_t... I>
  void alternative(const Node& node, T& item, std::index_sequence<I...>) {
    static constexpr std::string_view kTypes[] = {std::variant_alternative_t<I, T>::kType...};
    using Read = void (*)(Reader&, const Node&, T&);
    static constexpr Read kReads[] = {&Reader::read_alternative<T, I>...};
    const Node* object = as_object(node);
    if (object == nullptr) return;
    if (const auto index = type_of(*object, kTypes)) kReads[*index](*this, *object, item);
  }

  bool enter();
  void add(std::string message);
  void missing(const Node* node);
  void wrong_type(std::string_view expected, const Node& node);
  void ignored_text(const Node& object, std::string_view key);
  void refuse_unknown(const Node& object, std::span<const std::string_view> known);

  [[nodiscard]] bool is_absent(const Node& node, Empty empty) const;
  [[nodiscard]] static bool is_null(const Node& node);
  [[nodiscard]] static const Node* find(const Node& object, std::string_view key);
  [[nodiscard]] static std::size_t size(const Node& node);
  [[nodiscard]] static const Node& element(const Node& array, std::size_t index);
  [[nodiscard]] static std::vector<std::pair<std::string, const Node*>> members(const Node& object);

  // Each of these notes a problem and returns false (or null) when the node is not what it should
  // be.
  void boolean(const Node& node, bool& out);
  void number(const Node& node, double& out);
  void string(const Node& node, std::string& out);
  bool unsigned_integer(const Node& node, std::uint64_t max, std::uint64_t& out);
  bool signed_integer(const Node& node, std::int64_t min, std::int64_t max, std::int64_t& out);
  std::optional<std::size_t> one_of(const Node& node, std::span<const std::string_view> names);
  std::optional<std::size_t> type_of(const Node& object, std::span<const std::string_view> types);
  const Node* as_array(const Node& node);
  const Node* as_object(const Node& node);
  const Node* unquote(const Node& node, bool array);

  Problems& problems_;
  ReadOptions options_;
  std::string path_;
  std::vector<NodePtr> unquoted_;  // arrays and objects that came as JSON inside a string
  std::size_t noted_ = 0;
  std::size_t beyond_ = 0;
  int depth_ = 0;
};

enum class Dialect { json, jsonc };

/// The document, or null with one problem that names the byte.
NodePtr parse(std::string_view text, Dialect dialect, Problems& problems, std::size_t bytes_max);

template <class T>
bool parse_into(std::string_view text, Dialect dialect, T& out, Problems& problems,
                const ReadOptions& options) {
  const NodePtr document = parse(text, dialect, problems, options.bytes_max);
  if (document == nullptr) return false;
  Reader reader(problems, options);
  reader.value(*document, out);
  return reader.finish();
}

}  // namespace json_detail

/// JSON text of a described value, its keys in the order of `describe`, none left out (an empty
/// optional is null). `indent` < 0: one line. Never fails: invalid UTF-8 is replaced by U+FFFD.
template <class T>
[[nodiscard]] std::string dump(const T& value, int indent = -1) {
  std::string out;
  json_detail::Writer(out, indent).value(value);
  return out;
}

/// Reads `document` into `out`, over the values that are there: what is absent keeps its value,
/// vectors and maps are replaced whole. Appends EVERY problem to `problems`; false if there was
/// one, and `out` is then partly written (read into a fresh value). Never throws but bad_alloc.
template <class T>
[[nodiscard]] bool read_json(const nlohmann::json& document, T& out, Problems& problems,
                             const ReadOptions& options = {}) {
  json_detail::Reader reader(problems, options);
  reader.value(document, out);
  return reader.finish();
}

/// The same from text. A syntax error, a text over kJsonBytesMax or nesting over kJsonDepthMax is
/// one problem.
template <class T>
[[nodiscard]] bool parse_json(std::string_view text, T& out, Problems& problems,
                              const ReadOptions& options = {}) {
  return json_detail::parse_into(text, json_detail::Dialect::json, out, problems, options);
}

/// The same for files that people write: `//` and `/* */` comments are ignored. A trailing comma is
/// a problem of its own wording. A UTF-8 byte order mark is ignored in both.
template <class T>
[[nodiscard]] bool parse_jsonc(std::string_view text, T& out, Problems& problems,
                               const ReadOptions& options = {}) {
  return json_detail::parse_into(text, json_detail::Dialect::jsonc, out, problems, options);
}

}  // namespace orchestrator::codec

#endif  // ORCHESTRATOR_CODEC_JSON_H_
