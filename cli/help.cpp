#include "cli/help.h"

#include <algorithm>
#include <sstream>

#include "core/text.h"

namespace expctl {
namespace {

std::string wrapped_line(const std::string& line, size_t width, size_t indent) {
  const size_t begins = std::min(line.find_first_not_of(' '), line.size());
  std::string out(begins, ' ');
  size_t column = begins;
  bool is_first = true;
  std::istringstream words(line.substr(begins));
  for (std::string word; words >> word; is_first = false) {
    if (!is_first && column + 1 + word.size() > width) {
      column = std::max(indent, begins);
      out += "\n" + std::string(column, ' ');
    } else if (!is_first) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out;
}

}  // namespace

std::string wrapped(const std::string& text, size_t width, size_t indent) {
  std::vector<std::string> lines;
  for (const auto& line : split(text, '\n'))
    lines.push_back(line.size() > width ? wrapped_line(line, width, indent) : line);
  return join(lines, "\n");
}

std::string HelpFormatter::make_description(const CLI::App* app) const {
  return wrapped(app->get_description(), width_) + "\n";
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  constexpr size_t kIndent = 2;
  return wrapped(CLI::Formatter::make_usage(app, std::move(name)), width_, kIndent);
}

std::string HelpFormatter::entry(const std::string& name, const std::string& what, size_t column) const {
  std::string text = "  " + name;
  // A name that reaches into the column has its line alone.
  if (text.size() + 2 > column) text += "\n";
  const size_t begins = text.back() == '\n' ? 0 : text.size();
  text += std::string(column - begins, ' ');
  // The first line's column is taken up by the name.
  return text + wrapped(std::string(column, ' ') + what, width_, column).substr(column) + "\n";
}

std::string HelpFormatter::make_subcommand(const CLI::App* verb) const {
  constexpr size_t kColumn = 17;  // behind the longest verb
  return entry(verb->get_name(), verb->get_description(), kColumn);
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  constexpr size_t kColumn = 28;
  return entry(make_option_name(option, is_positional) + make_option_opts(option), make_option_desc(option),
               kColumn);
}

std::string HelpFormatter::make_footer(const CLI::App* app) const {
  std::string text = app->get_footer();
  if (app->get_parent() != nullptr)
    text += std::string(text.empty() ? "" : "\n") + "Also: --workspace DIR, --json, -q (expctl --help)";
  std::string out;
  for (const auto& line : split(text, '\n'))
    out += wrapped(line, width_, line.starts_with("Example") ? 2 : 0) + "\n";
  return text.empty() ? "" : out;
}

}  // namespace expctl
