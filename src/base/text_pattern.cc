#include "base/text_pattern.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace orchestrator::base {
namespace {

constexpr std::size_t kBytesMax = 1024;
constexpr std::size_t kStepsMax = 4096;
constexpr std::size_t kDepthMax = 50;
constexpr std::uint32_t kNoLimit = 0xFFFFFFFF;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace

/// Recursive descent that writes steps as it reads; a repeated piece is copied.
class TextPatternReader {
 public:
  using Op = TextPattern::Op;
  using Step = TextPattern::Step;
  using Set = TextPattern::Set;

  TextPatternReader(std::string_view text, TextPattern& out) : text_(text), out_(out) {}

  std::optional<Error> read() {
    choices();
    if (fault_.empty() && at_ < text_.size()) fail("a \")\" that nothing opens");
    emit(Op::accept);
    if (fault_.empty()) return std::nullopt;
    return Error{fault_, "regular expression, byte " + std::to_string(fault_at_ + 1), ""};
  }

 private:
  using Piece = std::pair<std::size_t, std::size_t>;  // steps, from and to

  void fail(std::string what) {
    if (!fault_.empty()) return;
    fault_ = std::move(what);
    fault_at_ = at_;
    at_ = text_.size();
  }

  std::uint32_t here() const { return static_cast<std::uint32_t>(out_.steps_.size()); }

  std::uint32_t emit(Op op, std::uint32_t a = 0, std::uint32_t b = 0) {
    if (out_.steps_.size() >= kStepsMax) {
      fail("it is too large");
      return 0;
    }
    out_.steps_.push_back({op, a, b});
    return here() - 1;
  }

  void emit_set(const Set& set) {
    out_.sets_.push_back(set);
    emit(Op::set, static_cast<std::uint32_t>(out_.sets_.size() - 1));
  }

  /// Makes room for one step at `from`; every jump into or behind what moves goes with it.
  void insert(std::size_t from, Step step) {
    if (out_.steps_.size() >= kStepsMax) return fail("it is too large");
    for (std::size_t i = from; i < out_.steps_.size(); ++i) shift(out_.steps_[i], from, 1);
    out_.steps_.insert(out_.steps_.begin() + static_cast<std::ptrdiff_t>(from), step);
  }

  static void shift(Step& step, std::size_t from, std::uint32_t by) {
    if (step.op != Op::fork && step.op != Op::jump) return;
    if (step.a >= from) step.a += by;
    if (step.op == Op::fork && step.b >= from) step.b += by;
  }

  void copy(const std::vector<Step>& piece, std::size_t from) {
    const std::uint32_t by = here() - static_cast<std::uint32_t>(from);
    for (Step step : piece) {
      shift(step, from, by);
      emit(step.op, step.a, step.b);
    }
  }

  void choices() {
    if (++depth_ > kDepthMax) return fail("it is nested too deeply");
    const std::size_t begin = here();
    sequence();
    if (at_ < text_.size() && text_[at_] == '|') {
      ++at_;
      insert(begin, {Op::fork, static_cast<std::uint32_t>(begin + 1), 0});
      const std::uint32_t out = emit(Op::jump);
      if (!fault_.empty()) return;
      out_.steps_[begin].b = here();
      choices();
      if (fault_.empty()) out_.steps_[out].a = here();
    }
    --depth_;
  }

  void sequence() {
    while (at_ < text_.size() && text_[at_] != '|' && text_[at_] != ')') {
      const std::size_t begin = here();
      atom();
      repeat(begin);
    }
  }

  void repeat(std::size_t begin) {
    while (fault_.empty() && at_ < text_.size()) {
      std::uint32_t least = 0;
      std::uint32_t most = kNoLimit;
      const char c = text_[at_];
      if (c == '*') {
        ++at_;
      } else if (c == '+') {
        least = 1;
        ++at_;
      } else if (c == '?') {
        most = 1;
        ++at_;
      } else if (c != '{' || !counts(least, most)) {
        return;
      }
      if (at_ < text_.size() && text_[at_] == '?') ++at_;  // lazy: nothing is captured
      unroll(begin, least, most);
    }
  }

  bool counts(std::uint32_t& least, std::uint32_t& most) {
    std::size_t at = at_ + 1;
    const auto number = [&](std::uint32_t& out) {
      const std::size_t start = at;
      out = 0;
      for (; at < text_.size() && is_digit(text_[at]) && at - start < 4; ++at)
        out = out * 10 + static_cast<std::uint32_t>(text_[at] - '0');
      return at > start;
    };
    if (!number(least)) return false;
    most = least;
    if (at < text_.size() && text_[at] == ',') {
      ++at;
      if (!number(most)) most = kNoLimit;
    }
    if (at >= text_.size() || text_[at] != '}') return false;
    at_ = at + 1;
    if (most < least) fail("{n,m} with m below n");
    return true;
  }

  void unroll(std::size_t begin, std::uint32_t least, std::uint32_t most) {
    const std::vector<Step> piece(out_.steps_.begin() + static_cast<std::ptrdiff_t>(begin),
                                  out_.steps_.end());
    out_.steps_.resize(begin);
    for (std::uint32_t i = 0; i < least && fault_.empty(); ++i) copy(piece, begin);
    if (most == kNoLimit) {
      const std::uint32_t fork = emit(Op::fork, here() + 1, 0);
      copy(piece, begin);
      emit(Op::jump, fork);
      if (fault_.empty()) out_.steps_[fork].b = here();
      return;
    }
    std::vector<std::uint32_t> forks;
    for (std::uint32_t i = least; i < most && fault_.empty(); ++i) {
      forks.push_back(emit(Op::fork, here() + 1, 0));
      copy(piece, begin);
    }
    if (!fault_.empty()) return;
    for (const std::uint32_t fork : forks) out_.steps_[fork].b = here();
  }

