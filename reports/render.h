// Mustache templates of reports/templates filled in from JSON.
#pragma once

#include <string>

#include "core/json.h"

namespace expctl {

enum class Escape { kHtml, kNone };

/// The template `name` with `facts` filled in: members by name, lists as sections, false, null, "" and empty
/// lists as absent; {{{raw}}} is not escaped. Throws Error where the template is not well formed.
std::string render(const std::string& name, const Json& facts, Escape escape);

}  // namespace expctl
