#include "runner/job_array.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/files.h"
#include "core/json.h"
#include "core/text.h"
#include "runner/walltime.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

Json to_json(const JobArray& array) {
  Json tasks = Json::array();
  for (const auto& task : array.tasks)
    tasks.push_back({{"run", task.run_id}, {"token", task.token}, {"attempt", task.attempt}});
  return {{"schema_version", 1},
          {"key", array.key},
          {"executor", array.executor},
          {"job_id", array.job_id.empty() ? Json() : Json(array.job_id)},
          {"tasks", tasks}};
}

JobArray read_job_array(const fs::path& file, const std::string& sweep_id) {
  const Json json = read_json(file);
  const std::string source = file.string();
  JobArray array;
  array.key = json_get<std::string>(json, "key", source);
  array.sweep_id = sweep_id;
  array.executor = json_get<std::string>(json, "executor", source);
  array.job_id = json_get<std::string>(json, "job_id", source, "");
  for (const auto& task : json_get<Json>(json, "tasks", source)) {
    array.tasks.push_back({json_get<std::string>(task, "run", source),
                           json_get<std::string>(task, "token", source),
                           json_get<int>(task, "attempt", source)});
  }
  return array;
}

}  // namespace

void write_job_array(const JobArray& array, const WorkspacePaths& workspace) {
  const JobArrayPaths paths = workspace.job_array(array.sweep_id, array.key);
  std::string lines;
  for (const auto& task : array.tasks)
    lines += fmt::format("{} {}\n", task.token, workspace.folder(task.run_id).string());
  write_file(paths.tasks(), lines);
  write_file(paths.record(), json_text(to_json(array)));
}

void write_job_id(const JobArray& array, const WorkspacePaths& workspace) {
  write_file(workspace.job_array(array.sweep_id, array.key).record(), json_text(to_json(array)));
}

void remove_job_array(const JobArray& array, const WorkspacePaths& workspace) {
  const JobArrayPaths paths = workspace.job_array(array.sweep_id, array.key);
  fs::remove(paths.record());
  fs::remove(paths.tasks());
  std::error_code unreadable;
  if (fs::file_size(paths.log(), unreadable) == 0) fs::remove(paths.log());
}

std::vector<JobArray> read_job_arrays(const WorkspacePaths& workspace) {
  std::vector<JobArray> arrays;
  for (const auto& folder : find_files(workspace.root, "sweep*/jobs/*.json"))
    arrays.push_back(read_job_array(folder, folder.parent_path().parent_path().filename().string()));
  return arrays;
}

JobScript job_script_for(const RunSpec& spec) {
  JobScript script;
  script.name = spec.name;
  // A command has one GPU unless it says otherwise; a native run none: nobody knows here what its machine
  // has.
  const int64_t unsaid = spec.is_command() ? 1 : 0;
  script.gpus = spec.resources.gpus < 0 ? unsaid : spec.resources.gpus;
  script.cpus = spec.resources.cpus;
  script.walltime_s = job_walltime_s(spec);
  script.executor = spec.executor;
  return script;
}

std::string script_body(const JobScript& script, const std::string& index) {
  // The list is read by the job itself: a cluster may start it hours later.
  return fmt::format(
      "task=$(sed -n \"$(({} + 1))p\" {})\n"
      "exec {} job --attempt \"${{task%% *}}\" \"${{task#* }}\"\n",
      index, shell_quote(script.paths.tasks().string()), shell_quote(script.expctl));
}

}  // namespace expctl
