#include "experiments/own_options.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "core/text.h"

namespace expctl {
namespace {

/// By these the jobs are found again, begin in their folder, write where expctl reads, and hear that their
/// time is over.
const std::map<std::string, std::vector<std::string_view>>& own_options() {
  static const std::map<std::string, std::vector<std::string_view>> options = {
      {"slurm",
       {"--comment", "--array", "-a", "--clusters", "-M", "--job-name", "-J", "--output", "-o", "--chdir",
        "-D", "--signal"}},
      {"pbs", {"-J", "-N", "-o", "-j"}}};
  return options;
}

/// Whether a word of a line gives the option. A long one may be cut short, a short one be glued to its value.
bool gives(std::string_view word, std::string_view option) {
  if (!option.starts_with("--")) return word.starts_with(option);
  const std::string_view name = word.substr(0, word.find('='));
  constexpr size_t kShortest = 4;  // "--ar"
  return name.size() >= kShortest && option.starts_with(name);
}

}  // namespace

std::string own_option_in(const ExecutorSpec& executor) {
  const auto known = own_options().find(executor.kind);
  if (known == own_options().end()) return "";
  for (const auto& line : executor.extra) {
    for (const auto& word : split(line, ' ')) {
      const bool is_own = std::any_of(known->second.begin(), known->second.end(),
                                      [&](std::string_view option) { return gives(word, option); });
      if (is_own) return line;
    }
  }
  return "";
}

std::string own_option_text(const std::string& line) {
  return fmt::format("'{}' is expctl's own: it gives the job script that option itself", line);
}

}  // namespace expctl
