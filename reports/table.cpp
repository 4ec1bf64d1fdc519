#include "reports/table.h"

#include <algorithm>
#include <charconv>

#include "squad/unicode.h"

namespace expctl {
namespace {

bool is_number(const std::string& cell) {
  if (cell == "-") return true;
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  return error == std::errc() && end == cell.data() + cell.size();
}

size_t width_of(const std::string& cell) {
  return decode_utf8(cell).size();
}

struct Column {
  size_t width = 0;
  bool numbers = true;
};

std::vector<Column> measure(const std::vector<std::string>& header,
                            const std::vector<std::vector<std::string>>& rows) {
  std::vector<Column> columns(header.size());
  for (size_t i = 0; i < header.size(); ++i) {
    columns[i].width = width_of(header[i]);
    for (const auto& row : rows) {
      columns[i].width = std::max(columns[i].width, width_of(row.at(i)));
      columns[i].numbers = columns[i].numbers && is_number(row.at(i));
    }
  }
  return columns;
}

std::string render_row(const std::vector<std::string>& row, const std::vector<Column>& columns) {
  std::string line;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string padding(columns[i].width - width_of(row[i]), ' ');
    if (i > 0) line += "  ";
    line += columns[i].numbers ? padding + row[i] : row[i] + padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

std::string render_table(const std::vector<std::string>& header,
                         const std::vector<std::vector<std::string>>& rows) {
  const auto columns = measure(header, rows);
  std::string text = render_row(header, columns);
  for (const auto& row : rows) text += render_row(row, columns);
  return text;
}

}  // namespace expctl
