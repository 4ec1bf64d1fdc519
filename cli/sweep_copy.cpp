#include "cli/sweep_copy.h"

#include <algorithm>

#include "core/files.h"
#include "core/text.h"

namespace expctl {
namespace {

constexpr std::string_view kSetting = "# --set ";

}  // namespace

std::string sweep_copy(const std::filesystem::path& file, const std::vector<std::string>& settings) {
  std::string copy = read_file(file);
  if (!settings.empty() && !copy.empty() && copy.back() != '\n') copy += '\n';
  for (const auto& setting : settings) copy += std::string(kSetting) + setting + "\n";
  return copy;
}

std::vector<std::string> settings_in_copy(const std::string& copy) {
  std::vector<std::string> settings;
  auto lines = split(trim(copy), '\n');
  for (; !lines.empty() && lines.back().starts_with(kSetting); lines.pop_back())
    settings.push_back(lines.back().substr(kSetting.size()));
  std::reverse(settings.begin(), settings.end());
  return settings;
}

}  // namespace expctl
