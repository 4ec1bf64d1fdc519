#include "cli/command_results.h"

#include <glob.h>

#include <filesystem>

#include "core/files.h"
#include "squad/scoring.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// The folder's own name is no pattern, whatever characters are in it.
std::string escaped(const fs::path& folder) {
  std::string out;
  for (const char c : folder.string()) {
    if (c == '*' || c == '?' || c == '[' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

/// The newest file or folder that the pattern means and that this attempt has written, or "".
fs::path find_newest(const RunPaths& paths, const std::string& pattern) {
  if (pattern.empty()) return {};
  const auto attempt_began = fs::last_write_time(paths.claim());
  glob_t found{};
  fs::path newest;
  if (::glob((escaped(paths.folder) + "/" + pattern).c_str(), 0, nullptr, &found) == 0) {
    for (size_t i = 0; i < found.gl_pathc; ++i) {
      const fs::path candidate = found.gl_pathv[i];
      if (fs::last_write_time(candidate) < attempt_began) continue;
      if (newest.empty() || fs::last_write_time(candidate) >= fs::last_write_time(newest)) newest = candidate;
    }
  }
  ::globfree(&found);
  return newest;
}

bool take(const RunPaths& paths, const std::string& pattern, const fs::path& to) {
  const fs::path from = find_newest(paths, pattern);
  if (!fs::is_regular_file(from)) return false;
  if (!fs::exists(to) || !fs::equivalent(from, to)) expctl::copy_file(from, to);
  return true;
}

void take_checkpoint(const RunPaths& paths, const std::string& pattern) {
  const fs::path from = find_newest(paths, pattern), to = paths.checkpoint();
  if (!fs::is_directory(from) || (fs::exists(to) && fs::equivalent(from, to))) return;
  fs::remove_all(to);
  make_folder(to);
  copy_tree(from, to);
}

}  // namespace

void take_command_results(const WorkerRequest& request, const RunPaths& paths) {
  const CommandSpec& command = request.spec.command;
  fs::remove_all(paths.eval());  // whatever the job calls so: the score is the one made here
  take(paths, command.nbest, paths.nbest());
  take_checkpoint(paths, command.checkpoint);
  if (!take(paths, command.predictions, paths.predictions()) || request.spec.dev_data.path.empty()) return;
  const Dataset dataset = read_dataset(request.spec.dev_data.path);
  if (!dataset.has_answers()) return;
  const auto predictions = parse_predictions(read_file(paths.predictions()), paths.predictions().string());
  write_file(paths.eval(), score_line(score_predictions(dataset, predictions)));
}

}  // namespace expctl
