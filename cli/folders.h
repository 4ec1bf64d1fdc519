// Folders that are named on the command line.
#pragma once

#include <filesystem>
#include <string>

namespace expctl {

/// A folder as people type it, "checkpoint/" too.
std::filesystem::path folder_path(const std::string& text);

/// Throws Error where a folder to be made is there and not empty, or is a file. `hint`: what to do then.
void check_new_folder(const std::filesystem::path& folder, const std::string& hint);

}  // namespace expctl
