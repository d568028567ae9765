// The compact encoding of described values: for the write-ahead log, snapshots and the state hash.
//
// Canonical and deterministic: equal values have equal bytes, on every machine.
//
//   bool            u8, 0 or 1
//   unsigned        varint (LEB128, shortest form only)
//   signed          zigzag, then varint
//   double          8 bytes, little endian, one NaN
//   string, id      varint length, bytes
//   enum            varint of its value
//   optional        u8 presence, then the value
//   vector, map     varint count, then the items (a map: key, value, keys ascending)
//   struct          varint length of the body, then its fields in the order of `describe`,
//                   without the last ones that have their default; the outermost struct has no
//                   length, it ends with the input
//   variant         varint index of the alternative (below 65536), then the struct
//
// Evolution: fields may be APPENDED to a struct and alternatives to a variant. A reader that
// reaches a struct's end leaves the remaining fields at their defaults, and it skips bytes that
// follow the last field it knows. Nothing may be removed, reordered or retyped, and no default may
// change. So a value that does not use an appended field keeps its bytes and its hash: newer
// versions can verify old logs.
//
// Hostile input: every read is bounds-checked, nesting is limited, and memory is taken only as
// items arrive: at most sizeof(item) for each input byte. Inline, because replay decodes a million
// of these a second.

#ifndef ORCHESTRATOR_CODEC_BINARY_H_
#define ORCHESTRATOR_CODEC_BINARY_H_

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "orchestrator/describe.h"

namespace orchestrator::codec {

/// Nesting limit for structs; deeper input is refused. (Only recursive types come near it.)
inline constexpr int kBinaryDepthMax = 64;

namespace binary_detail {

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  template <class T>
  void value(const T& item) {
    if constexpr (std::same_as<T, bool>) {
      byte(item ? 1 : 0);
    } else if constexpr (DescribedEnum<T>) {
      varint(static_cast<std::uint64_t>(static_cast<std::underlying_type_t<T>>(item)));
    } else if constexpr (IntegerLike<T> && std::is_unsigned_v<T>) {
      varint(item);
    } else if constexpr (IntegerLike<T>) {
      const auto wide = static_cast<std::int64_t>(item);
      varint((static_cast<std::uint64_t>(wide) << 1U) ^ static_cast<std::uint64_t>(wide >> 63));
    } else if constexpr (std::same_as<T, double>) {
      number(item);
    } else if constexpr (std::same_as<T, std::string>) {
      text(item);
    } else if constexpr (IdLike<T>) {
      text(item.value);
    } else if constexpr (OptionalLike<T>) {
      byte(item.has_value() ? 1 : 0);
      if (item.has_value()) value(*item);
    } else if constexpr (VectorLike<T>) {
      varint(item.size());
      for (const typename T::value_type& element : item) value(element);
    } else if constexpr (MapLike<T>) {
      varint(item.size());
      for (const auto& [key, element] : item) {
        value(key);
        value(element);
      }
    } else if constexpr (VariantLike<T>) {
      static_assert(std::variant_size_v<T> < 65536);
      varint(item.index());
      std::visit([this](const auto& alternative) { this->prefixed(alternative); }, item);
    } else if constexpr (DescribedStruct<T>) {
      prefixed(item);
    } else {
      static_assert(describe_detail::unsupported<T>, "no binary form for this field type");
    }
  }

  template <DescribedStruct T>
  void fields(const T& item) {
    const std::vector<std::string>& fresh = fresh_fields<T>();
    std::size_t kept = out_.size();
    std::size_t i = 0;
    T::describe(item, [&](std::string_view, const auto& field, auto...) {
      const std::size_t start = out_.size();
      this->value(field);
      if (std::string_view(out_).substr(start) != fresh[i++]) kept = out_.size();
    });
    out_.resize(kept);
  }

 private:
  /// The encoded fields of a default-constructed T.
  template <DescribedStruct T>
  static const std::vector<std::string>& fresh_fields() {
    static const std::vector<std::string> written = [] {
      std::vector<std::string> parts;
      const T fresh{};
      T::describe(fresh, [&](std::string_view, const auto& field, auto...) {
        Writer(parts.emplace_back()).value(field);
      });
      return parts;
    }();
    return written;
  }

  void byte(unsigned value) { out_.push_back(static_cast<char>(value)); }

