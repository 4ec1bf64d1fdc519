// A table for a terminal.
#pragma once

#include <string>
#include <vector>

namespace expctl {

/// How the output is displayed; the defaults suit a file or another program.
struct TableStyle {
  size_t columns = 0;        ///< characters in a line; 0: as many as there are
  bool is_coloured = false;  ///< by ANSI's escapes
};

/// Columns two spaces apart, as wide as their widest cell in code points; a column whose cells are all
/// numbers or "-" is set flush right. Every row has as many cells as the header. Lines end without trailing
/// spaces. Where a line would be too long, the last column goes on in further lines, broken at spaces. States
/// and results are coloured by what they mean.
std::string render_table(const std::vector<std::string>& header,
                         const std::vector<std::vector<std::string>>& rows, const TableStyle& style = {});

}  // namespace expctl
