// The manual page, made of the same table that --help prints; the build asks the hidden verb `man` for it.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <string>

namespace expctl {

/// In man(7)'s macros: the program's options, then every verb that is not hidden, with those below it.
std::string man_page(const CLI::App& app, const std::string& version);

}  // namespace expctl
