// The copy of the sweep file in the sweep's folder, at whose end stands what --set changed of it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace expctl {

/// `settings` are "key=value".
std::string sweep_copy(const std::filesystem::path& file, const std::vector<std::string>& settings);

/// The settings that such a copy ends with.
std::vector<std::string> settings_in_copy(const std::string& copy);

}  // namespace expctl
