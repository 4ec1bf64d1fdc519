#include "experiments/shell_words.h"

#include <fmt/core.h>

#include <cctype>

#include "core/error.h"

namespace expctl {
namespace {

/// No command line is as long; "A=$A$A" in a row grows beyond any.
constexpr size_t kLongestWord = size_t{1} << 16, kLongestScript = size_t{1} << 20;

bool is_name_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

bool ends_command(char c) {
  return c == '\n' || c == ';' || c == '&' || c == '|' || c == '(' || c == ')';
}

/// "NAME" of "NAME=value" and "NAME+=value".
std::string_view assigned_name(std::string_view word) {
  const size_t equals = word.find('=');
  if (equals == std::string_view::npos || equals == 0 || !is_name_start(word[0])) return {};
  const std::string_view name = word.substr(0, word[equals - 1] == '+' ? equals - 1 : equals);
  for (const char c : name) {
    if (!is_name(c)) return {};
  }
  return name;
}

class ShellReader {
 public:
  ShellReader(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  ShellScript read() {
    while (at_ < text_.size()) read_piece();
    end_command();
    return std::move(script_);
  }

 private:
  [[noreturn]] void refuse(int line, const std::string& what) const {
    throw Error(fmt::format("{}:{}: {}", source_, line, what));
  }

  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  char next() {
    const char c = text_[at_++];
    if (c == '\0') refuse(line_, "a NUL byte in it, so it is no command line");
    if (c == '\n') ++line_;
    return c;
  }

  /// A backslash before a line break, which joins the lines.
  bool skip_continuation() {
    if (peek() != '\\') return false;
    const size_t length = peek(1) == '\n' ? 2 : peek(1) == '\r' && peek(2) == '\n' ? 3 : 0;
    at_ += length;
    if (length > 0) ++line_;
    return length > 0;
  }

  void read_piece() {
    const char c = peek();
    if (skip_continuation()) return;
    if (is_blank(c)) {
      end_word();
      next();
    } else if (c == '#' && !in_word_) {
      while (at_ < text_.size() && peek() != '\n') next();
    } else if (c == '>' || c == '<' || (c == '&' && peek(1) == '>')) {
      read_redirection();
    } else if (ends_command(c)) {
      end_command();
      next();
    } else {
      read_word_part();
    }
  }

  /// "2>&1", ">> file", "&> file": the number before it is part of it, and what follows is its target.
  void read_redirection() {
    if (in_word_ && word_.find_first_not_of("0123456789") == std::string::npos) drop_word();
    end_word();
    while (peek() == '>' || peek() == '<' || peek() == '&') next();
    is_target_ = true;
  }

  void read_word_part() {
    begin_word();
    switch (const char c = next()) {
      case '\\':
        if (at_ < text_.size()) add(next());
        break;
      case '\'':
        read_single_quotes();
        break;
      case '"':
        read_double_quotes();
        break;
      case '$':
        if (const Expansion value = expansion(); value.is_known)
          add_split(value.text);
        else
          add_all(value.text);
        break;
      case '`':
        add(c);
        copy_until('`');
        break;
      default:
        add(c);
    }
  }

  void read_single_quotes() {
    const int begun = line_;
    while (peek_or_refuse(begun, "a ' that is not closed") != '\'') add(next());
    next();
  }

  void read_double_quotes() {
    const int begun = line_;
    while (peek_or_refuse(begun, "a \" that is not closed") != '"') {
      if (skip_continuation()) continue;
      const char c = next();
      if (c == '\\' && (peek() == '"' || peek() == '\\' || peek() == '$' || peek() == '`'))
        add(next());
      else if (c == '$')
        add_all(expansion().text);
      else
        add(c);
    }
    next();
  }

  char peek_or_refuse(int begun, const std::string& what) const {
    if (at_ >= text_.size()) refuse(begun, what);
    return text_[at_];
  }

  void copy_until(char last) {
    const int begun = line_;
    while (peek_or_refuse(begun, fmt::format("a {} that is not closed", last)) != last) add(next());
    add(next());
  }

  /// What the text after a '$' stands for; where it is not known, the text itself.
  struct Expansion {
    std::string text;
    bool is_known = false;
  };

  Expansion expansion() {
    const size_t begin = at_ - 1;
    const auto as_written = [&] { return Expansion{std::string(text_.substr(begin, at_ - begin)), false}; };
    if (peek() == '(') {
      skip_substitution();
      return as_written();
    }
    const bool is_braced = peek() == '{';
    const int begun = line_;
    if (is_braced) next();
    std::string name, rest;
    while (is_name(peek())) name += next();
    if (is_braced) {
      while (peek_or_refuse(begun, "a ${ that is not closed") != '}') rest += next();
      next();
    }
    const bool has_default = rest.starts_with(":-") || rest.starts_with("-");
    if (!rest.empty() && !has_default) return as_written();
    const auto variable = script_.variables.find(name);
    if (variable != script_.variables.end()) return {variable->second, true};
    return has_default ? Expansion{unquoted(rest.substr(rest.find('-') + 1)), true} : as_written();
  }

  /// $(date +%s): nobody knows what it prints.
  void skip_substitution() {
    const int begun = line_;
    int depth = 0;
    do {
      peek_or_refuse(begun, "a $( that is not closed");
      const char c = next();
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    } while (depth > 0);
  }

  static std::string unquoted(const std::string& text) {
    const bool quoted = text.size() >= 2 && (text[0] == '"' || text[0] == '\'') && text.back() == text[0];
    return quoted ? text.substr(1, text.size() - 2) : text;
  }

  void begin_word() {
    if (in_word_) return;
    in_word_ = true;
    word_line_ = line_;
  }

  void add(char c) {
    word_ += c;
    if (word_.size() > kLongestWord) refuse(word_line_, "a word of more than 64 KiB");
  }

  void add_all(const std::string& text) {
    for (const char c : text) add(c);
  }

  /// A value outside of quotes: its blanks part words, but not those of an assignment.
  void add_split(const std::string& value) {
    const bool is_one = !assigned_name(word_).empty();
    for (const char c : value) {
      if (!is_one && (is_blank(c) || c == '\n')) {
        word_.empty() ? drop_word() : end_word();
      } else {
        begin_word();
        add(c);
      }
    }
    if (word_.empty()) drop_word();
  }

  void drop_word() {
    word_.clear();
    in_word_ = false;
  }

  void end_word() {
    if (!in_word_) return;
    size_ += word_.size();
    if (size_ > kLongestScript) refuse(word_line_, "commands of more than 1 MiB");
    if (is_target_) {
      is_target_ = false;
    } else if (!assigned_name(word_).empty() && takes_assignments()) {
      assign(word_);
    } else {
      if (command_.words.empty()) command_.line = word_line_;
      command_.words.push_back(word_);
    }
    drop_word();
  }

  bool takes_assignments() const {
    return command_.words.empty() || command_.words[0] == "export" || command_.words[0] == "env" ||
           command_.words[0] == "declare";
  }

  void assign(const std::string& word) {
    const std::string name(assigned_name(word));
    const std::string value = word.substr(word.find('=') + 1);
    std::string& variable = script_.variables[name];
    variable = word[name.size()] == '+' ? variable + value : value;
    if (variable.size() > kLongestWord) refuse(word_line_, fmt::format("{} has more than 64 KiB", name));
  }

  void end_command() {
    end_word();
    is_target_ = false;
    if (!command_.words.empty()) script_.commands.push_back(std::move(command_));
    command_ = {};
  }

  std::string_view text_;
  std::string source_;
  size_t at_ = 0;
  int line_ = 1;
  std::string word_;  ///< as far as it has been read
  bool in_word_ = false;
  int word_line_ = 1;
  bool is_target_ = false;  ///< the next word is a redirection's
  ShellCommand command_;
  size_t size_ = 0;  ///< of all words so far
  ShellScript script_;
};

}  // namespace

ShellScript read_shell(std::string_view text, const std::string& source) {
  return ShellReader(text, source).read();
}

}  // namespace expctl
