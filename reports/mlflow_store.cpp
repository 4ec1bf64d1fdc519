#include "reports/mlflow_store.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "core/draft_folder.h"
#include "core/error.h"
#include "core/files.h"
#include "core/replace_folder.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

constexpr const char* kMarkName = "expctl.json";  ///< of an experiment its name, of a run what was written
constexpr const char* kMetaName = "meta.yaml";

/// What MLflow itself keeps beside the experiments.
bool is_of_store(const std::string& name) {
  return name == ".trash" || name == "models";
}

void check_folder(const fs::path& root) {
  if (fs::exists(root) && !fs::is_directory(root))
    throw Error(fmt::format("{} is a file, not a folder", root.string()), "name another folder");
  if (!fs::exists(root)) return;
  for (const auto& entry : fs::directory_iterator(root)) {
    const fs::path& path = entry.path();
    if (!entry.is_directory() || is_of_store(path.filename().string())) continue;
    if (fs::exists(path / kMetaName) || fs::exists(path / kMarkName)) continue;
    throw Error(
        fmt::format("{}: it is no experiment, and MLflow reads no store with such a folder", path.string()),
        "name an empty folder, a new one, or one that MLflow has made");
  }
}

/// By relative path, without folders.
std::vector<std::string> files_below(const fs::path& folder) {
  std::vector<std::string> paths;
  if (!fs::exists(folder)) return paths;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) paths.push_back(fs::relative(entry.path(), folder).string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

void write_new(const fs::path& path, const std::string& content) {
  make_folder(path.parent_path());
  create_file(path, content);
}

/// False where it is gone: the run is at work.
bool copy_if_there(const fs::path& from, const fs::path& to) {
  make_folder(to.parent_path());
  try {
    expctl::copy_file(from, to);
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kNotFound) throw;
    return false;
  }
  return true;
}

/// What others have added to the earlier export: a note, a tag, a metric, an artifact.
void keep_others(const fs::path& before, const fs::path& draft) {
  const fs::path mark = before / kMarkName;
  if (!fs::exists(mark)) return;
  const auto written = json_get<std::vector<std::string>>(read_json(mark), "files", mark.string());
  const std::set<std::string> ours(written.begin(), written.end());
  for (const auto& path : files_below(before)) {
    if (path != kMarkName && !ours.contains(path) && !fs::exists(draft / path))
      copy_if_there(before / path, draft / path);
  }
}

struct RemovedIfEmpty {
  const fs::path& folder;
  ~RemovedIfEmpty() {
    std::error_code in_use;
    fs::remove(folder, in_use);
  }
};

}  // namespace

MlflowStore::MlflowStore(const fs::path& folder) : root_(fs::absolute(folder).lexically_normal()) {
  check_folder(root_);
  make_folder(root_);
  for (const auto& entry : fs::directory_iterator(root_)) {
    const fs::path mark = entry.path() / kMarkName;
    if (fs::exists(mark))
      names_[entry.path().filename().string()] =
          json_get<std::string>(read_json(mark), "name", mark.string());
  }
}

/// MLflow finds experiments by name too, and two workspaces may both have an "lr (sweep1)".
std::string MlflowStore::free_name(const ExportGroup& group) const {
  const bool is_taken = std::any_of(names_.begin(), names_.end(),
                                    [&](const auto& known) { return known.second == group.name; });
  return is_taken ? fmt::format("{} {}", group.name, group.identity.substr(0, 6)) : group.name;
}

fs::path MlflowStore::experiment_folder(const ExportGroup& group) {
  const std::string id = mlflow_experiment_id(group);
  const fs::path folder = root_ / id;
  make_folder(folder);
  if (!names_.contains(id)) {
    names_[id] = free_name(group);
    write_file(folder / kMarkName, json_text({{"schema_version", 1}, {"name", names_[id]}}));
  }
  // One that is there stays as MLflow has it, which may have renamed it.
  if (!fs::exists(folder / kMetaName))
    write_file(folder / kMetaName, mlflow_experiment_yaml(group, names_[id], folder));
  return folder;
}

fs::path MlflowStore::write(const RunExport& entry, const std::vector<ExportedFile>& artifacts) {
  const fs::path experiment = experiment_folder(entry.group);
  const fs::path target = experiment / entry.identity;
  const fs::path drafts = experiment / ".drafts";  // without a meta.yaml it is no run to MLflow
  const RemovedIfEmpty with_drafts{drafts};
  const DraftFolder draft(drafts / entry.identity);
  std::vector<std::string> written = {};
  for (const auto& [path, content] : mlflow_run_files(entry, target)) {
    write_new(draft.path() / path, content);
    written.push_back(path);
  }
  for (const char* folder : {"params", "metrics", "tags", "artifacts"}) make_folder(draft.path() / folder);
  for (const auto& file : artifacts) {
    const std::string to = "artifacts/" + file.name;
    if (copy_if_there(file.from, draft.path() / to)) written.push_back(to);
  }
  keep_others(target, draft.path());
  write_new(draft.path() / kMarkName, json_text({{"schema_version", 1}, {"files", written}}));
  replace_folder(draft.path(), target);  // what was there goes with the draft
  return target;
}

std::vector<ExportedFile> exported_files(const RunExport& entry, ExportedArtifacts which,
                                         const std::vector<ArtifactRecord>& on_record) {
  if (which == ExportedArtifacts::kNone) return {};
  const RunPaths& run = entry.folder;
  std::vector<fs::path> paths = {run.run(),         run.request(), run.command(),
                                 run.environment(), run.log(),     run.metrics(),
                                 run.predictions(), run.eval(),    run.inference_stats(),
                                 run.outcome(),     run.ensemble()};
  for (const auto& file : find_files(run.folder, "evals/*/eval.json")) paths.push_back(file);
  if (which == ExportedArtifacts::kAll) {
    paths.insert(paths.end(), {run.nbest(), run.logits()});  // of an ensemble no files are on record
    for (const auto& artifact : on_record) paths.push_back(run.folder / artifact.path);
  }
  std::vector<ExportedFile> files;
  for (const auto& path : paths) {
    const std::string name = path.lexically_relative(run.folder).string();
    const bool is_new =
        std::none_of(files.begin(), files.end(), [&](const auto& file) { return file.name == name; });
    if (is_new && fs::is_regular_file(path)) files.push_back({path, name});
  }
  if (fs::is_regular_file(entry.sweep_file)) files.push_back({entry.sweep_file, "sweep.toml"});
  return files;
}

}  // namespace expctl
