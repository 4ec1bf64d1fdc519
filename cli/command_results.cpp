#include "cli/command_results.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <vector>

#include "core/files.h"
#include "runner/claim.h"
#include "squad/scoring.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

using Files = std::vector<fs::path>;

/// When the newest of the files was written; the beginning of time for none.
fs::file_time_type newest_write(const Files& files) {
  auto newest = fs::file_time_type::min();
  for (const auto& file : files) newest = std::max(newest, fs::last_write_time(file));
  return newest;
}

/// Of what the pattern means, the one that this attempt has written last: its files by `files_of`, none where
/// there is none.
Files newest_files(const RunPaths& paths, const std::string& pattern,
                   const std::function<Files(const fs::path&)>& files_of) {
  auto newest = fs::last_write_time(newest_claim_file(paths));
  Files chosen;
  for (const auto& candidate : find_files(paths.folder, pattern)) {
    Files files = files_of(candidate);
    const auto written = newest_write(files);
    if (written < newest) continue;
    newest = written;
    chosen = std::move(files);
  }
  return chosen;
}

/// False where the attempt has left no such file.
bool take(const RunPaths& paths, const std::string& pattern, const fs::path& to) {
  const Files files = newest_files(paths, pattern, [](const fs::path& candidate) {
    return fs::is_regular_file(candidate) ? Files{candidate} : Files{};
  });
  if (files.empty()) return false;
  if (!fs::exists(to) || !fs::equivalent(files.front(), to)) expctl::copy_file(files.front(), to);
  return true;
}

/// What of the run folder is no weight as far as names tell: expctl's own files and what the other patterns
/// mean.
Files no_weights(const RunPaths& paths, const CommandSpec& command) {
  Files files = {paths.run(),     paths.request(), paths.command(), paths.environment(), paths.log(),
                 paths.metrics(), paths.claim(),   paths.outcome(), paths.predictions(), paths.nbest()};
  for (int claim = 1; fs::exists(paths.claim(claim)); ++claim) files.push_back(paths.claim(claim));
  for (const auto& pattern : {command.predictions, command.nbest, command.logs}) {
    const Files others = find_files(paths.folder, pattern);
    files.insert(files.end(), others.begin(), others.end());
  }
  std::erase_if(files, [](const fs::path& file) { return !fs::exists(file); });
  return files;
}

/// The files of the newest folder that the pattern means, "." for the run folder itself; not those of its
/// subfolders, which hold a trainer's earlier checkpoints.
void take_checkpoint(const RunPaths& paths, const CommandSpec& command) {
  const Files files = newest_files(paths, command.checkpoint, [&](const fs::path& candidate) {
    Files weights;
    if (!fs::is_directory(candidate)) return weights;
    const Files left_out = fs::equivalent(candidate, paths.folder) ? no_weights(paths, command) : Files{};
    for (const auto& entry : fs::directory_iterator(candidate)) {
      const auto is_entry = [&](const fs::path& file) { return fs::equivalent(file, entry.path()); };
      if (entry.is_regular_file() && std::none_of(left_out.begin(), left_out.end(), is_entry))
        weights.push_back(entry.path());
    }
    return weights;
  });
  const fs::path to = paths.checkpoint();
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
  write_file(paths.eval(), score_line(score_predictions(dataset, read_predictions(paths.predictions()))));
}

}  // namespace expctl
