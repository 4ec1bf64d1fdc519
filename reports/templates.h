// The texts of a submission that are files of this source tree (reports/templates), compiled in by
// cmake/embed_files.cmake.
#pragma once

#include <string>
#include <string_view>

namespace expctl {

/// The file `name` of reports/templates as it is.
std::string_view submission_template(std::string_view name);

}  // namespace expctl
