#include "syntax/pieces.h"

#include <algorithm>
#include <array>
#include <utility>

namespace orchestrator::syntax {
namespace {

constexpr std::size_t kDepthMax = 1000;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

constexpr std::array<bool, 256> kIsWord = [] {
  std::array<bool, 256> is{};
  for (std::size_t c = 0; c < is.size(); ++c) {
    is[c] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            c == '_' || c == '$' || c >= 0x80;
  }
  return is;
}();
bool is_word(char c) { return kIsWord[static_cast<unsigned char>(c)]; }

/// The kind of the last token, which limits the next one.
enum class Last {
  nothing,    // the text begins
  word,       // an operand ends; also `)` and `]`
  string,     // the same
  open_word,  // `type`, `as`: more must follow, or it is a name like any other
  reserved,   // `return`: an expression follows
  opener,     // `else`: a statement follows
  head,       // `if`: a `(` follows
  head_end,   // the `)` of `if (…)`
  arrow,      // `=>`
  closer,     // `}`, or a `>` that ends a type
  end,        // `;`
  symbol,     // any other: an operand follows
};

// Not `void`: it is far more often a type, after which a function's `{` may follow.
constexpr std::array<std::string_view, 8> kReserved = {"return", "typeof",     "case",   "in",
                                                       "new",    "instanceof", "delete", "throw"};
/// Words that may continue a statement on the next line.
constexpr std::array<std::string_view, 32> kOpenWords = {
    "abstract",   "as",     "asserts",   "async",     "await", "class",    "const", "declare",
    "default",    "enum",   "export",    "extends",   "from",  "function", "get",   "global",
    "implements", "import", "infer",     "interface", "is",    "keyof",    "let",   "module",
    "namespace",  "of",     "satisfies", "set",       "type",  "var",      "yield", "readonly"};
constexpr std::array<std::string_view, 4> kHeads = {"if", "while", "for", "with"};
constexpr std::array<std::string_view, 2> kOpeners = {"else", "do"};
/// Words after which braces hold members, not statements.
constexpr std::array<std::string_view, 3> kMemberWords = {"class", "interface", "enum"};

/// Keywords that, at the beginning of a line, always begin a statement.
constexpr std::array<std::string_view, 14> kFirstWords = {
    "export", "import", "function", "class",   "interface", "type",  "const",
    "let",    "var",    "enum",     "declare", "namespace", "async", "abstract"};
/// Further ones within blocks. `case` begins none, but ends what is before it.
constexpr std::array<std::string_view, 9> kFirstInBlocks = {
    "return", "throw", "if", "for", "try", "switch", "case", "default", "break"};

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

constexpr std::size_t kLongestKeyword = 10;  // `implements`, `instanceof`
bool may_be_keyword(std::string_view word) {
  return word.size() > 1 && word.size() <= kLongestKeyword && word.front() >= 'a' &&
         word.front() <= 'z';
}

class Splitter {
 public:
  Splitter(std::string_view text, const std::vector<std::uint32_t>& places)
      : text_(text), places_(places) {}

  std::optional<Pieces> run() {
    if (text_.starts_with("#!")) return std::nullopt;
    open_.push_back({Bracket::file, -1, -1, false, false, false});
    begin_piece(0, 0);
    while (i_ < text_.size()) {
      const char c = text_[i_];
      if (c == '\n') {
        next_line(++i_);
        fresh_line_ = true;
      } else if (is_space(c)) {
        ++i_;
      } else {
        if (!token(c)) return std::nullopt;
        fresh_line_ = false;
      }
    }
    if (open_.size() != 1) return std::nullopt;
    end_piece(text_.size());
    assign_places(text_.size(), innermost_);
    return std::move(out_);
  }

 private:
  enum class Bracket {
    file,
    paren,
    head,  // the `(` of `if (`
    square,
    block,    // holds statements
    members,  // of a class
    object,   // or a type
    pattern,  // a template's `${`
  };
  struct Open {
    Bracket bracket;
    std::int32_t piece;  // file, block: the one that is open, or -1
    std::int32_t outer;  // the innermost piece around the bracket
    bool members_next;   // the next `{` is a class's
    bool decorated;      // an `@` waits for its class
    bool asserted;       // a `<` began no arguments of a type: `<T>{ a: 1 }` is an object
  };

  [[nodiscard]] char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }

  void next_line(std::size_t start) {
    ++row_;
    line_start_ = start;
  }

  // ---- pieces -----------------------------------------------------------------------------------

  void begin_piece(std::size_t start, std::uint32_t line) {
    Open& frame = open_.back();
    const auto id = static_cast<std::int32_t>(out_.pieces.size());
    const std::int32_t top =
        frame.outer < 0 ? id : out_.pieces[static_cast<std::size_t>(frame.outer)].top;
    out_.pieces.push_back({static_cast<std::uint32_t>(start), 0, line, frame.outer, top});
    frame.piece = id;
    innermost_ = id;
  }

