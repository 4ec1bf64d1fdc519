#include "trainer/rank_training.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "core/files.h"
#include "core/threads.h"
#include "formats/teacher_file.h"

namespace expctl {
namespace {

constexpr double kSaveEvery_s = 300;

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

}  // namespace

std::filesystem::path state_file(const RunPaths& paths) {
  return paths.state() / "state.safetensors";
}

RankTraining::RankTraining(const WorkerRequest& request, const RunPaths& paths, const Backend& backend,
                           Precision precision, Checkpoint& checkpoint, const Evaluation* evaluation,
                           const std::function<bool()>& should_stop, Ranks& ranks)
    : request_(request),
      spec_(request.spec.train),
      paths_(paths),
      checkpoint_(checkpoint),
      evaluation_(evaluation),
      should_stop_(should_stop),
      ranks_(ranks),
      identity_(identity_of(request.spec)),
      lessons_(read_lessons(request.spec, checkpoint.vocabulary)),
      training_(spec_, backend, precision, checkpoint, lessons_.data(),
                data_order(request, static_cast<int64_t>(lessons_.features.size())), ranks),
      rungs_(rung_steps(request.spec.early_stop, last_step())) {}

TrainEnd RankTraining::run() {
  if (training_.load(state_file(paths_), identity_)) fmt::print("going on from step {}\n", training_.step());
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

void RankTraining::add_what_is_written(TrainingHooks& hooks, MetricsLog& log) {
  fmt::print("{} features, {} steps, {}{} threads\n", lessons_.features.size(), last_step(),
             ranks_.size() > 1 ? fmt::format("{} ranks of ", ranks_.size()) : "", thread_count());
  std::fflush(stdout);
  saved_s_ = said_s_ = clock_.now_s();
  if (request_.save_gradients) {
    hooks.on_gradients = [this](int64_t step, const Parameters& gradients) {
      if (step == 1) save_tensors(paths_.gradients(), gradients, {});
    };
  }
  // One that the last attempt's end has cut short.
  if (training_.step() > log.last_evaluation()) evaluate_where_due(training_.step(), log);
  hooks.on_step = [this, &log](const StepMetrics& m) {
    log.write(metrics_line(m, clock_.now_s()));
    say_progress(m);
  };
  hooks.wants_state = [this](int64_t step) {
    return step != last_step() && (is_evaluated(step) || is_save_due(step));
  };
  hooks.on_state = [this, &log](int64_t step) {
    evaluate_where_due(step, log);
    if (is_save_due(step)) save();
  };
}

/// A line a minute in the log, for whoever follows it.
void RankTraining::say_progress(const StepMetrics& metrics) {
  constexpr double kEvery_s = 60;
  const double now_s = clock_.now_s();
  if (now_s - said_s_ < kEvery_s) return;
  said_s_ = now_s;
  fmt::print("step {} of {}, loss {:.4f}\n", metrics.step, last_step(), metrics.loss);
  std::fflush(stdout);
}

/// As it is evaluated and kept; it shares its tensors with the training.
Checkpoint RankTraining::trained() const {
  Checkpoint checkpoint = checkpoint_;
  checkpoint.parameters = training_.weights();
  return checkpoint;
}

bool RankTraining::is_save_due(int64_t step) const {
  return spec_.save_every > 0 ? step % spec_.save_every == 0 : clock_.now_s() - saved_s_ >= kSaveEvery_s;
}

void RankTraining::save() {
  make_folder(paths_.state());
  training_.save(state_file(paths_), identity_);
  saved_s_ = clock_.now_s();
}

std::optional<int64_t> RankTraining::rung_at(int64_t step) const {
  const auto found = std::find(rungs_.begin(), rungs_.end(), step);
  return found == rungs_.end() ? std::nullopt : std::optional<int64_t>(found - rungs_.begin());
}

bool RankTraining::is_evaluated(int64_t step) const {
  const bool is_due = spec_.eval_every > 0 && step % spec_.eval_every == 0;
  return evaluation_ != nullptr && (is_due || rung_at(step));
}

void RankTraining::evaluate_where_due(int64_t step, MetricsLog& log) {
  if (!is_evaluated(step) || step == last_step()) return;
  if (const auto score = evaluation_->score(trained(), should_stop_))
    log.write(evaluation_line(step, *score, rung_at(step), clock_.now_s()));
}

}  // namespace expctl
