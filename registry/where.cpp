#include "registry/where.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "core/error.h"

namespace expctl {
namespace {

bool is_word_end(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("()<>=!~\"'").find(c) != std::string_view::npos;
}

Json value_of(const std::string& word) {
  if (word == "true" || word == "false") return word == "true";
  char* end = nullptr;
  const double number = std::strtod(word.c_str(), &end);
  const bool starts_like_one = std::isdigit(static_cast<unsigned char>(word[0])) != 0 || word[0] == '-' ||
                               word[0] == '+' || word[0] == '.';
  return starts_like_one && *end == '\0' ? Json(number) : Json(word);
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Where parse() {
    skip_space();
    if (at_ == text_.size()) return {};
    Where where = parse_or();
    if (at_ != text_.size()) refuse("expected 'and' or 'or'");
    return where;
  }

 private:
  Where parse_or() {
    return parse_joined("or", Where::kOr, [this] { return parse_and(); });
  }
  Where parse_and() {
    return parse_joined("and", Where::kAnd, [this] { return parse_one(); });
  }

  template <typename ParsePart>
  Where parse_joined(std::string_view word, Where::Kind kind, ParsePart part) {
    Where joined;
    joined.kind = kind;
    joined.parts.push_back(part());
    while (take_word(word)) joined.parts.push_back(part());
    return joined.parts.size() == 1 ? joined.parts.front() : joined;
  }

  Where parse_one() {
    constexpr int kDeepest = 100;
    if (++depth_ > kDeepest) refuse("too many parentheses");
    Where one;
    if (take_word("not")) {
      one.kind = Where::kNot;
      one.parts.push_back(parse_one());
    } else if (take("(")) {
      one = parse_or();
      if (!take(")")) refuse("expected ')'");
    } else {
      one = parse_comparison();
    }
    --depth_;
    return one;
  }

  Where parse_comparison() {
    Where where;
    where.kind = Where::kCompare;
    where.key = word("the name of a column or parameter");
    for (const char* op : {"<=", ">=", "!=", "==", "<", ">", "=", "~"}) {
      if (!take(op)) continue;
      where.op = std::string_view(op) == "==" ? "=" : op;
      break;
    }
    if (where.op.empty()) refuse("expected one of < <= > >= = != ~");
    where.value = quoted() ? Json(quoted_text()) : value_of(word("a value"));
    return where;
  }

  bool quoted() const { return at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\''); }

  std::string quoted_text() {
    const size_t begin = at_ + 1, end = text_.find(text_[at_], begin);
    if (end == std::string_view::npos) refuse("the quote is not closed");
    at_ = end + 1;
    skip_space();
    return std::string(text_.substr(begin, end - begin));
  }

  std::string word(const char* what) {
    const size_t begin = at_;
    while (at_ < text_.size() && !is_word_end(text_[at_])) ++at_;
    if (at_ == begin) refuse(fmt::format("expected {}", what));
    const std::string found(text_.substr(begin, at_ - begin));
    skip_space();
    return found;
  }

  bool take(std::string_view symbol) {
    if (!text_.substr(at_).starts_with(symbol)) return false;
    at_ += symbol.size();
    skip_space();
    return true;
  }

  bool take_word(std::string_view word) {
    const size_t end = at_ + word.size();
    if (!text_.substr(at_).starts_with(word) || (end < text_.size() && !is_word_end(text_[end])))
      return false;
    return take(word);
  }

  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(fmt::format("--where: {} at '{}'", what, at_ < text_.size() ? text_.substr(at_) : "its end"),
                "such as: --where 'learning_rate<4e-5 and f1>80'", ErrorCode::kUsage);
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Where parse_where(std::string_view text) {
  return Parser(text).parse();
}

}  // namespace expctl
