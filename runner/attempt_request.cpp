#include "runner/attempt_request.h"

#include <fmt/core.h>

#include "core/files.h"
#include "core/text.h"
#include "registry/spec_of.h"
#include "runner/command_line.h"
#include "runner/process_table.h"
#include "runner/ranks_command.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

std::string command_text(const WorkerRequest& request, const fs::path& folder) {
  std::vector<std::string> words = {"env"};
  for (const auto& [name, value] : request.environment)
    words.push_back(fmt::format("{}={}", name, shell_quote(value)));
  for (const auto& argument : request.argv) words.push_back(shell_quote(argument));
  return fmt::format("cd {}\n{}\n", shell_quote(folder.string()), join(words, " "));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> device_environment(const DeviceAssignment& devices,
                                                                    const ResourceSpec& wanted) {
  std::vector<std::pair<std::string, std::string>> environment;
  if (devices.threads > 0) environment.emplace_back("OMP_NUM_THREADS", std::to_string(devices.threads));
  // A run that asked for no GPU sees none; where nothing was said and none is known, all stays as inherited.
  if (!devices.gpus.empty() || wanted.gpus == 0)
    environment.emplace_back("CUDA_VISIBLE_DEVICES", join(devices.gpus, ","));
  if (!devices.gpus.empty() && wanted.visible_devices == "index")
    environment.emplace_back("CUDA_DEVICE_ORDER", "PCI_BUS_ID");  // nvidia-smi's numbers
  return environment;
}

WorkerRequest make_request(const RunRecord& run, int attempt, const std::string& token,
                           const DeviceAssignment& devices, const fs::path& worker, const RunPaths& paths) {
  WorkerRequest request;
  request.run_id = run.id;
  request.attempt = attempt;
  request.attempt_token = token;
  request.spec = spec_of(run);
  request.devices = devices;
  request.environment = {{kAttemptVariable, token}};
  for (auto& variable : device_environment(devices, request.spec.resources))
    request.environment.push_back(std::move(variable));
  if (request.spec.is_command()) {
    request.argv =
        fill_command(request.spec.command.argv, command_values(request.spec, run.id, paths.folder.string()));
    request.environment.insert(request.environment.end(), {{"EXPCTL_RUN_ID", run.id},
                                                           {"EXPCTL_RUN_DIR", paths.folder.string()},
                                                           {"EXPCTL_SEED", std::to_string(run.seed)},
                                                           {"PYTHONUNBUFFERED", "1"}});
  } else {
    request.argv = {worker.string(), paths.folder.string()};
    if (const int64_t ranks = rank_count(request.spec); ranks > 1)
      request.argv = ranks_command(ranks, request.argv);
  }
  return request;
}

void remove_end_requests(const RunPaths& paths) {
  std::error_code ignored;  // where they cannot go, the attempt cannot be written either
  fs::remove(paths.stop_request(), ignored);
  fs::remove(paths.prune_request(), ignored);
}

void remove_results(const RunPaths& paths) {
  for (const auto& stale : {paths.outcome(), paths.eval(), paths.predictions(), paths.nbest()})
    fs::remove_all(stale);
}

void write_attempt(const WorkerRequest& request, const RunPaths& paths) {
  make_folder(paths.folder);
  // The outcome goes before the claim: whoever sees no claim must not find an old outcome.
  remove_results(paths);
  for (int claim = 0; claim == 0 || fs::exists(paths.claim(claim)); ++claim)
    fs::remove_all(paths.claim(claim));
  // A job may have made folders of names that are not its own.
  for (const auto& own : {paths.request(), paths.command(), paths.environment(), paths.metrics()})
    remove_folder_at(own);
  if (!fs::is_regular_file(fs::symlink_status(paths.log()))) fs::remove_all(paths.log());
  write_request(request, paths, paths.folder);
}

void write_request(const WorkerRequest& request, const RunPaths& paths, const fs::path& folder) {
  write_file(paths.request(), json_text(to_json(request)));
  write_file(paths.command(), command_text(request, folder));
}

}  // namespace expctl
