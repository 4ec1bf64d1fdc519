// The manual page, made of the same table that --help prints; the build asks the hidden verb `man` for it.
#pragma once

#include <string>

#include "cli/reference.h"

namespace CLI {
class App;
}

namespace expctl {

/// In man(7)'s macros: the program's options, every verb that is not hidden with those below it, then
/// `sections`.
std::string man_page(const CLI::App& app, const std::string& version,
                     const std::vector<ManualSection>& sections);

}  // namespace expctl
