#include "trainer/worker.h"

#include <ATen/Parallel.h>
#include <fmt/core.h>

#include <cstdio>
#include <memory>

#include "core/clock.h"
#include "core/environment.h"
#include "core/error.h"
#include "core/files.h"
#include "core/request.h"
#include "core/run_paths.h"
#include "core/worker_exit.h"
#include "formats/logits_file.h"
#include "squad/answer_files.h"
#include "trainer/predict.h"
#include "trainer/train.h"

namespace expctl {
namespace {

constexpr double kSaveEvery_s = 300;
constexpr int64_t kFeaturesPerPrediction = 32;

/// Whether products are to be computed in bf16.
bool wants_bf16(const std::string& precision) {
  if (precision == "fp16")
    throw Error("precision = \"fp16\": the CPU computes in fp32 or bf16", "use bf16, or auto");
  if (precision == "auto") return __builtin_cpu_supports("avx512bf16") != 0;
  return precision == "bf16";
}

/// What a training computes in: where it has been begun on another machine, what it was begun with.
bool training_in_bf16(const TrainSpec& spec, const std::filesystem::path& state) {
  const bool here = wants_bf16(spec.precision);
  const auto begun = Training::saved_bf16(state);
  if (begun && *begun != here) fmt::print("begun in {}, so it goes on in it\n", *begun ? "bf16" : "fp32");
  return begun.value_or(here);
}

/// metrics.jsonl, a line at a time, flushed so that a reader follows.
class MetricsLog {
 public:
  /// Keeps the lines of steps up to `last_step` (those after it will be computed again).
  MetricsLog(const std::filesystem::path& path, int64_t last_step) {
    cut(path, last_step);
    file_.reset(std::fopen(path.c_str(), "ae"));
    if (!file_) throw errno_error(fmt::format("cannot write {}", path.string()), errno);
  }

