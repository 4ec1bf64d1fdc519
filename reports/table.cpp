#include "reports/table.h"

#include <algorithm>
#include <map>

#include "core/text.h"
#include "squad/unicode.h"

namespace expctl {
namespace {

bool is_number(const std::string& cell) {
  return cell == "-" || parse_number<double>(cell);
}

size_t width_of(const std::string& cell) {
  return decode_utf8(cell).size();
}

struct Column {
  size_t width = 0;
  bool is_numbers = true;
  bool is_state = false;  ///< of words that have a colour
};

std::vector<Column> measure(const std::vector<std::string>& header,
                            const std::vector<std::vector<std::string>>& rows) {
  std::vector<Column> columns(header.size());
  for (size_t i = 0; i < header.size(); ++i) {
    columns[i].width = width_of(header[i]);
    columns[i].is_state = header[i] == "state" || header[i] == "result" || header[i].empty();
    for (const auto& row : rows) {
      columns[i].width = std::max(columns[i].width, width_of(row.at(i)));
      columns[i].is_numbers = columns[i].is_numbers && is_number(row.at(i));
    }
  }
  return columns;
}

/// The escape that a cell's meaning has; "" for none.
std::string_view colour_of(const std::string& cell) {
  static const std::map<std::string_view, std::string_view> colours = {
      {"succeeded", "\x1b[32m"}, {"passed", "\x1b[32m"},  {"same", "\x1b[32m"},    {"failed", "\x1b[31m"},
      {"differs", "\x1b[31m"},   {"running", "\x1b[36m"}, {"stopped", "\x1b[33m"}, {"pruned", "\x1b[33m"},
      {"unproven", "\x1b[33m"},  {"queued", "\x1b[2m"}};
  const auto found = colours.find(std::string_view(cell).substr(0, cell.find(": ")));
  return found == colours.end() ? std::string_view() : found->second;
}

constexpr std::string_view kBold = "\x1b[1m", kPlain = "\x1b[0m";

/// Lines of whole words, as many as fit; a longer word has a line of its own.
std::vector<std::string> wrapped(const std::string& cell, size_t width) {
  std::vector<std::string> lines(1);
  for (const auto& word : split(cell, ' ')) {
    std::string& line = lines.back();
    if (word.empty()) continue;
    if (line.empty())
      line = word;
    else if (width_of(line) + 1 + width_of(word) <= width)
      line += " " + word;
    else
      lines.push_back(word);
  }
  return lines;
}

class Rendering {
 public:
  Rendering(std::vector<Column> columns, const TableStyle& style)
      : columns_(std::move(columns)), style_(style) {
    if (columns_.empty() || style.columns == 0) return;
    size_t before = 0;
    for (size_t i = 0; i + 1 < columns_.size(); ++i) before += columns_[i].width + 2;
    if (before + columns_.back().width <= style.columns) return;
    constexpr size_t kLeast = 20;
    is_below_ = before + kLeast > style.columns;
    last_width_ = is_below_ ? std::max(style.columns, kLeast) - kIndent.size() : style.columns - before;
  }

  std::string row(const std::vector<std::string>& cells, bool is_header) const {
    std::vector<std::string> last = {cells.back()};
    if (last_width_ > 0) last = wrapped(cells.back(), last_width_);
    std::vector<std::string> line = cells;
    std::string text;
    if (is_below_) {
      line.back().clear();
      text = one_line(line, is_header);
      for (const auto& words : last) {
        if (!words.empty()) text += std::string(kIndent) + words + "\n";
      }
      return text;
    }
    for (const auto& words : last) {
      line.back() = words;
      text += one_line(line, is_header);
      line.assign(cells.size(), "");
    }
    return text;
  }

 private:
  std::string one_line(const std::vector<std::string>& cells, bool is_header) const {
    std::string line;
    size_t owed = 0;  // spaces, put only where something follows
    for (size_t i = 0; i < columns_.size(); ++i) {
      const size_t width = width_of(cells[i]);
      const size_t padding = columns_[i].width > width ? columns_[i].width - width : 0;
      if (i > 0) owed += 2;
      if (columns_[i].is_numbers) owed += padding;
      if (width > 0) {
        line += std::string(owed, ' ') + painted(cells[i], is_header, columns_[i].is_state);
        owed = 0;
      }
      if (!columns_[i].is_numbers) owed += padding;
    }
    return line + "\n";
  }

  std::string painted(const std::string& cell, bool is_header, bool is_state) const {
    const std::string_view colour = is_header ? kBold : is_state ? colour_of(cell) : std::string_view();
    if (!style_.is_coloured || colour.empty()) return cell;
    return std::string(colour) + cell + std::string(kPlain);
  }

  std::vector<Column> columns_;
  TableStyle style_;
  static constexpr std::string_view kIndent = "    ";
  size_t last_width_ = 0;  ///< of the last column where it is broken
  bool is_below_ = false;  ///< it has no room beside the others
};

}  // namespace

std::string render_table(const std::vector<std::string>& header,
                         const std::vector<std::vector<std::string>>& rows, const TableStyle& style) {
  if (header.empty()) return "\n";
  auto lines = rows;
  for (auto& row : lines) {
    for (auto& cell : row) std::replace(cell.begin(), cell.end(), '\n', ' ');
  }
  const Rendering rendering(measure(header, lines), style);
  std::string text = rendering.row(header, true);
  for (const auto& row : lines) text += rendering.row(row, false);
  return text;
}

}  // namespace expctl
