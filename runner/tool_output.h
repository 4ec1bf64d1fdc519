// What the commands of clusters print and take, as far as it is the same for all of them.
#pragma once

#include <initializer_list>

#include "runner/tool_call.h"

namespace expctl {

/// Whether the tool got no answer: it timed out, or its errors hold one of the words with which it says so.
bool got_no_answer(const ToolResult& result, std::initializer_list<const char*> words);

}  // namespace expctl
