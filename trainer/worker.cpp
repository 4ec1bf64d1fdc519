#include "trainer/worker.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "core/clock.h"
#include "core/environment.h"
#include "core/error.h"
#include "core/files.h"
#include "core/request.h"
#include "core/run_paths.h"
#include "core/threads.h"
#include "core/worker_exit.h"
#include "formats/bert_names.h"
#include "formats/teacher_file.h"
#include "trainer/cuda_library.h"
#include "trainer/evaluation.h"
#include "trainer/metrics_log.h"
#include "trainer/ranks.h"
#include "trainer/train.h"

namespace expctl {
namespace {

constexpr double kSaveEvery_s = 300;

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

std::filesystem::path state_file(const RunPaths& paths) {
  return paths.state() / "state.safetensors";
}

Json metrics_line(const StepMetrics& m, double now_s) {
  return {
      {"step", m.step},           {"epoch", m.epoch},   {"loss", m.loss}, {"learning_rate", m.learning_rate},
      {"grad_norm", m.grad_norm}, {"tokens", m.tokens}, {"time", now_s}};
}

/// `rung`: of early stopping, where the step is one.
Json evaluation_line(int64_t step, const Score& score, std::optional<int64_t> rung, double now_s) {
  Json line = {{"event", "eval"},
               {"step", step},
               {"f1", score.f1},
               {"exact_match", score.exact_match},
               {"time", now_s}};
  if (rung) line["rung"] = *rung;
  return line;
}

/// The features of a training, and what its teacher says to them.
struct Lessons {
  std::vector<Feature> features;
  std::optional<LogitsFile> teacher;

  TrainingData data() const { return {features, teacher ? &*teacher : nullptr}; }
};

Lessons read_lessons(const RunSpec& spec, const Vocabulary& vocabulary) {
  check_teacher(spec);
  const Dataset dataset = read_dataset(spec.train_data.path);
  check_answer_positions(dataset, spec.train_data.path);
  Lessons lessons{make_features(dataset, vocabulary, training_feature_options(spec.train)), {}};
  if (!spec.teacher.path.empty()) {
    lessons.teacher = read_teacher(spec, content_sha256(dataset));
    check_teacher_fits(*lessons.teacher, lessons.features, spec.teacher.path, teacher_command(spec));
  }
  return lessons;
}

DataOrder data_order(const WorkerRequest& request, int64_t features) {
  return request.order.empty() ? seeded_order(static_cast<uint64_t>(request.spec.train.seed_data), features)
                               : order_from_file(request.order, features);
}

/// What a saved state is of: config and seed, but not the micro-batch, which an attempt that ran out of
/// memory leaves smaller to the next.
std::string identity_of(RunSpec spec) {
  spec.train.micro_batch = spec.train.batch_size;
  return config_hash(spec) + "/" + std::to_string(spec.train.seed);
}

/// The training of one rank; what is written is rank 0's, and `checkpoint` afterwards what is to be kept.
class RankTraining {
 public:
  /// `evaluation` may be null.
  RankTraining(const WorkerRequest& request, const RunPaths& paths, const Backend& backend,
               Precision precision, Checkpoint& checkpoint, const Evaluation* evaluation,
               const std::function<bool()>& should_stop, Ranks& ranks)
      : request_(request),
        spec_(request.spec.train),
        paths_(paths),
        checkpoint_(checkpoint),
        evaluation_(evaluation),
        should_stop_(should_stop),
        ranks_(ranks),
        lessons_(read_lessons(request.spec, checkpoint.vocabulary)),
        training_(spec_, backend, precision, checkpoint, lessons_.data(),
                  data_order(request, static_cast<int64_t>(lessons_.features.size())), ranks) {}

  TrainEnd run() {
    if (training_.load(state_file(paths_), identity_))
      fmt::print("going on from step {}\n", training_.step());
    TrainingHooks hooks;
    hooks.should_stop = should_stop_;
    hooks.on_step = [](const StepMetrics&) {};
    std::optional<MetricsLog> log;
    if (ranks_.rank() == 0) add_what_is_written(hooks, log.emplace(paths_.metrics(), training_.step()));
    const auto end = training_.run(hooks);
    if (ranks_.rank() > 0) return end;
    // After the last step too: an attempt that is ended while it predicts does not train again.
    if (end != TrainEnd::kDiverged) save();
    if (end == TrainEnd::kDiverged)
      log->write({{"event", "diverged"}, {"step", std::min(training_.step() + 1, last_step())}});
    checkpoint_ = trained();
    return end;
  }

 private:
  void add_what_is_written(TrainingHooks& hooks, MetricsLog& log) {
    fmt::print("{} features, {} steps, {}{} threads\n", lessons_.features.size(), last_step(),
               ranks_.size() > 1 ? fmt::format("{} ranks of ", ranks_.size()) : "", thread_count());
    std::fflush(stdout);
    saved_at_ = clock_.now_s();
    if (request_.save_gradients) {
      hooks.on_gradients = [this](int64_t step, const Parameters& gradients) {
        if (step == 1) save_tensors(paths_.gradients(), gradients, {});
      };
    }
    // One that the last attempt's end has cut short.
    if (training_.step() > log.last_evaluation()) evaluate_where_due(training_.step(), log);
    hooks.on_step = [this, &log](const StepMetrics& m) { log.write(metrics_line(m, clock_.now_s())); };
    hooks.wants_state = [this](int64_t step) {
      return step != last_step() && (is_evaluated(step) || is_save_due(step));
    };
    hooks.on_state = [this, &log](int64_t step) {
      evaluate_where_due(step, log);
      if (is_save_due(step)) save();
    };
  }

