#include "codec/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/nearest.h"
#include "base/utf8.h"

namespace orchestrator::codec {

std::string to_string(const Problem& problem) {
  return problem.path.empty() ? problem.message : problem.path + ": " + problem.message;
}

std::string to_string(const Problems& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    if (!text.empty()) text += '\n';
    text += to_string(problem);
  }
  return text;
}

namespace json_detail {
namespace {

using nlohmann::json;

constexpr std::size_t kQuotedMax = 60;  // bytes of a foreign string that a message repeats
constexpr std::size_t kNamesMax = 40;   // names that a message lists

/// A character that JSON strings hold unescaped.
constexpr bool is_plain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

void append_quoted(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    std::size_t plain = i;
    while (plain < text.size() && is_plain(text[plain])) ++plain;
    out.append(text, i, plain - i);
    i = plain;
    if (i == text.size()) break;
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
      ++i;
    } else if (byte < 0x20) {
      switch (c) {
        case '\n':
          out += "\\n";
          break;
        case '\t':
          out += "\\t";
          break;
        case '\r':
          out += "\\r";
          break;
        case '\b':
          out += "\\b";
          break;
        case '\f':
          out += "\\f";
          break;
        default:
          out += "\\u00";
          out += kHex[byte >> 4U];
          out += kHex[byte & 15U];
      }
      ++i;
    } else if (const std::size_t length = base::utf8_length(text, i); length > 0) {
      out.append(text, i, length);
      i += length;
    } else {
      out += base::kUtf8Replacement;
      ++i;
    }
  }
  out += '"';
}

/// A foreign string in quotes, short enough for a message.
std::string in_quotes(std::string_view text) {
  std::string out;
  if (text.size() <= kQuotedMax) {
    append_quoted(out, text);
    return out;
  }
  std::size_t end = kQuotedMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  append_quoted(out, text.substr(0, end));
  out.insert(out.size() - 1, "…");
  return out;
}

std::string list_of(std::span<const std::string_view> names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < kNamesMax; ++i) {
    if (i > 0) out += ", ";
    append_quoted(out, names[i]);
  }
  if (names.size() > kNamesMax) out += ", …";
  return out;
}

std::string hint(std::string_view word, std::span<const std::string_view> names) {
  const auto close = base::nearest(word, names);
  return close ? "; did you mean " + in_quotes(*close) + "?" : std::string();
}

/// "the number 5", "an array": what a node is, for a message.
std::string what(const json& node) {
  switch (node.type()) {
    case json::value_t::null:
      return "null";
    case json::value_t::boolean:
      return node.get<bool>() ? "true" : "false";
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
    case json::value_t::number_float:
      return "the number " + node.dump();
    case json::value_t::string:
      return "the string " + in_quotes(node.get_ref<const std::string&>());
    case json::value_t::array:
      return "an array";
    case json::value_t::object:
      return "an object";
    case json::value_t::binary:
    case json::value_t::discarded:
      break;
  }
  return "something else";
}

bool is_plain_key(std::string_view key) {
  for (const char c : key) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || c == '$';
    if (!plain) return false;
  }
  return !key.empty();
}

template <class T>
void append_chars(std::string& out, T item) {
  std::array<char, 32> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), item);
  out.append(buffer.data(), result.ptr);
}

/// Finds deep nesting, which nlohmann accepts, and trailing commas, for which its message is
/// unclear. Skips strings and comments. Does not report other errors.
std::optional<std::string> scan(std::string_view text, Dialect dialect) {
  int depth = 0;
  std::size_t comma = std::string_view::npos;  // the last significant character, if it is a comma
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\') ++i;
      }
      comma = std::string_view::npos;
    } else if (c == '/' && dialect == Dialect::jsonc && text.substr(i, 2) == "//") {
      i = std::min(text.find('\n', i), text.size() - 1);
    } else if (c == '/' && dialect == Dialect::jsonc && text.substr(i, 2) == "/*") {
      const std::size_t end = text.find("*/", i + 2);
      i = end == std::string_view::npos ? text.size() - 1 : end + 1;
    } else if (c == '[' || c == '{') {
      if (++depth > kJsonDepthMax) {
        return "brackets nested deeper than " + std::to_string(kJsonDepthMax) + " at byte " +
               std::to_string(i);
      }
      comma = std::string_view::npos;
    } else if (c == ']' || c == '}') {
      --depth;
      if (comma != std::string_view::npos) {
        return "not valid JSON: a trailing comma at byte " + std::to_string(comma) +
               ", before the \"" + c + "\"; remove it";
      }
    } else if (c == ',') {
      comma = i;
    } else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
      comma = std::string_view::npos;
    }
  }
  return std::nullopt;
}

/// nlohmann's message without its own name in front.
std::string plain_message(std::string_view message) {
  const std::size_t end = message.find("] ");
  if (message.starts_with('[') && end != std::string_view::npos) message.remove_prefix(end + 2);
  std::string out;
  append_quoted(out, message);  // it quotes untrusted input
  if (out.size() > 400) out.resize(400);
  std::string plain;
  for (std::size_t i = 1; i + 1 < out.size(); ++i) {
    if (out[i] == '\\' && (out[i + 1] == '"' || out[i + 1] == '\\')) ++i;
    plain += out[i];
  }
  return plain;
}

}  // namespace

