#include "runner/attempt_files.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "core/error.h"
#include "core/evaluation_settings.h"
#include "core/files.h"
#include "core/hash.h"
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

/// A line of metrics.jsonl, where it is one of a step.
std::optional<MetricRecord> parse_metric(const std::string& line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto number = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
  };
  const auto step = number("step");
  const auto loss = number("loss");
  if (!step || !loss) return std::nullopt;
  return MetricRecord{static_cast<int64_t>(*step), number("epoch").value_or(0), *loss,
                      number("learning_rate").value_or(0), number("time").value_or(0)};
}

/// Of a line of an evaluation on the way.
std::optional<double> parse_f1(const std::string& line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto f1 = json.find("f1");
  return f1 != json.end() && f1->is_number() ? std::optional(f1->get<double>()) : std::nullopt;
}

std::vector<MetricRecord> parse_metrics(const std::string& text) {
  std::map<int64_t, MetricRecord> by_step;
  for (const auto& line : split(text, '\n')) {
    if (const auto metric = parse_metric(line)) by_step[metric->step] = *metric;
  }
  std::vector<MetricRecord> metrics;
  for (const auto& [step, metric] : by_step) metrics.push_back(metric);
  return metrics;
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

std::optional<Outcome> read_outcome(const RunPaths& paths, int attempt) {
  if (!fs::is_regular_file(paths.outcome())) return std::nullopt;
  try {
    const Outcome outcome = outcome_from_json(read_json(paths.outcome()), paths.outcome().string());
    return outcome.attempt == attempt ? std::optional(outcome) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;  // not a supervisor's: the job itself may write a file of this name
  }
}

std::vector<MetricRecord> read_metrics(const RunPaths& paths) {
  if (!fs::exists(paths.metrics())) return {};
  if (!fs::is_regular_file(paths.metrics()))
    throw Error(fmt::format("{} is not a file", paths.metrics().string()));
  return parse_metrics(read_file(paths.metrics()));
}

LatestMetrics read_latest_metrics(const RunPaths& paths) {
  constexpr std::streamoff kTailBytes = 16384;
  LatestMetrics latest;
  std::error_code unusable;
  if (!fs::is_regular_file(paths.metrics(), unusable)) return latest;
  std::ifstream file(paths.metrics(), std::ios::binary | std::ios::ate);
  if (!file) return latest;
  file.seekg(std::max<std::streamoff>(0, static_cast<std::streamoff>(file.tellg()) - kTailBytes));
  const std::string tail((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto lines = split(tail, '\n');
  for (auto line = lines.begin(); line != lines.end() && !latest.earlier; ++line)
    latest.earlier = parse_metric(*line);
  for (auto line = lines.rbegin(); line != lines.rend() && !(latest.step && latest.f1); ++line) {
    if (!latest.step) latest.step = parse_metric(*line);
    if (!latest.f1) latest.f1 = parse_f1(*line);
  }
  return latest;
}

double stalled_for_s(const RunPaths& paths, double started, double now) {
  double latest = started;
  for (const auto& file : {paths.log(), paths.metrics(), paths.heartbeat()}) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) continue;
    latest = std::max(
        latest, static_cast<double>(info.st_mtim.tv_sec) + 1e-9 * static_cast<double>(info.st_mtim.tv_nsec));
  }
  return now - latest >= kStalledAfter_s ? now - latest : 0;
}

std::vector<ArtifactRecord> read_artifacts(const std::string& run_id, const RunPaths& paths) {
  std::vector<fs::path> files = {paths.request(),         paths.command(), paths.environment(), paths.log(),
                                 paths.metrics(),         paths.logits(),  paths.predictions(), paths.nbest(),
                                 paths.inference_stats(), paths.eval(),    paths.gpu_readings()};
  if (fs::is_directory(paths.checkpoint())) {
    for (const auto& entry : fs::directory_iterator(paths.checkpoint())) files.push_back(entry.path());
  }
  std::vector<ArtifactRecord> artifacts;
  for (const auto& file : files) {
    if (!fs::is_regular_file(file)) continue;
    artifacts.push_back({run_id, file.lexically_relative(paths.folder).string(),
                         static_cast<int64_t>(fs::file_size(file)), sha256_file(file)});
  }
  return artifacts;
}

std::optional<EvaluationRecord> read_evaluation(const RunRecord& run, const RunPaths& paths) {
  if (!fs::exists(paths.eval())) return std::nullopt;
  const std::string source = paths.eval().string();
  const Json eval = read_json(paths.eval());
  const RunSpec spec = spec_of(run);
  EvaluationRecord evaluation;
  evaluation.run_id = run.id;
  evaluation.f1 = json_get<double>(eval, "f1", source);
  evaluation.exact_match = json_get<double>(eval, "exact_match", source);
  evaluation.settings = evaluation_settings(spec);
  return evaluation;
}

}  // namespace expctl
