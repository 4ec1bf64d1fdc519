// `expctl predict MODEL ... --input FILE`: predictions, n-best and inference statistics for other questions,
// by one model or by the mean of several.
#include <fmt/core.h>

#include <random>
#include <string>

#include "cli/program.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/request.h"
#include "ensemble/answers.h"
#include "ensemble/combine.h"
#include "registry/registry.h"
#include "runner/attempt_files.h"
#include "runner/find_worker.h"
#include "runner/slots.h"
#include "runner/supervisor.h"
#include "squad/answer_files.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

struct PredictOptions {
  std::vector<std::string> models;  ///< ids or folders
  std::vector<double> weights;
  std::vector<std::string> settings;
  fs::path input;
  fs::path out;
};

/// A checkpoint and the training keys (for length, stride, decoding) to evaluate it with.
struct Model {
  std::string name;
  double weight = 1;
  RunSpec spec;
};

bool is_checkpoint(const fs::path& folder) {
  return fs::is_regular_file(CheckpointPaths{folder}.config());
}

Model model_of_folder(const std::string& folder) {
  Model model;
  model.spec.init.path = fs::absolute(folder).lexically_normal().string();
  model.name = fs::path(model.spec.init.path).filename().string();
  model.spec.name = model.name;
  return model;
}

Model model_of_run(const RunRecord& run, const WorkspacePaths& workspace) {
  const RunPaths paths{workspace.folder(run.id)};
  if (!is_checkpoint(paths.checkpoint())) {
    throw Error(fmt::format("{} has no checkpoint", run.id), fmt::format("it is {}", name_of(run.state)),
                ErrorCode::kNotFound);
  }
  Model model{run.id, 1, run_spec_from_json(run.spec, "registry: spec of " + run.id)};
  model.spec.command = {};
  model.spec.init.path = paths.checkpoint().string();
  return model;
}

/// The one model that a folder or a run is, or the members of an ensemble.
std::vector<Model> find_models(const Program& program, const std::string& word) {
  if (is_checkpoint(word)) return {model_of_folder(word)};
  if (fs::is_directory(word)) {
    throw Error(fmt::format("{}: no config.json in it", word),
                "a checkpoint folder in Hugging Face's layout is wanted", ErrorCode::kNotFound);
  }
  const Registry registry = Registry::open_existing(program.workspace().registry());
  const RunRecord entry = registry.resolve_run(word);
  const auto members = registry.ensemble_members(entry.id);
  if (members.empty()) return {model_of_run(entry, program.workspace())};
  std::vector<Model> models;
  for (size_t i = 0; i < members.size(); ++i) {
    models.push_back(model_of_run(registry.find_run(members[i]).value(), program.workspace()));
    models.back().weight = entry.spec["members"][i]["weight"].get<double>();
  }
  return models;
}

/// The keys of --set on top of the model's own; a stride that was made for another length is made anew.
TrainSpec with_settings(TrainSpec spec, const std::vector<std::string>& settings) {
  const auto apply_all = [&] {
    bool new_length = false;
    for (const auto& setting : settings) {
      const std::string key = apply_setting(spec, setting);
      new_length = new_length || key == "eval_max_seq_length";
    }
    return new_length;
  };
  if (apply_all()) {
    spec.eval_doc_stride = 0;
    apply_all();
  }
  return resolve(spec);
}

std::vector<Model> all_models(const Program& program, const PredictOptions& options) {
  if (!options.weights.empty() && options.weights.size() != options.models.size()) {
    throw Error(fmt::format("{} weights for {} models", options.weights.size(), options.models.size()),
                "--weights takes one number a model", ErrorCode::kUsage);
  }
  std::vector<Model> models;
  for (size_t i = 0; i < options.models.size(); ++i) {
    for (auto& model : find_models(program, options.models[i])) {
      if (!options.weights.empty()) model.weight *= options.weights[i];
      model.spec.train = with_settings(model.spec.train, options.settings);
      models.push_back(std::move(model));
    }
  }
  return models;
}