  void varint(std::uint64_t value) {
    while (value >= 0x80) {
      byte(static_cast<unsigned>(value & 0x7FU) | 0x80U);
      value >>= 7U;
    }
    byte(static_cast<unsigned>(value));
  }

  void text(std::string_view value) {
    varint(value.size());
    out_.append(value);
  }

  void number(double value) {
    if (value != value) value = std::numeric_limits<double>::quiet_NaN();
    const auto bits = std::bit_cast<std::uint64_t>(value);
    for (unsigned i = 0; i < 8; ++i) byte(static_cast<unsigned>((bits >> (8U * i)) & 0xFFU));
  }

  /// Most structs are shorter than 128 bytes: one byte is kept free for the length, more are
  /// inserted.
  template <DescribedStruct T>
  void prefixed(const T& item) {
    const std::size_t start = out_.size();
    byte(0);
    fields(item);
    const std::size_t length = out_.size() - start - 1;
    if (length < 0x80) {
      out_[start] = static_cast<char>(length);
      return;
    }
    std::string prefix;
    Writer(prefix).varint(length);
    out_.replace(start, 1, prefix);
  }

  std::string& out_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes)
      : begin_(bytes.data()), at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  [[nodiscard]] bool ok() const { return error_ == nullptr; }
  [[nodiscard]] std::string error() const {
    return std::string(error_ == nullptr ? "no error" : error_) + " at byte " +
           std::to_string(at_ - begin_);
  }

  template <class T>
  void value(T& item) {
    if constexpr (std::same_as<T, bool>) {
      item = flag();
    } else if constexpr (DescribedEnum<T>) {
      enumerator(item);
    } else if constexpr (IntegerLike<T>) {
      integer(item);
    } else if constexpr (std::same_as<T, double>) {
      item = number();
    } else if constexpr (std::same_as<T, std::string>) {
      item = text();
    } else if constexpr (IdLike<T>) {
      item.value = text();
    } else if constexpr (OptionalLike<T>) {
      if (!flag()) {
        item.reset();
      } else {
        value(item.emplace());
      }
    } else if constexpr (VectorLike<T>) {
      items(item);
    } else if constexpr (MapLike<T>) {
      entries(item);
    } else if constexpr (VariantLike<T>) {
      alternative(item, std::make_index_sequence<std::variant_size_v<T>>{});
    } else if constexpr (DescribedStruct<T>) {
      prefixed(item);
    } else {
      static_assert(describe_detail::unsupported<T>, "no binary form for this field type");
    }
  }

  template <DescribedStruct T>
  void fields(T& item) {
    T::describe(item, [this](std::string_view, auto& field, auto...) {
      if (at_ != end_ && ok()) this->value(field);
    });
  }

  [[nodiscard]] bool at_end() const { return at_ == end_; }

  void fail(const char* message) {
    if (error_ == nullptr) error_ = message;
  }

 private:
  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  bool flag() {
    if (at_ == end_) return fail("truncated"), false;
    const auto byte = static_cast<unsigned char>(*at_);
    if (byte > 1) return fail("a flag that is neither 0 nor 1"), false;
    ++at_;
    return byte == 1;
  }

  std::uint64_t varint() {
    if (at_ != end_ && static_cast<unsigned char>(*at_) < 0x80) {
      return static_cast<unsigned char>(*at_++);
    }
    return long_varint();
  }

