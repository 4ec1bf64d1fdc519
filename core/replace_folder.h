// A folder in place of another.
#pragma once

#include <filesystem>

namespace expctl {

/// Gives `folder` the name of `target`; where that is a folder already, it has the name of `folder` then, or
/// is gone. In one step where the file system can exchange two names, else there is no `target` for a moment.
/// Throws Error.
void replace_folder(const std::filesystem::path& folder, const std::filesystem::path& target);

}  // namespace expctl
