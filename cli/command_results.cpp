#include "cli/command_results.h"

#include <glob.h>

#include <filesystem>

#include "core/files.h"
#include "squad/scoring.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// The newest file that the pattern means, or "".
fs::path find_newest(const fs::path& folder, const std::string& pattern) {
  if (pattern.empty()) return {};
  glob_t found{};
  fs::path newest;
  if (::glob((folder / pattern).c_str(), 0, nullptr, &found) == 0) {
    for (size_t i = 0; i < found.gl_pathc; ++i) {
      const fs::path candidate = found.gl_pathv[i];
      if (!fs::is_regular_file(candidate)) continue;
      if (newest.empty() || fs::last_write_time(candidate) >= fs::last_write_time(newest)) newest = candidate;
    }
  }
  ::globfree(&found);
  return newest;
}

bool take(const fs::path& folder, const std::string& pattern, const fs::path& to) {
  const fs::path from = find_newest(folder, pattern);
  if (from.empty()) return false;
  if (!fs::exists(to) || !fs::equivalent(from, to)) expctl::copy_file(from, to);
  return true;
}

}  // namespace

void take_command_results(const WorkerRequest& request, const RunPaths& paths) {
  const CommandSpec& command = request.spec.command;
  take(paths.folder, command.nbest, paths.nbest());
  if (!take(paths.folder, command.predictions, paths.predictions()) || request.spec.dev_data.path.empty())
    return;
  const Dataset dataset = read_dataset(request.spec.dev_data.path);
  if (!dataset.has_answers()) return;
  const auto predictions = parse_predictions(read_file(paths.predictions()), paths.predictions().string());
  write_file(paths.eval(), score_line(score_predictions(dataset, predictions)));
}

}  // namespace expctl