  void end_piece(std::size_t end) {
    const std::int32_t id = open_.back().piece;
    if (id < 0) return;
    out_.pieces[static_cast<std::size_t>(id)].end = static_cast<std::uint32_t>(end);
  }

  /// A token begins at `start`, the first of its line.
  void may_begin_piece(std::size_t start, std::string_view word) {
    const Open& frame = open_.back();
    const bool in_file = frame.bracket == Bracket::file;
    if (!in_file && frame.bracket != Bracket::block) return;
    const bool first_of_block = !in_file && block_begins_;
    const bool named =
        is_one_of(kFirstWords, word) || (!in_file && is_one_of(kFirstInBlocks, word));
    if (!first_of_block && (!named || !ends_statement() || frame.decorated)) return;
    if (in_file && start != line_start_) return;
    assign_places(line_start_, innermost_);
    end_piece(line_start_);
    begin_piece(line_start_, row_);
  }

  /// Assigns the unclaimed places before `end` to this piece.
  void assign_places(std::size_t end, std::int32_t piece) {
    while (out_.of_place.size() < places_.size() && places_[out_.of_place.size()] < end)
      out_.of_place.push_back(piece);
  }

  [[nodiscard]] bool ends_statement() const {
    return last_ == Last::word || last_ == Last::string || last_ == Last::closer ||
           last_ == Last::end;
  }

  // ---- tokens -----------------------------------------------------------------------------------

  bool token(char c) {
    const bool comment = c == '/' && (at(i_ + 1) == '/' || at(i_ + 1) == '*');
    if (comment) return skip_comment();
    const std::size_t start = i_;
    if (fresh_line_ && !is_word(c) && c != '}') may_begin_piece(start, "");
    if (is_word(c)) {
      word();
      return true;
    }
    if (c != '}') block_begins_ = false;
    switch (c) {
      case '"':
      case '\'':
        return string(c);
      case '`':
        ++i_;
        return template_text();
      case '/':
        return slash();
      case '(':
        return open(last_ == Last::head ? Bracket::head : Bracket::paren);
      case '[':
        return open(Bracket::square);
      case '{':
        return open_brace();
      case ')':
      case ']':
      case '}':
        return close(c);
      case '@':
        open_.back().decorated = true;
        return plain(Last::symbol);
      case '\\':  // an escape within a name
        return false;
      case '=':
        if (at(i_ + 1) == '>') {
          ++i_;
          return plain(Last::arrow);
        }
        return plain(Last::symbol);
      case '<':
        if (text_.substr(i_, 4) == "<!--") return false;
        if (last_ != Last::word && last_ != Last::string) open_.back().asserted = true;
        return plain(Last::symbol);
      case '>':  // after a comparison the rest of a statement does not parse
        return plain(Last::closer);
      case ';':
        open_.back().members_next = false;
        open_.back().asserted = false;
        return plain(Last::end);
      case '+':
      case '-':
        if (text_.substr(i_, 3) == "-->") return false;
        if (at(i_ + 1) != c) return plain(Last::symbol);
        ++i_;  // `a++` ends an operand; behind `++a` a `/` would be odd
        return plain(Last::word);
      default:
        return static_cast<unsigned char>(c) >= 0x20 && plain(Last::symbol);
    }
  }

  bool plain(Last last) {
    last_ = last;
    ++i_;
    assign_places(i_, innermost_);
    return true;
  }

  bool open(Bracket bracket) {
    if (open_.size() >= kDepthMax) return false;
    open_.push_back({bracket, -1, innermost_, false, false, false});
    block_begins_ = bracket == Bracket::block;
    return plain(Last::symbol);
  }

  bool open_brace() {
    const bool asserted = std::exchange(open_.back().asserted, false);
    if (asserted && last_ == Last::closer && at(i_ - 1) != '}') return open(Bracket::object);
    switch (last_) {
      case Last::symbol:
      case Last::open_word:
      case Last::reserved:
      case Last::nothing:
      case Last::head:
        return open(Bracket::object);
      case Last::word:
      case Last::string:
      case Last::opener:
      case Last::head_end:
      case Last::arrow:
      case Last::closer:
      case Last::end:
        break;
    }
    const bool members = std::exchange(open_.back().members_next, false);
    return open(members ? Bracket::members : Bracket::block);
  }

  bool close(char c) {
    if (open_.size() == 1) return false;
    const Open frame = open_.back();
    switch (frame.bracket) {
      case Bracket::file:
        return false;
      case Bracket::paren:
      case Bracket::head:
        if (c != ')') return false;
        break;
      case Bracket::square:
        if (c != ']') return false;
        break;
      case Bracket::block:
      case Bracket::members:
      case Bracket::object:
      case Bracket::pattern:
        if (c != '}') return false;
        break;
    }
    assign_places(i_, innermost_);
    end_piece(i_);
    open_.pop_back();
    innermost_ = frame.outer;
    block_begins_ = false;
    if (frame.bracket == Bracket::pattern) {
      ++i_;
      return template_text();
    }
    return plain(frame.bracket == Bracket::head ? Last::head_end
                 : c == '}'                     ? Last::closer
                                                : Last::word);
  }

