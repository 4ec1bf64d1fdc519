#include "reports/log_text.h"

#include <algorithm>

namespace expctl {
namespace {

constexpr char kEscape = '\x1b';

/// How many bytes the escape sequence takes that `text` begins with (ECMA-48: control sequences, and strings
/// that end with BEL or ESC \).
size_t escape_length(std::string_view text) {
  if (text.size() < 2) return text.size();
  if (text[1] == '[') {
    size_t end = 2;
    while (end < text.size() && (text[end] < '@' || text[end] > '~')) ++end;
    return std::min(end + 1, text.size());
  }
  if (text[1] == ']') {
    const size_t end = text.find_first_of("\a\x1b\n", 2);
    if (end == std::string_view::npos || text[end] == '\n') return 2;  // it has no end: no title of a window
    return text[end] == kEscape ? std::min(end + 2, text.size()) : end + 1;
  }
  return 2;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
}

}  // namespace

std::string log_text(std::string_view log) {
  std::string out;
  size_t line = 0;  // where the current one begins in `out`
  bool is_returned = false;
  for (size_t i = 0; i < log.size(); ++i) {
    const char c = log[i];
    if (c == kEscape) {
      i += escape_length(log.substr(i)) - 1;
    } else if (c == '\r') {
      is_returned = true;
    } else if (!is_control(c)) {
      if (is_returned && c != '\n') out.resize(line);
      is_returned = false;
      out += c;
      if (c == '\n') line = out.size();
    }
  }
  return out;
}

std::string_view from_line_begin(std::string_view tail, bool is_cut) {
  const size_t end = tail.find('\n');
  if (is_cut && end != std::string_view::npos) tail.remove_prefix(end + 1);
  return tail;
}

}  // namespace expctl
