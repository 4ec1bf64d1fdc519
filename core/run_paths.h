// The one place that knows the names of files and folders in a workspace (docs/run_folder.md says what is in
// each).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/run_state.h"

namespace expctl {

/// The evaluation that a run makes itself, on its own dev data.
inline constexpr const char* kDefaultEvaluation = "default";

/// One array of jobs of a cluster.
struct JobArrayPaths {
  std::filesystem::path folder;
  std::string key;

  /// There as long as the array is.
  std::filesystem::path record() const { return folder / (key + ".json"); }
  std::filesystem::path script() const { return folder / (key + ".sh"); }
  std::filesystem::path tasks() const { return folder / (key + ".tasks"); }
  /// What the jobs say before a run's supervisor has its own log.
  std::filesystem::path log() const { return folder / (key + ".log"); }
};

/// The folder of one run, ensemble, evaluation or prediction; all of them name their files alike.
struct RunPaths {
  std::filesystem::path folder;

  std::filesystem::path run() const { return folder / "run.json"; }
  std::filesystem::path ensemble() const { return folder / "ensemble.json"; }
  std::filesystem::path request() const { return folder / "request.json"; }
  std::filesystem::path command() const { return folder / "command.txt"; }
  std::filesystem::path environment() const { return folder / "environment.json"; }
  std::filesystem::path log() const { return folder / "train.log"; }
  std::filesystem::path metrics() const { return folder / "metrics.jsonl"; }
  std::filesystem::path checkpoint() const { return folder / "checkpoint"; }
  std::filesystem::path state() const { return folder / "state"; }
  std::filesystem::path gradients() const { return folder / "gradients.safetensors"; }
  std::filesystem::path logits() const { return folder / "logits.safetensors"; }
  std::filesystem::path predictions() const { return folder / "predictions.json"; }
  std::filesystem::path nbest() const { return folder / "nbest_predictions.json"; }
  std::filesystem::path eval() const { return folder / "eval.json"; }
  std::filesystem::path inference_stats() const { return folder / "inference_stats.json"; }
  std::filesystem::path outcome() const { return folder / "outcome.json"; }
  /// Made with O_EXCL by an attempt's one supervisor; the first of what a request starts has number 0, others
  /// there are where a cluster has requeued its job.
  std::filesystem::path claim(int number = 0) const {
    return folder / (number == 0 ? "attempt.claim" : "attempt.claim." + std::to_string(number));
  }
  /// Made by `expctl stop`: the supervisor ends the attempt as stopped.
  std::filesystem::path stop_request() const { return folder / "stop.request"; }
  /// The same for one that is pruned; holds why.
  std::filesystem::path prune_request() const { return folder / "prune.request"; }
  /// Touched by expctl-train every few seconds, also while it predicts.
  std::filesystem::path heartbeat() const { return folder / "heartbeat"; }
  /// One line a reading of the GPUs that the run has.
  std::filesystem::path gpu_readings() const { return folder / "gpu.jsonl"; }
  /// An evaluation of the checkpoint; others than the default one have a folder of their own, with files of
  /// the same names.
  RunPaths evaluation(const std::string& name) const {
    return name == kDefaultEvaluation ? *this : RunPaths{folder / "evals" / name};
  }
};

/// The workspace: registry, sweep folders, and a folder for each run and ensemble.
struct WorkspacePaths {
  std::filesystem::path root;

  std::filesystem::path registry() const { return root / "registry.db"; }
  std::filesystem::path lock() const { return root / "scheduler.lock"; }  ///< flock of the one scheduler
  /// flock of one of the sweeps that wait for that one to end
  std::filesystem::path waiting_lock() const { return root / "scheduler.waiting"; }
  /// What a sweep that was begun with --detach says.
  std::filesystem::path scheduler_log() const { return root / "scheduler.log"; }
  std::filesystem::path folder(const std::string& id) const { return root / id; }
  RunPaths run(const std::string& id) const { return {folder(id)}; }  ///< or ensemble
  std::filesystem::path sweep_file(const std::string& sweep_id) const {
    return root / sweep_id / "sweep.toml";
  }
  /// The sweep's row of the registry and the ids of the runs that it describes.
  std::filesystem::path sweep_record(const std::string& sweep_id) const {
    return root / sweep_id / "sweep.json";
  }
  /// A line for each run that the sweep has added.
  std::filesystem::path sweep_runs(const std::string& sweep_id) const {
    return root / sweep_id / "runs.jsonl";
  }
  /// A line for each time that a run was looked at to be stopped early, and what was decided.
  std::filesystem::path decisions(const std::string& sweep_id) const {
    return root / sweep_id / "decisions.jsonl";
  }
  /// A line for each trial that a sampler has proposed.
  std::filesystem::path trials(const std::string& sweep_id) const { return root / sweep_id / "trials.jsonl"; }
  /// What was sent to a cluster, by the array's key.
  JobArrayPaths job_array(const std::string& sweep_id, const std::string& key) const {
    return {root / sweep_id / "jobs", key};
  }
};

/// The ids that files and folders of the workspace have as their names, in order; none where it cannot be
/// read.
std::vector<Id> ids_in(const WorkspacePaths& workspace);

/// A folder of weights in Hugging Face's layout, or in Google's (formats/stored_bert.h tells which). Both
/// have a vocab.txt.
struct CheckpointPaths {
  std::filesystem::path folder;

  std::filesystem::path config() const { return folder / "config.json"; }
  std::filesystem::path weights() const { return folder / "model.safetensors"; }
  std::filesystem::path pickled_weights() const { return folder / "pytorch_model.bin"; }
  std::filesystem::path google_config() const { return folder / "bert_config.json"; }
  std::filesystem::path google_index() const { return folder / "bert_model.ckpt.index"; }
  std::filesystem::path vocab() const { return folder / "vocab.txt"; }
  std::filesystem::path tokenizer_config() const { return folder / "tokenizer_config.json"; }
};

/// One entry of a submission. What a run leaves has the same name here as in its folder.
struct EntryPaths {
  std::filesystem::path folder;

  RunPaths results() const { return {folder}; }
  /// Of a run "", of an ensemble's member its id.
  std::filesystem::path checkpoint(const std::string& member) const { return folder / "checkpoint" / member; }
  std::filesystem::path logs(const std::string& member) const { return folder / "logs" / member; }
  std::filesystem::path training(const std::string& member) const { return folder / "training" / member; }
  /// Its predictions of the judges' questions.
  RunPaths unseen() const { return {folder / "unseen"}; }
  std::filesystem::path eval_only_sh() const { return folder / "eval_only.sh"; }
  std::filesystem::path eval_only_py() const { return folder / "eval_only.py"; }
  std::filesystem::path manifest() const { return folder / "manifest.json"; }
};

/// What `expctl package` makes (docs/submission.md).
struct SubmissionPaths {
  std::filesystem::path root;

  EntryPaths entry(const std::string& name) const { return {root / name}; }
  std::filesystem::path summary() const { return root / "summary.json"; }
  std::filesystem::path methodology() const { return root / "methodology.md"; }
  std::filesystem::path source() const { return root / "source.tar.gz"; }
  std::filesystem::path report() const { return root / "report.html"; }
  std::filesystem::path readme() const { return root / "README.md"; }
  std::filesystem::path manifest() const { return root / "manifest.json"; }
};

}  // namespace expctl
