// A table for a terminal.
#pragma once

#include <string>
#include <vector>

namespace expctl {

/// Columns two spaces apart, as wide as their widest cell in code points; a column whose cells are all
/// numbers or "-" is set flush right. Every row has as many cells as the header. Lines end without trailing
/// spaces.
std::string render_table(const std::vector<std::string>& header,
                         const std::vector<std::vector<std::string>>& rows);

}  // namespace expctl