WorkerRequest make_predict_request(RunSpec spec, const fs::path& input, const RunPaths& out) {
  spec.train_data = {};
  spec.dev_data = {fs::absolute(input).lexically_normal().string(), sha256_file(input)};
  spec.init.sha256 = sha256_folder(spec.init.path);
  spec.resources.timeout_s = 0;
  SlotPool pool(usable_cpus());
  WorkerRequest request;
  request.task = WorkerTask::kPredict;
  request.run_id = out.folder.filename().string();
  request.attempt_token = fmt::format("{:08x}{:08x}", std::random_device{}(), std::random_device{}());
  request.devices = pool.take(spec)->devices();
  request.environment = {{"OMP_NUM_THREADS", std::to_string(request.devices.threads)}};
  request.argv = {find_worker(self_path()).string(), out.folder.string()};
  request.spec = std::move(spec);
  return request;
}

/// False where a signal has ended it.
bool predict_one(const Model& model, const fs::path& input, const RunPaths& out) {
  write_attempt(make_predict_request(model.spec, input, out), out);
  const Outcome outcome = supervise(out.folder, {});
  if (outcome.end == AttemptEnd::kInterrupted) return false;
  if (outcome.end != AttemptEnd::kSucceeded) {
    throw Error(fmt::format("predicting with {} failed: {}", model.name, outcome.message),
                fmt::format("the whole log is {}", out.log().string()));
  }
  return true;
}

/// Each model's logits in a folder of its own, then their mean.
bool predict_mean(const Program& program, const std::vector<Model>& models, const fs::path& input,
                  const RunPaths& out) {
  std::vector<EnsembleMember> members;
  for (const auto& model : models) {
    const RunPaths folder{out.folder / "members" / std::to_string(members.size() + 1)};
    say(program, fmt::format("{} ({} of {})", model.name, members.size() + 1, models.size()));
    if (!predict_one(model, input, folder)) return false;
    members.push_back({model.name, model.weight, read_logits(folder.logits())});
  }
  const LogitsFile mean = mean_logits(members);
  const Dataset dataset = read_dataset(input);
  const RunSpec& spec = models.front().spec;
  const auto vocabulary = Vocabulary::read(CheckpointPaths{spec.init.path}.vocab());
  const auto answers = decode_logits(mean, dataset, vocabulary, spec.train, models.front().name);
  write_logits(out.logits(), mean);
  write_answers(out, dataset, answers);
  return true;
}

fs::path output_folder(const PredictOptions& options) {
  const fs::path fallback =
      fmt::format("predictions-{}", fs::path(options.models.front()).lexically_normal().filename().string());
  const fs::path folder = fs::absolute(options.out.empty() ? fallback : options.out).lexically_normal();
  if (fs::exists(folder) && !fs::is_empty(folder)) {
    throw Error(fmt::format("{} is not empty", folder.string()), "--out names a new folder");
  }
  return folder;
}

int predict(const Program& program, const PredictOptions& options) {
  if (!fs::is_regular_file(options.input)) {
    throw Error(fmt::format("{}: no such file", options.input.string()), "--input names a SQuAD 1.1 file",
                ErrorCode::kNotFound);
  }
  const RunPaths out{output_folder(options)};
  const auto models = all_models(program, options);
  const bool done = models.size() == 1 ? predict_one(models.front(), options.input, out)
                                       : predict_mean(program, models, options.input, out);
  constexpr int kInterrupted = 130;
  if (!done) return kInterrupted;
  const bool scored = fs::exists(out.eval());
  if (program.json) {
    fmt::print("{}", json_text({{"schema_version", 1},
                                {"folder", out.folder.string()},
                                {"predictions", out.predictions().string()},
                                {"eval", scored ? read_json(out.eval()) : Json()}}));
  } else {
    fmt::print("{}\n", out.predictions().string());
    if (scored) fmt::print("{}", read_file(out.eval()));
  }
  return 0;
}

}  // namespace

void add_predict(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand(
      "predict", "Predict the answers of other questions with a run, an ensemble or any checkpoint");
  auto options = std::make_shared<PredictOptions>();
  verb->add_option("MODEL", options->models, "Ids or checkpoint folders; the logits of several are averaged")
      ->required()
      ->expected(1, -1);
  verb->add_option("--input", options->input, "SQuAD 1.1 file; answers are not needed")->required();
  verb->add_option("--weights", options->weights,
                   "One number a model, separated by commas (default: all alike)")
      ->delimiter(',');
  verb->add_option("--set", options->settings, "key=value for the evaluation, e.g. eval_max_seq_length=128")
      ->allow_extra_args(false);
  verb->add_option("--out", options->out, "A new folder (default: predictions-MODEL)");
  verb->callback(
      [&program, options] { program.action = [&program, options] { return predict(program, *options); }; });
}

}  // namespace expctl