// The writer.

void Writer::string(std::string_view text) { append_quoted(out_, text); }

void Writer::number(double item) {
  if (!std::isfinite(item)) return raw("null");
  append_chars(out_, item);
}

void Writer::integer(std::uint64_t item) { append_chars(out_, item); }
void Writer::integer(std::int64_t item) { append_chars(out_, item); }

void Writer::line() {
  if (indent_ < 0) return;
  out_ += '\n';
  out_.append(static_cast<std::size_t>(depth_) * static_cast<std::size_t>(indent_), ' ');
}

void Writer::open(char bracket) {
  out_ += bracket;
  ++depth_;
  first_ = true;
}

void Writer::close(char bracket) {
  --depth_;
  if (!first_) line();
  out_ += bracket;
  first_ = false;
}

void Writer::next() {
  if (!first_) out_ += ',';
  first_ = false;
  line();
}

void Writer::key(std::string_view name) {
  next();
  string(name);
  out_ += indent_ < 0 ? ":" : ": ";
}

void Writer::field_key(std::string_view name) {
  next();
  out_ += '"';
  out_ += name;
  out_ += indent_ < 0 ? "\":" : "\": ";
}

// The reader.

void NodeDeleter::operator()(nlohmann::json* node) const { delete node; }

Reader::Reader(Problems& problems, const ReadOptions& options)
    : problems_(problems), options_(options) {}

Reader::Step::Step(Reader& reader, std::string_view key)
    : reader_(reader), length_(reader.path_.size()) {
  if (!is_plain_key(key)) {
    reader_.path_ += '[' + in_quotes(key) + ']';
    return;
  }
  if (length_ > 0) reader_.path_ += '.';
  reader_.path_ +=
      key.size() > kQuotedMax ? std::string(key.substr(0, kQuotedMax)) + "…" : std::string(key);
}

Reader::Step::Step(Reader& reader, std::size_t index)
    : reader_(reader), length_(reader.path_.size()) {
  reader_.path_ += '[' + std::to_string(index) + ']';
}

Reader::Step::~Step() { reader_.path_.resize(length_); }

bool Reader::enter() {
  if (depth_ >= kJsonDepthMax) return add("nested too deep"), false;
  ++depth_;
  return true;
}

void Reader::add(std::string message) {
  if (noted_ < options_.problems_max) {
    ++noted_;
    problems_.push_back({path_, std::move(message)});
  } else {
    ++beyond_;
  }
}

bool Reader::finish() {
  if (beyond_ > 0) problems_.push_back({"", "and " + std::to_string(beyond_) + " more problems"});
  return noted_ + beyond_ == 0;
}

void Reader::missing(const Node* node) {
  add(node == nullptr || node->is_null() ? "required, but missing" : "required, but empty");
}

void Reader::wrong_type(std::string_view expected, const Node& node) {
  add("expected " + std::string(expected) + ", got " + what(node));
}

void Reader::ignored_text(const Node& object, std::string_view key) {
  const Node* child = find(object, key);
  const Step step(*this, key);
  std::string ignored;
  if (child != nullptr && !is_absent(*child, Empty::text)) string(*child, ignored);
}

void Reader::refuse_unknown(const Node& object, std::span<const std::string_view> known) {
  if (options_.unknown_keys == UnknownKeys::ignore) return;
  for (const auto& [key, child] : object.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const Step step(*this, key);
    const std::string close = hint(key, known);
    add("unknown key" + (close.empty() ? "; known are " + list_of(known) : close));
  }
}

bool Reader::is_absent(const Node& node, Empty empty) const {
  if (node.is_null()) return options_.null_is_absent;
  if (!options_.empty_is_absent || empty == Empty::none) return false;
  if (node.is_string()) return node.get_ref<const std::string&>().empty();
  if (node.is_array()) return node.empty() && (empty == Empty::list || empty == Empty::any);
  if (node.is_object()) return node.empty() && (empty == Empty::table || empty == Empty::any);
  return false;
}

bool Reader::is_null(const Node& node) { return node.is_null(); }

const Reader::Node* Reader::find(const Node& object, std::string_view key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::size_t Reader::size(const Node& node) { return node.size(); }

const Reader::Node& Reader::element(const Node& array, std::size_t index) { return array[index]; }

std::vector<std::pair<std::string, const Reader::Node*>> Reader::members(const Node& object) {
  std::vector<std::pair<std::string, const Node*>> result;
  result.reserve(object.size());
  for (const auto& [key, child] : object.items()) result.emplace_back(key, &child);
  return result;
}

void Reader::boolean(const Node& node, bool& out) {
  if (!node.is_boolean()) return wrong_type("true or false", node);
  out = node.get<bool>();
}

void Reader::number(const Node& node, double& out) {
  if (!node.is_number()) return wrong_type("a number", node);
  out = node.get<double>();
}

void Reader::string(const Node& node, std::string& out) {
  if (!node.is_string()) return wrong_type("a string", node);
  out = node.get_ref<const std::string&>();
}

namespace {

/// A float that is a whole number of exactly representable size (5.0, 1e3), as an integer node.
std::optional<json> whole(const json& node) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  const auto number = node.get<double>();
  if (number != std::trunc(number) || std::abs(number) > kExact) return std::nullopt;
  const auto integer = static_cast<std::int64_t>(number);
  return integer >= 0 ? json(static_cast<std::uint64_t>(integer)) : json(integer);
}

template <class T>
std::string out_of_range(const json& node, T min, T max) {
  return node.dump() + " is out of range (" + std::to_string(min) + " to " + std::to_string(max) +
         ")";
}

bool is_huge(const json& node) {
  const auto number = node.get<double>();
  return number == std::trunc(number);
}

}  // namespace

