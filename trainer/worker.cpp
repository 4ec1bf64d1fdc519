#include "trainer/worker.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "core/environment.h"
#include "core/error.h"
#include "core/files.h"
#include "core/request.h"
#include "core/run_paths.h"
#include "core/threads.h"
#include "core/worker_exit.h"
#include "formats/bert_names.h"
#include "trainer/cuda_library.h"
#include "trainer/evaluation.h"
#include "trainer/heartbeat.h"
#include "trainer/rank_training.h"

namespace expctl {
namespace {

/// What a training computes in: where it has been begun on another machine, what it was begun with.
Precision training_precision(const TrainSpec& spec, const Backend& backend, const Ranks& ranks,
                             const std::filesystem::path& state) {
  const Precision here = backend.choose_precision(spec.precision);
  const auto begun = saved_on(state);
  if (!begun) return here;
  if (begun->precision != here) fmt::print("begun in {}, so it goes on in it\n", name_of(begun->precision));
  if (const std::string here_is = machine_of(backend, ranks); begun->machine != here_is) {
    fmt::print("begun on {}; here it is {}: the result may differ in its last bits\n", begun->machine,
               here_is);
  }
  return begun->precision;
}

void write_environment(const WorkerRequest& request, const RunPaths& paths, const Backend& backend,
                       const Ranks& ranks, Precision precision) {
  Json environment = environment_of(request);
  environment["precision"] = name_of(precision);
  environment["ranks"] = ranks.size();
  environment["deterministic"] = request.spec.train.deterministic;
  environment.update(backend.environment());
  write_file(paths.environment(), json_text(environment));
}

/// On a CPU every operation here is deterministic anyway.
void set_determinism(const TrainSpec& spec) {
  at::globalContext().setDeterministicAlgorithms(spec.deterministic, false);
  at::globalContext().setDeterministicFillUninitializedMemory(false);  // it would fill every new tensor
}

/// pytorch_model.bin and all else that load_checkpoint() reads, in Hugging Face's layout; no head where it
/// has none.
void convert_checkpoint(const RunSpec& spec, const RunPaths& paths) {
  Checkpoint checkpoint = load_checkpoint(spec.init.path, 0);
  if (!checkpoint.has_own_head) {
    std::erase_if(checkpoint.parameters, [](const auto& entry) { return is_span_head(entry.first); });
  }
  save_checkpoint(paths.checkpoint(), checkpoint);
}

/// A length beyond the positions would be known only by an index out of range, in the middle of a batch.
void check_lengths(const RunSpec& spec, bool training, const BertConfig& config) {
  if (training) check_length(config, spec.train.max_seq_length, spec.init.path);
  check_length(config, spec.train.eval_max_seq_length, spec.init.path);
}

/// Of what the run has: its threads, and a GPU. CUDA shows this rank no other, so nothing of it may have been
/// used yet.
void take_share(DeviceAssignment& devices, const Ranks& ranks) {
  devices.threads = std::max(1, devices.threads / static_cast<int>(ranks.size()));
  if (devices.gpus.empty()) return;
  const auto own = static_cast<size_t>(ranks.local_rank());
  if (own >= devices.gpus.size()) {
    throw Error(fmt::format("there is no GPU for it: the run has {}", devices.gpus.size()),
                "start no more ranks than GPUs: NCCL refuses two on one");
  }
  ::setenv("CUDA_VISIBLE_DEVICES", devices.gpus[own].c_str(), 1);
}

void set_up_threads(int threads) {
  at::set_num_threads(1);  // it holds the tensors only; its threads would wait awake beside ours
  // Numbers too small to matter (a softmax's, an old moment's) would be computed a hundred times as slowly.
  // The threads to come inherit it.
  at::globalContext().setFlushDenormal(true);
  set_thread_count(threads);
}

/// What the task begins from. Throws Error where it does not fit the task.
Checkpoint load_init(const RunSpec& spec, bool training, const RunPaths& paths) {
  const SpanHead head = span_head_from(spec.train.head, paths.request().string());
  Checkpoint checkpoint = load_checkpoint(spec.init.path, static_cast<uint64_t>(spec.train.seed_init), head);
  if (training) check_head(checkpoint.config, head, spec.init.path);
  check_lengths(spec, training, checkpoint.config);
  if (!training && !checkpoint.has_own_head) {
    throw Error(fmt::format("{}: it has no span head (qa_outputs)", spec.init.path),
                "predict with a fine-tuned checkpoint");
  }
  return checkpoint;
}

/// Leaves the checkpoint of a training that has ended. Returns the exit code.
int end_training(TrainEnd end, const RunPaths& paths, const Checkpoint& checkpoint, Ranks& ranks) {
  ranks.finish();  // none ends before rank 0 has saved: its launcher would end the others
  if (end == TrainEnd::kDiverged) return kExitDiverged;
  if (end == TrainEnd::kTerminated) return kExitTerminated;
  if (ranks.rank() == 0) save_checkpoint(paths.checkpoint(), checkpoint);
  return 0;
}

}  // namespace

int run_worker(const std::filesystem::path& folder, const std::function<bool()>& is_terminated,
               Ranks& ranks) {
  const RunPaths paths{folder};
  const bool writes = ranks.rank() == 0;
  std::optional<Heartbeat> heartbeat;
  if (writes) heartbeat.emplace(paths.heartbeat());
  const std::function<bool()> should_stop = [&] {
    if (heartbeat) heartbeat->beat();
    return is_terminated();
  };
  WorkerRequest request = worker_request_from_json(read_json(paths.request()), paths.request().string());
  request.spec.train = resolve(request.spec.train);  // a request may be written by hand
  const RunSpec& spec = request.spec;
  if (ranks.size() > 1) take_share(request.devices, ranks);
  const Backend& backend = request.devices.gpus.empty() ? cpu_backend() : cuda_backend();
  set_up_threads(request.devices.threads);
  const bool training = request.task == WorkerTask::kTrain;
  if (!training) {
    ranks.finish();
    if (!writes) return 0;
  }
  if (request.task == WorkerTask::kConvert) {
    convert_checkpoint(spec, paths);
    return 0;
  }
  set_determinism(spec.train);
  const Precision precision = training ? training_precision(spec.train, backend, ranks, state_file(paths))
                                       : backend.choose_precision(spec.train.eval_precision);
  if (writes) write_environment(request, paths, backend, ranks, precision);
  Checkpoint checkpoint = load_init(spec, training, paths);
  std::optional<Evaluation> evaluation;
  const auto read_evaluation = [&] {
    if (!spec.dev_data.path.empty() && !evaluation) evaluation.emplace(backend, spec, checkpoint.vocabulary);
  };
  if (training) {
    if (writes && (spec.train.eval_every > 0 || spec.early_stop.is_wanted()))
      read_evaluation();  // else a training does not hold the dev features
    const bool looks_on_the_way = evaluation && evaluation->has_answers();
    // What it holds goes before the other ranks are left: NCCL and MPI end in this order.
    const TrainEnd end = RankTraining(request, paths, backend, precision, checkpoint,
                                      looks_on_the_way ? &*evaluation : nullptr, should_stop, ranks)
                             .run();
    const int code = end_training(end, paths, checkpoint, ranks);
    if (code != 0 || !writes) return code;
  }
  read_evaluation();
  if (evaluation && !evaluation->write(checkpoint, paths, should_stop)) return kExitTerminated;
  std::filesystem::remove_all(paths.state());
  return 0;
}

}  // namespace expctl