  /// As it is evaluated and kept; it shares its tensors with the training.
  Checkpoint trained() const {
    Checkpoint checkpoint = checkpoint_;
    checkpoint.parameters = training_.weights();
    return checkpoint;
  }

  int64_t last_step() const { return training_.plan().total_steps; }

  bool is_save_due(int64_t step) const {
    return spec_.save_every > 0 ? step % spec_.save_every == 0 : clock_.now_s() - saved_at_ >= kSaveEvery_s;
  }

  void save() {
    make_folder(paths_.state());
    training_.save(state_file(paths_), identity_);
    saved_at_ = clock_.now_s();
  }

  std::optional<int64_t> rung_at(int64_t step) const {
    const auto found = std::find(rungs_.begin(), rungs_.end(), step);
    return found == rungs_.end() ? std::nullopt : std::optional<int64_t>(found - rungs_.begin());
  }

  bool is_evaluated(int64_t step) const {
    const bool is_due = spec_.eval_every > 0 && step % spec_.eval_every == 0;
    return evaluation_ != nullptr && (is_due || rung_at(step));
  }

  void evaluate_where_due(int64_t step, MetricsLog& log) {
    if (!is_evaluated(step) || step == last_step()) return;
    if (const auto score = evaluation_->score(trained(), should_stop_))
      log.write(evaluation_line(step, *score, rung_at(step), clock_.now_s()));
  }

  const WorkerRequest& request_;
  const TrainSpec& spec_;
  const RunPaths& paths_;
  Checkpoint& checkpoint_;
  const Evaluation* evaluation_;
  const std::function<bool()>& should_stop_;
  Ranks& ranks_;
  const std::string identity_ = identity_of(request_.spec);
  const Lessons lessons_;
  Training training_;
  const std::vector<int64_t> rungs_ = rung_steps(request_.spec.early_stop, last_step());
  SystemClock clock_;
  double saved_at_ = 0;
};

/// Touches the heartbeat every few seconds, whenever the run is asked whether it should stop.
class Heartbeat {
 public:
  explicit Heartbeat(std::filesystem::path file) : file_(std::move(file)) { write_file(file_, ""); }
  ~Heartbeat() {
    std::error_code ignored;
    std::filesystem::remove(file_, ignored);
  }
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  void beat() {
    constexpr double kEvery_s = 5;
    const double now = clock_.now_s();
    if (now - last_ < kEvery_s) return;
    last_ = now;
    std::error_code lost;  // a run does not end for it
    std::filesystem::last_write_time(file_, std::filesystem::file_time_type::clock::now(), lost);
  }

 private:
  std::filesystem::path file_;
  SystemClock clock_;
  double last_ = 0;
};

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
  at::set_num_threads(1);  // it holds the tensors only; its threads would wait awake beside ours
  // Numbers too small to matter (a softmax's, an old moment's) would be computed a hundred times as slowly.
  // The threads to come inherit it.
  at::globalContext().setFlushDenormal(true);
  set_thread_count(request.devices.threads);
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
  const SpanHead head = span_head_from(spec.train.head, paths.request().string());
  Checkpoint checkpoint = load_checkpoint(spec.init.path, static_cast<uint64_t>(spec.train.seed_init), head);
  if (training) check_head(checkpoint.config, head, spec.init.path);
  check_lengths(spec, training, checkpoint.config);
  if (!training && !checkpoint.has_own_head) {
    throw Error(fmt::format("{}: it has no span head (qa_outputs)", spec.init.path),
                "predict with a fine-tuned checkpoint");
  }
  std::optional<Evaluation> evaluation;
  const auto read_evaluation = [&] {
    if (!spec.dev_data.path.empty() && !evaluation) evaluation.emplace(backend, spec, checkpoint.vocabulary);
  };
  if (training) {
    if (writes && (spec.train.eval_every > 0 || spec.early_stop.is_wanted()))
      read_evaluation();  // else a training does not hold the dev features
    const bool looks_on_the_way = evaluation && evaluation->has_answers();
    const TrainEnd end = RankTraining(request, paths, backend, precision, checkpoint,
                                      looks_on_the_way ? &*evaluation : nullptr, should_stop, ranks)
                             .run();
    ranks.finish();  // none ends before rank 0 has saved: its launcher would end the others
    if (end == TrainEnd::kDiverged) return kExitDiverged;
    if (end == TrainEnd::kTerminated) return kExitTerminated;
    if (!writes) return 0;
    save_checkpoint(paths.checkpoint(), checkpoint);
  }
  read_evaluation();
  if (evaluation && !evaluation->write(checkpoint, paths, should_stop)) return kExitTerminated;
  std::filesystem::remove_all(paths.state());
  return 0;
}

}  // namespace expctl
