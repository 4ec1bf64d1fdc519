// Conditions on runs as people type them: learning_rate<4e-5 and (f1>80 or tag=best). A pure parser.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace expctl {

struct Where {
  enum Kind { kAnd, kOr, kNot, kCompare };
  Kind kind = kAnd;          ///< of no parts: true
  std::vector<Where> parts;  ///< of kNot one
  std::string key;           ///< these three of kCompare
  std::string op;            ///< < <= > >= = != ~ (contains)
  Json value;                ///< a number, a bool or a text
};

/// Comparisons "KEY OP VALUE", joined by and, or, not and parentheses; a value with spaces is quoted. Throws
/// Error (kUsage) that points at what was not understood. "" is true of every run.
Where parse_where(std::string_view text);

}  // namespace expctl