  void write(const Json& line) {
    fmt::print(file_.get(), "{}\n", json_line(line));
    std::fflush(file_.get());
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  static void cut(const std::filesystem::path& path, int64_t last_step) {
    if (!std::filesystem::exists(path)) return;
    const std::string text = read_file(path);
    std::string kept;
    for (size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const std::string line = text.substr(begin, end - begin);
      const Json json = Json::parse(line, nullptr, false);
      if (!json.is_discarded() && json.value("step", int64_t{0}) <= last_step) kept += line + "\n";
    }
    write_file(path, kept);
  }

  std::unique_ptr<std::FILE, Close> file_;
};

void write_environment(const WorkerRequest& request, const RunPaths& paths, bool bf16) {
  Json environment = environment_of(request);
  environment["precision"] = bf16 ? "bf16" : "fp32";
  environment["libtorch"] = TORCH_VERSION;
  environment["cuda"] = nullptr;
  write_file(paths.environment(), json_text(environment));
}

std::filesystem::path state_file(const RunPaths& paths) {
  return paths.state() / "state.safetensors";
}

TrainEnd train_model(const WorkerRequest& request, const RunPaths& paths, bool bf16, Checkpoint& checkpoint,
                     const std::function<bool()>& should_stop) {
  const TrainSpec& spec = request.spec.train;
  const Dataset dataset = read_dataset(request.spec.train_data.path);
  check_answer_positions(dataset, request.spec.train_data.path);
  const auto features = make_features(dataset, checkpoint.vocabulary, training_feature_options(spec));
  const auto state = state_file(paths);
  Training training(spec, bf16, checkpoint, features);
  const std::string identity = config_hash(request.spec) + "/" + std::to_string(spec.seed);
  if (training.load(state, identity)) fmt::print("going on from step {}\n", training.step());
  MetricsLog log(paths.metrics(), training.step());
  const SystemClock clock;
  double saved_at = clock.now_s();
  const auto save = [&] {
    make_folder(paths.state());
    training.save(state, identity);
    saved_at = clock.now_s();
  };
  fmt::print("{} features, {} steps, {} threads\n", features.size(), training.plan().total_steps,
             at::get_num_threads());
  std::fflush(stdout);
  const auto end = training.run(
      [&](const StepMetrics& m) {
        log.write({{"step", m.step},
                   {"epoch", m.epoch},
                   {"loss", m.loss},
                   {"learning_rate", m.learning_rate},
                   {"grad_norm", m.grad_norm},
                   {"tokens", m.tokens},
                   {"time", clock.now_s()}});
        const bool due =
            spec.save_every > 0 ? m.step % spec.save_every == 0 : clock.now_s() - saved_at >= kSaveEvery_s;
        if (due && m.step < training.plan().total_steps) save();
      },
      should_stop);
  // After the last step too: an attempt that is ended while it predicts does not train again.
  if (end != TrainEnd::kDiverged) save();
  if (end == TrainEnd::kDiverged) log.write({{"event", "diverged"}, {"step", training.step() + 1}});
  return end;
}

/// False where `should_stop` has ended it before anything was written.
bool predict_and_score(const WorkerRequest& request, const RunPaths& paths, const Checkpoint& checkpoint,
                       const std::function<bool()>& should_stop) {
  const TrainSpec& spec = request.spec.train;
  const bool bf16 = wants_bf16(spec.eval_precision);
  const Dataset dataset = read_dataset(request.spec.dev_data.path);
  const auto features = make_features(dataset, checkpoint.vocabulary, evaluation_feature_options(spec));
  const auto predicted = predict_logits(checkpoint, features, bf16, kFeaturesPerPrediction, should_stop);
  if (!predicted) return false;
  const Prediction& prediction = *predicted;
  const auto answers =
      decode_spans(dataset, features, checkpoint.vocabulary, prediction.logits, decode_options(spec));
  write_logits(paths.logits(),
               {{content_sha256(dataset), features_sha256(features), std::to_string(spec.eval_max_seq_length),
                 std::to_string(spec.eval_doc_stride), spec.eval_window},
                prediction.logits.start,
                prediction.logits.end,
                prediction.logits.offsets});
  const Json stats = inference_stats(prediction.times, kFeaturesPerPrediction, spec.eval_max_seq_length,
                                     bf16 ? "bf16" : "fp32");
  write_file(paths.inference_stats(), json_text(stats));
  fmt::print("{}", inference_listing(stats));
  if (const auto score = write_answers(paths, dataset, answers)) fmt::print("{}", score_line(*score));
  return true;
}

/// pytorch_model.bin and all else that load_checkpoint() reads, in Hugging Face's layout; no head where it
/// has none.
void convert_checkpoint(const RunSpec& spec, const RunPaths& paths) {
  Checkpoint checkpoint = load_checkpoint(spec.init.path, 0);
  if (!checkpoint.has_own_head) {
    std::erase_if(checkpoint.parameters,
                  [](const auto& entry) { return entry.first.starts_with("qa_outputs."); });
  }
  save_checkpoint(paths.checkpoint(), checkpoint);
}

}  // namespace

int run_worker(const std::filesystem::path& folder, const std::function<bool()>& should_stop) {
  const RunPaths paths{folder};
  const WorkerRequest request =
      worker_request_from_json(read_json(paths.request()), paths.request().string());
  if (!request.devices.gpus.empty())
    throw Error("this build of expctl-train computes on the CPU only", "set gpus = 0");
  at::set_num_threads(request.devices.threads);
  if (request.task == WorkerTask::kConvert) {
    convert_checkpoint(request.spec, paths);
    return 0;
  }
  const bool training = request.task == WorkerTask::kTrain;
  const bool bf16 = training ? training_in_bf16(request.spec.train, state_file(paths))
                             : wants_bf16(request.spec.train.eval_precision);
  write_environment(request, paths, bf16);
  Checkpoint checkpoint =
      load_checkpoint(request.spec.init.path, static_cast<uint64_t>(request.spec.train.seed_init));
  if (request.task == WorkerTask::kPredict && !checkpoint.has_own_head) {
    throw Error(fmt::format("{}: it has no span head (qa_outputs)", request.spec.init.path),
                "predict with a fine-tuned checkpoint");
  }
  if (training) {
    const TrainEnd end = train_model(request, paths, bf16, checkpoint, should_stop);
    if (end == TrainEnd::kDiverged) return kExitDiverged;
    if (end == TrainEnd::kTerminated) return kExitTerminated;
    save_checkpoint(paths.checkpoint(), checkpoint);
  }
  const bool done =
      request.spec.dev_data.path.empty() || predict_and_score(request, paths, checkpoint, should_stop);
  if (!done) return kExitTerminated;
  std::filesystem::remove_all(paths.state());
  return 0;
}

}  // namespace expctl
