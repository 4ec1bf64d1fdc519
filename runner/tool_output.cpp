#include "runner/tool_output.h"

#include <algorithm>
#include <charconv>

namespace expctl {

std::optional<unsigned> whole_number(std::string_view text) {
  unsigned value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

bool got_no_answer(const ToolResult& result, std::initializer_list<const char*> words) {
  return result.timed_out || std::any_of(words.begin(), words.end(), [&](const char* word) {
           return result.err.find(word) != std::string::npos;
         });
}

}  // namespace expctl
