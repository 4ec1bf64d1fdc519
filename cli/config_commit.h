// Which commit of a git repository a file belongs to.
#pragma once

#include <filesystem>
#include <string>

namespace expctl {

/// The git commit of the sweep file's folder, "-dirty" where it does not hold the file as it is; "" where
/// there is none.
std::string config_commit(const std::filesystem::path& file);

}  // namespace expctl