  void atom() {
    const char c = text_[at_++];
    switch (c) {
      case '(':
        if (text_.substr(at_, 2) == "?:") at_ += 2;
        if (at_ < text_.size() && text_[at_] == '?') return fail("look-around is not known");
        choices();
        if (!fault_.empty()) return;
        if (at_ >= text_.size()) return fail("a \"(\" that nothing closes");
        ++at_;
        return;
      case '[':
        return set_of_brackets();
      case '.': {
        Set set;
        set.add('\n');
        set.invert();
        return emit_set(set);
      }
      case '^':
        emit(Op::start);
        return;
      case '$':
        emit(Op::end);
        return;
      case '*':
      case '+':
      case '?':
        --at_;
        return fail("nothing to repeat");
      case '\\':
        return escape();
      default: {
        Set set;
        set.add(static_cast<unsigned char>(c));
        return emit_set(set);
      }
    }
  }

  void escape() {
    if (at_ >= text_.size()) return fail("it ends with \"\\\"");
    const char c = text_[at_++];
    if (c == 'b' || c == 'B') {
      emit(c == 'b' ? Op::edge : Op::no_edge);
      return;
    }
    if (is_digit(c)) return fail("back-references are not known");
    Set set;
    add_escape(c, set);
    emit_set(set);
  }

  static void add_escape(char c, Set& set) {
    const auto add_if = [&set](auto&& belongs) {
      for (int i = 0; i < 256; ++i) {
        if (belongs(static_cast<char>(i))) set.add(static_cast<unsigned char>(i));
      }
    };
    const auto space = [](char x) { return x == ' ' || (x >= '\t' && x <= '\r'); };
    switch (c) {
      case 'd':
        return add_if([](char x) { return is_digit(x); });
      case 'D':
        return add_if([](char x) { return !is_digit(x); });
      case 'w':
        return add_if([](char x) { return is_word(x); });
      case 'W':
        return add_if([](char x) { return !is_word(x); });
      case 's':
        return add_if([&](char x) { return space(x); });
      case 'S':
        return add_if([&](char x) { return !space(x); });
      case 'n':
        return set.add('\n');
      case 't':
        return set.add('\t');
      case 'r':
        return set.add('\r');
      default:
        return set.add(static_cast<unsigned char>(c));
    }
  }

  void set_of_brackets() {
    Set set;
    const bool negated = at_ < text_.size() && text_[at_] == '^';
    if (negated) ++at_;
    for (bool first = true;; first = false) {
      if (at_ >= text_.size()) return fail("a \"[\" that nothing closes");
      char c = text_[at_++];
      if (c == ']' && !first) break;
      if (c == '\\') {
        if (at_ >= text_.size()) return fail("it ends with \"\\\"");
        c = text_[at_++];
        if (is_word(c)) {
          add_escape(c, set);
          continue;
        }
      }
      unsigned char last = static_cast<unsigned char>(c);
      if (at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
        last = static_cast<unsigned char>(text_[at_ + 1]);
        at_ += 2;
        if (last < static_cast<unsigned char>(c)) return fail("a range that goes backwards");
      }
      for (unsigned x = static_cast<unsigned char>(c); x <= last; ++x)
        set.add(static_cast<unsigned char>(x));
    }
    if (negated) set.invert();
    emit_set(set);
  }

  std::string_view text_;
  TextPattern& out_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::string fault_;
  std::size_t fault_at_ = 0;
};

Result<TextPattern> TextPattern::compile(std::string_view pattern) {
  if (pattern.size() > kBytesMax)
    return Error{"it has more than 1024 bytes", "regular expression", "look for less"};
  TextPattern out;
  if (auto fault = TextPatternReader(pattern, out).read()) return *std::move(fault);
  return out;
}

bool TextPattern::found_in(std::string_view text) const {
  std::vector<std::uint32_t> now;
  std::vector<std::uint32_t> next;
  std::vector<std::size_t> seen(steps_.size(), static_cast<std::size_t>(-1));
  std::vector<std::uint32_t> open;
  const auto edge_at = [&](std::size_t at) {
    const bool before = at > 0 && is_word(text[at - 1]);
    return before != (at < text.size() && is_word(text[at]));
  };
  /// Follows all steps that take no byte. True: accepted.
  const auto enter = [&](std::uint32_t first, std::size_t at, std::vector<std::uint32_t>& set) {
    open.assign(1, first);
    while (!open.empty()) {
      const std::uint32_t i = open.back();
      open.pop_back();
      if (seen[i] == at) continue;
      seen[i] = at;
      const Step& step = steps_[i];
      switch (step.op) {
        case Op::accept:
          return true;
        case Op::set:
          set.push_back(i);
          break;
        case Op::fork:
          open.push_back(step.b);
          open.push_back(step.a);
          break;
        case Op::jump:
          open.push_back(step.a);
          break;
        case Op::start:
          if (at == 0) open.push_back(i + 1);
          break;
        case Op::end:
          if (at == text.size()) open.push_back(i + 1);
          break;
        case Op::edge:
          if (edge_at(at)) open.push_back(i + 1);
          break;
        case Op::no_edge:
          if (!edge_at(at)) open.push_back(i + 1);
          break;
      }
    }
    return false;
  };
  for (std::size_t at = 0;; ++at) {
    if (enter(0, at, now)) return true;  // it may begin anywhere
    if (at == text.size()) return false;
    next.clear();
    for (const std::uint32_t i : now) {
      if (sets_[steps_[i].a].has(static_cast<unsigned char>(text[at])) &&
          enter(i + 1, at + 1, next)) {
        return true;
      }
    }
    now.swap(next);
  }
}

}  // namespace orchestrator::base
