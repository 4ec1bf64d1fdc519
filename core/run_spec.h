// Everything that decides what one run computes and where it runs, fully resolved: no defaults left to fill
// in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/early_stop.h"
#include "core/json.h"
#include "core/train_spec.h"

namespace expctl {

/// A file or folder that a run reads, by absolute path, with its SHA-256 (core/hash.h). Both empty where the
/// run has none.
struct Input {
  std::string path;
  std::string sha256;
  bool operator==(const Input&) const = default;
};

/// A program in place of expctl-train. `argv` is as in the sweep file, with {key} not yet filled in.
struct CommandSpec {
  std::vector<std::string> argv;  ///< empty: expctl-train runs the job
  std::string predictions;        ///< path or glob in the run folder; likewise the next three; "" for none
  std::string nbest;
  std::string checkpoint;
  std::string logs;
  bool operator==(const CommandSpec&) const = default;
};

struct ResourceSpec {
  int64_t gpus = -1;  ///< -1: one where the machine has any, else none
  int64_t cpus = 0;   ///< 0: all cores for a native CPU run, one for a command
  int64_t runs_per_gpu = 1;
  std::string visible_devices = "uuid";  ///< uuid | index
  double timeout_s = 0;                  ///< 0: none
  int64_t retries = 2;
  bool operator==(const ResourceSpec&) const = default;
};

/// What a machine's cores and GPUs are given out by: a command gets others by default than expctl-train.
struct Demand {
  ResourceSpec resources;
  bool is_command = false;
  bool operator==(const Demand&) const = default;
};

/// Which system starts a run's attempts.
struct ExecutorSpec {
  std::string kind = "local";      ///< local (this machine) | slurm | pbs; the rest is of the last two
  std::string partition;           ///< PBS: the queue; "": the cluster's default
  std::string account;             ///< "": none is named
  double time_s = 0;               ///< walltime of a job; 0: the run's time limit, else the cluster's default
  int64_t max_parallel = 0;        ///< jobs of a sweep that run at once; 0: no cap
  std::vector<std::string> extra;  ///< further options, each as one line of the job script has it
  bool is_local() const { return kind == "local"; }
  bool operator==(const ExecutorSpec&) const = default;
};

struct RunSpec {
  std::string name;              ///< the sweep's name
  Json params = Json::object();  ///< the swept keys of this config and their values
  TrainSpec train;               ///< resolved, with this run's seed
  Input train_data;
  Input dev_data;
  Input init;
  Input teacher;  ///< logits of the training data's features, which the training learns from too
  CommandSpec command;
  ResourceSpec resources;
  ExecutorSpec executor;
  EarlyStopSpec early_stop;
  std::string rules = "none";  ///< contest profile
  std::string
      config_commit;  ///< git commit of the sweep file ("-dirty" where it has changed since); "" for none
  std::string config_folder;  ///< where the sweep file lies, an absolute path

  bool is_command() const { return !command.argv.empty(); }
  Demand demand() const { return {resources, is_command()}; }
};

ResourceSpec resource_spec_from_json(const Json& json, const std::string& source);
Json to_json(const ExecutorSpec& executor);
ExecutorSpec executor_spec_from_json(const Json& json, const std::string& source);
Json to_json(const RunSpec& spec);
RunSpec run_spec_from_json(const Json& json, const std::string& source);

/// Throws Error where a teacher is without `distillation` greater than 0, or the other way round.
void check_teacher(const RunSpec& spec);

/// The identity of a config: SHA-256 over the training keys (but the seed), the hashes of data and init, and
/// the command; neither names, paths nor resources. A run is (config hash, seed).
std::string config_hash(const RunSpec& spec);

}  // namespace expctl