  std::uint64_t long_varint() {
    std::uint64_t result = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) return fail("truncated"), 0;
      const auto byte = static_cast<unsigned char>(*at_++);
      if (shift == 63 && byte > 1) return fail("an integer over 64 bits"), 0;
      result |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) {
        if (byte == 0 && shift != 0) fail("an integer that is not in its shortest form");
        return result;
      }
    }
    return fail("an integer over 64 bits"), 0;
  }

  template <class T>
  void integer(T& item) {
    const std::uint64_t raw = varint();
    if constexpr (std::is_unsigned_v<T>) {
      if (raw > std::numeric_limits<T>::max()) return fail("an integer out of range");
      item = static_cast<T>(raw);
    } else {
      const auto wide = static_cast<std::int64_t>((raw >> 1U) ^ (~(raw & 1U) + 1U));
      if (wide < std::numeric_limits<T>::min() || wide > std::numeric_limits<T>::max()) {
        return fail("an integer out of range");
      }
      item = static_cast<T>(wide);
    }
  }

  template <class T>
  void enumerator(T& item) {
    const std::uint64_t raw = varint();
    constexpr auto names = enum_names(T{});
    for (const auto& entry : names) {
      if (static_cast<std::uint64_t>(static_cast<std::underlying_type_t<T>>(entry.value)) == raw) {
        item = entry.value;
        return;
      }
    }
    fail("an unknown enumerator");
  }

  double number() {
    if (left() < 8) return fail("truncated"), 0.0;
    std::uint64_t bits = 0;
    for (unsigned i = 0; i < 8; ++i) {
      bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(*at_++)) << (8U * i);
    }
    const auto value = std::bit_cast<double>(bits);
    return value == value ? value : std::numeric_limits<double>::quiet_NaN();
  }

  std::string_view text() {
    const std::uint64_t length = varint();
    if (length > left()) return fail("truncated"), std::string_view{};
    const std::string_view result(at_, static_cast<std::size_t>(length));
    at_ += length;
    return result;
  }

  /// A count of items that each take a byte or more; 0 after a failure.
  std::size_t count() {
    const std::uint64_t result = varint();
    if (result > left()) return fail("a count beyond the end of the input"), 0;
    return ok() ? static_cast<std::size_t>(result) : 0;
  }

  template <class T>
  void items(std::vector<T>& out) {
    const std::size_t size = count();
    out.clear();
    out.reserve(std::min(size, 16 + left() / sizeof(T)));
    for (std::size_t i = 0; i < size && ok(); ++i) {
      T item{};
      value(item);
      out.push_back(std::move(item));
    }
  }

  template <class K, class V>
  void entries(std::map<K, V>& out) {
    const std::size_t size = count();
    out.clear();
    for (std::size_t i = 0; i < size && ok(); ++i) {
      K key{};
      value(key);
      if (!out.empty() && ok() && !(out.rbegin()->first < key))
        return fail("map keys out of order");
      value(out.emplace_hint(out.end(), std::move(key), V{})->second);
    }
  }

  template <DescribedStruct T>
  void prefixed(T& item) {
    const std::uint64_t length = varint();
    if (length > left()) return fail("truncated");
    if (depth_ == kBinaryDepthMax) return fail("nested too deep");
    const char* const outer_end = std::exchange(end_, at_ + length);
    ++depth_;
    fields(item);
    --depth_;
    if (ok()) at_ = end_;
    end_ = outer_end;
  }

  template <class T, std::size_t I>
  static void read_alternative(Reader& reader, T& item) {
    reader.prefixed(item.template emplace<I>());
  }

  template <class T, std::size_t... I>
  void alternative(T& item, std::index_sequence<I...>) {
    using Read = void (*)(Reader&, T&);
    static constexpr Read kReads[] = {&Reader::read_alternative<T, I>...};
    const std::uint64_t index = varint();
    if (index >= sizeof...(I)) return fail("an unknown alternative");
    if (ok()) kReads[index](*this, item);
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  const char* error_ = nullptr;
  int depth_ = 0;
};

}  // namespace binary_detail

/// Appends the encoding of a described struct or variant to `out`; for writers that reuse a buffer.
template <class T>
requires DescribedStruct<T> || VariantLike<T>
void encode_to(const T& value, std::string& out) {
  binary_detail::Writer writer(out);
  if constexpr (DescribedStruct<T>) {
    writer.fields(value);
  } else {
    writer.value(value);
  }
}

/// The encoding of a described struct or variant. Never fails.
template <class T>
[[nodiscard]] std::string encode(const T& value) {
  std::string out;
  encode_to(value, out);
  return out;
}

/// Reads what `encode` wrote, here or in an older or newer version of T. On failure returns false,
/// leaves `out` default-constructed and says why, with the offset, in `error` (may be null). Never
/// throws but bad_alloc.
template <class T>
requires DescribedStruct<T> || VariantLike<T>
[[nodiscard]] bool decode(std::string_view bytes, T& out, std::string* error) {
  binary_detail::Reader reader(bytes);
  out = T{};
  if constexpr (DescribedStruct<T>) {
    reader.fields(out);
  } else {
    reader.value(out);
    if (!reader.at_end()) reader.fail("bytes after the value");
  }
  if (reader.ok()) return true;
  out = T{};
  if (error != nullptr) *error = reader.error();
  return false;
}

}  // namespace orchestrator::codec

#endif  // ORCHESTRATOR_CODEC_BINARY_H_
