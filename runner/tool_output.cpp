#include "runner/tool_output.h"

#include <algorithm>

namespace expctl {

bool got_no_answer(const ToolResult& result, std::initializer_list<const char*> words) {
  return result.timed_out || std::any_of(words.begin(), words.end(), [&](const char* word) {
           return result.err.find(word) != std::string::npos;
         });
}

}  // namespace expctl
