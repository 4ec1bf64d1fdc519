#include "cli/command_results.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "core/files.h"
#include "squad/scoring.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// Whether a file of the run folder is the job's weights as far as names tell: neither expctl's own nor what
/// the other patterns mean.
bool may_be_weights(const RunPaths& paths, const CommandSpec& command, const fs::path& file) {
  for (const auto& own :
       {paths.run(), paths.request(), paths.command(), paths.environment(), paths.log(), paths.metrics(),
        paths.claim(), paths.outcome(), paths.predictions(), paths.nbest()}) {
    if (file.filename() == own.filename()) return false;
  }
  for (const auto& pattern : {command.predictions, command.nbest, command.logs}) {
    for (const auto& other : find_files(paths.folder, pattern)) {
      if (fs::equivalent(other, file)) return false;
    }
  }
  return true;
}

/// The files of a checkpoint: those of the folder itself, not of its subfolders, which hold a trainer's
/// earlier ones.
std::vector<fs::path> weights_in(const RunPaths& paths, const CommandSpec& command, const fs::path& folder) {
  const bool is_run_folder = fs::equivalent(folder, paths.folder);
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && (!is_run_folder || may_be_weights(paths, command, entry.path())))
      files.push_back(entry.path());
  }
  return files;
}

/// When the newest of the files was written; the beginning of time for none.
fs::file_time_type newest_write(const std::vector<fs::path>& files) {
  auto newest = fs::file_time_type::min();
  for (const auto& file : files) newest = std::max(newest, fs::last_write_time(file));
  return newest;
}

/// The newest file that the pattern means and that this attempt has written, to `to`; false where there is
/// none.
bool take(const RunPaths& paths, const std::string& pattern, const fs::path& to) {
  auto newest = fs::last_write_time(paths.claim());
  fs::path from;
  for (const auto& candidate : find_files(paths.folder, pattern)) {
    if (!fs::is_regular_file(candidate) || fs::last_write_time(candidate) < newest) continue;
    newest = fs::last_write_time(candidate);
    from = candidate;
  }
  if (from.empty()) return false;
  if (!fs::exists(to) || !fs::equivalent(from, to)) expctl::copy_file(from, to);
  return true;
}

/// The newest folder that the pattern means and that this attempt has written a file of, "." for the run
/// folder itself.
void take_checkpoint(const RunPaths& paths, const CommandSpec& command) {
  auto newest = fs::last_write_time(paths.claim());
  std::vector<fs::path> files;
  const fs::path to = paths.checkpoint();
  for (const auto& candidate : find_files(paths.folder, command.checkpoint)) {
    if (!fs::is_directory(candidate)) continue;
    const auto found = weights_in(paths, command, candidate);
    if (found.empty() || newest_write(found) < newest) continue;
    newest = newest_write(found);
    files = found;
  }
  if (files.empty() || (fs::exists(to) && fs::equivalent(files.front().parent_path(), to))) return;
  fs::remove_all(to);
  make_folder(to);
  for (const auto& file : files) expctl::copy_file(file, to / file.filename());
}

}  // namespace

void take_command_results(const WorkerRequest& request, const RunPaths& paths) {
  const CommandSpec& command = request.spec.command;
  fs::remove_all(paths.eval());  // whatever the job calls so: the score is the one made here
  take(paths, command.nbest, paths.nbest());
  take_checkpoint(paths, command);
  if (!take(paths, command.predictions, paths.predictions()) || request.spec.dev_data.path.empty()) return;
  const Dataset dataset = read_dataset(request.spec.dev_data.path);
  if (!dataset.has_answers()) return;
  const auto predictions = parse_predictions(read_file(paths.predictions()), paths.predictions().string());
  write_file(paths.eval(), score_line(score_predictions(dataset, predictions)));
}

}  // namespace expctl
