// Files of one JSON object a line, which a run writes while others read them.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

#include "core/json.h"

namespace expctl {

/// Calls look(object) for each line that holds one; lines that are not (yet) whole are left out.
template <typename Look>
void for_each_json_object(std::string_view text, const Look& look) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const Json line = Json::parse(text.substr(0, end), nullptr, false);
    if (line.is_object()) look(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

/// Nothing where the object has no such member, or something else of that name.
inline std::optional<double> number_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

}  // namespace expctl