bool Reader::unsigned_integer(const Node& node, std::uint64_t max, std::uint64_t& out) {
  if (!node.is_number()) return wrong_type("an integer", node), false;
  if (node.is_number_float()) {
    if (const auto integer = whole(node)) return unsigned_integer(*integer, max, out);
    if (!is_huge(node)) return wrong_type("an integer", node), false;
  }
  const bool positive =
      node.is_number_unsigned() || (node.is_number_integer() && node.get<std::int64_t>() >= 0);
  if (!positive || node.get<std::uint64_t>() > max) {
    return add(out_of_range<std::uint64_t>(node, 0, max)), false;
  }
  out = node.get<std::uint64_t>();
  return true;
}

bool Reader::signed_integer(const Node& node, std::int64_t min, std::int64_t max,
                            std::int64_t& out) {
  if (!node.is_number()) return wrong_type("an integer", node), false;
  if (node.is_number_float()) {
    if (const auto integer = whole(node)) return signed_integer(*integer, min, max, out);
    if (!is_huge(node)) return wrong_type("an integer", node), false;
    return add(out_of_range(node, min, max)), false;
  }
  const bool fits =
      !node.is_number_unsigned() || node.get<std::uint64_t>() <= static_cast<std::uint64_t>(max);
  const std::int64_t wide = fits ? node.get<std::int64_t>() : max;
  if (!fits || wide < min || wide > max) return add(out_of_range(node, min, max)), false;
  out = wide;
  return true;
}

std::optional<std::size_t> Reader::one_of(const Node& node,
                                          std::span<const std::string_view> names) {
  if (!node.is_string()) {
    wrong_type("one of " + list_of(names), node);
    return std::nullopt;
  }
  const std::string& name = node.get_ref<const std::string&>();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return i;
  }
  add(in_quotes(name) + " is not one of " + list_of(names) + hint(name, names));
  return std::nullopt;
}

std::optional<std::size_t> Reader::type_of(const Node& object,
                                           std::span<const std::string_view> types) {
  const Step step(*this, "type");
  const Node* type = find(object, "type");
  if (type == nullptr || is_absent(*type, Empty::text)) {
    add("required, but missing: one of " + list_of(types));
    return std::nullopt;
  }
  return one_of(*type, types);
}

const Reader::Node* Reader::as_array(const Node& node) {
  if (node.is_array()) return &node;
  if (const Node* inner = unquote(node, true)) return inner;
  wrong_type("an array", node);
  return nullptr;
}

const Reader::Node* Reader::as_object(const Node& node) {
  if (node.is_object()) return &node;
  if (const Node* inner = unquote(node, false)) return inner;
  wrong_type("an object", node);
  return nullptr;
}

/// Models sometimes send "[\"a\"]" for ["a"].
const Reader::Node* Reader::unquote(const Node& node, bool array) {
  if (!node.is_string()) return nullptr;
  const std::string& text = node.get_ref<const std::string&>();
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos || text[first] != (array ? '[' : '{')) return nullptr;
  Problems ignored;
  NodePtr inner = parse(text, Dialect::json, ignored, options_.bytes_max);
  if (inner == nullptr || (array ? !inner->is_array() : !inner->is_object())) return nullptr;
  unquoted_.push_back(std::move(inner));
  return unquoted_.back().get();
}

NodePtr parse(std::string_view text, Dialect dialect, Problems& problems, std::size_t bytes_max) {
  const auto refuse = [&problems](std::string message) {
    problems.push_back({"", std::move(message)});
    return nullptr;
  };
  if (text.size() > bytes_max) {
    return refuse("too large: " + std::to_string(text.size()) + " bytes, at most " +
                  std::to_string(bytes_max) + " are read");
  }
  if (auto message = scan(text, dialect)) return refuse(std::move(*message));
  try {
    return NodePtr(new json(json::parse(text, nullptr, true, dialect == Dialect::jsonc)));
  } catch (const json::parse_error& error) {
    return refuse("not valid JSON at byte " + std::to_string(error.byte) + ": " +
                  plain_message(error.what()));
  } catch (const json::exception& error) {  // a number beyond double, for one
    return refuse("not valid JSON: " + plain_message(error.what()));
  }
}

}  // namespace json_detail
}  // namespace orchestrator::codec
