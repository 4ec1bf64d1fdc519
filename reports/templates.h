// The texts of submissions and pages that are files of this source tree (reports/templates), compiled in.
#pragma once

#include <string_view>

namespace expctl {

/// The file `name` of reports/templates as it is. An unknown name is a bug, and throws std::logic_error.
std::string_view template_text(std::string_view name);

}  // namespace expctl