  void word() {
    const std::size_t start = i_;
    while (i_ < text_.size() && is_word(text_[i_])) ++i_;
    const std::string_view word = text_.substr(start, i_ - start);
    if (fresh_line_) may_begin_piece(start, word);
    block_begins_ = false;
    const bool member = start > 0 && text_[start - 1] == '.';
    if (!may_be_keyword(word)) {
      last_ = Last::word;
      assign_places(i_, innermost_);
      return;
    }
    if (!member && is_one_of(kMemberWords, word)) {
      open_.back().members_next = true;
      open_.back().decorated = false;
    }
    last_ = member                        ? Last::word
            : is_one_of(kReserved, word)  ? Last::reserved
            : is_one_of(kOpeners, word)   ? Last::opener
            : is_one_of(kOpenWords, word) ? Last::open_word
            : is_one_of(kHeads, word)     ? Last::head
                                          : Last::word;
    assign_places(i_, innermost_);
  }

  bool string(char quote) {
    for (++i_; i_ < text_.size(); ++i_) {
      const char c = text_[i_];
      if (c == '\n') return false;  // an apostrophe in JSX, or what is no code
      if (c == quote) return plain(Last::string);
      if (c != '\\') continue;
      ++i_;
      if (at(i_) == '\r') return false;
      if (at(i_) == '\n') next_line(i_ + 1);
    }
    return false;
  }

  bool template_text() {
    for (; i_ < text_.size(); ++i_) {
      const char c = text_[i_];
      if (c == '\n') {
        next_line(i_ + 1);
      } else if (c == '\\') {
        ++i_;
        if (at(i_) == '\n') next_line(i_ + 1);
      } else if (c == '`') {
        return plain(Last::string);
      } else if (c == '$' && at(i_ + 1) == '{') {
        ++i_;
        return open(Bracket::pattern);
      }
    }
    return false;
  }

  bool skip_comment() {
    assign_places(i_, innermost_);
    if (at(i_ + 1) == '/') {
      i_ = std::min(text_.find('\n', i_), text_.size());
    } else {
      const std::size_t end = text_.find("*/", i_ + 2);
      if (end == std::string_view::npos) return false;
      for (; i_ < end; ++i_) {
        if (text_[i_] == '\n') next_line(i_ + 1);
      }
      i_ = end + 2;
    }
    assign_places(i_, -1);
    return true;
  }

  bool slash() {
    if (i_ > 0 && text_[i_ - 1] == '.') return false;  // `1./2`
    switch (last_) {
      case Last::word:
      case Last::string:
        return plain(Last::symbol);  // a division
      case Last::nothing:
      case Last::reserved:
      case Last::opener:
      case Last::head_end:
      case Last::arrow:
      case Last::end:
      case Last::symbol:
        return regular_expression();
      case Last::open_word:
      case Last::head:
      case Last::closer:
        return false;  // of a name, of a block, of an object: unknown
    }
    return false;
  }

  bool regular_expression() {
    bool in_class = false;
    for (++i_; i_ < text_.size(); ++i_) {
      const char c = text_[i_];
      if (c == '\n') return false;
      if (c == '\\') {
        ++i_;
        if (at(i_) == '\n') return false;
      } else if (c == '[') {
        in_class = true;
      } else if (c == ']') {
        in_class = false;
      } else if (c == '/' && !in_class) {
        while (is_word(at(i_ + 1))) ++i_;
        return plain(Last::string);
      }
    }
    return false;
  }

  std::string_view text_;
  const std::vector<std::uint32_t>& places_;
  Pieces out_;
  std::vector<Open> open_;
  std::int32_t innermost_ = -1;  // piece
  std::size_t i_ = 0;
  std::size_t line_start_ = 0;
  std::uint32_t row_ = 0;
  bool fresh_line_ = false;    // no token of this line was read yet
  bool block_begins_ = false;  // the last token opened a block
  Last last_ = Last::nothing;
};

}  // namespace

bool can_split(Language language) {
  return language == Language::javascript || language == Language::typescript ||
         language == Language::tsx;
}

std::optional<Pieces> split(Language language, std::string_view text,
                            const std::vector<std::uint32_t>& places) {
  // The text between JSX tags is no code, and only a parser can find it.
  if (language != Language::typescript &&
      (text.find("</") != std::string_view::npos || text.find("/>") != std::string_view::npos)) {
    return std::nullopt;
  }
  return Splitter(text, places).run();
}

}  // namespace orchestrator::syntax
