// A file that a command makes where the user says, over and over again.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace expctl {

/// Writes it. A file that is there is replaced only where an earlier call has made it: where `mark`, which
/// stands in every such `text`, stands in it too. Throws Error.
void write_output(const std::filesystem::path& file, std::string_view text, std::string_view mark);

}  // namespace expctl
