#include "cli/command_results.h"

#include <filesystem>

#include "core/files.h"
#include "squad/scoring.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// The newest file or folder that the pattern means and that this attempt has written, or "".
fs::path find_newest(const RunPaths& paths, const std::string& pattern) {
  const auto attempt_began = fs::last_write_time(paths.claim());
  fs::path newest;
  for (const auto& candidate : find_files(paths.folder, pattern)) {
    if (fs::last_write_time(candidate) < attempt_began) continue;
    if (newest.empty() || fs::last_write_time(candidate) >= fs::last_write_time(newest)) newest = candidate;
  }
  return newest;
}

bool take(const RunPaths& paths, const std::string& pattern, const fs::path& to) {
  const fs::path from = find_newest(paths, pattern);
  if (!fs::is_regular_file(from)) return false;
  if (!fs::exists(to) || !fs::equivalent(from, to)) expctl::copy_file(from, to);
  return true;
}

/// What expctl and the job have put into the run folder beside a checkpoint that was saved right there.
bool is_no_weight(const RunPaths& paths, const fs::path& file) {
  for (const auto& own : {paths.run(), paths.request(), paths.command(), paths.environment(), paths.log(),
                          paths.metrics(), paths.claim(), paths.predictions(), paths.nbest()}) {
    if (file.filename() == own.filename()) return true;
  }
  return false;
}

/// The files of the newest folder that the pattern means, "." for the run folder itself; not its subfolders,
/// which hold a trainer's earlier checkpoints.
void take_checkpoint(const RunPaths& paths, const std::string& pattern) {
  const fs::path from = find_newest(paths, pattern), to = paths.checkpoint();
  if (!fs::is_directory(from) || (fs::exists(to) && fs::equivalent(from, to))) return;
  fs::remove_all(to);
  make_folder(to);
  const bool is_run_folder = fs::equivalent(from, paths.folder);
  for (const auto& entry : fs::directory_iterator(from)) {
    if (!entry.is_regular_file() || (is_run_folder && is_no_weight(paths, entry.path()))) continue;
    expctl::copy_file(entry.path(), to / entry.path().filename());
  }
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
