// `expctl predict MODEL ... --input FILE`: predictions, n-best and inference statistics for other questions,
// by one model or by the mean of several.
#include <fmt/core.h>

#include <string>

#include "cli/program.h"
#include "cli/worker_call.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "ensemble/answers.h"
#include "ensemble/combine.h"
#include "formats/stored_bert.h"
#include "registry/registry.h"
#include "reports/ensemble_stats.h"
#include "runner/attempt_files.h"
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

/// A model that has never been fine-tuned would answer by chance. (Of pickled weights only the worker can
/// tell.)
void check_head(const fs::path& folder) {
  const StoredBert bert = open_stored_bert(folder);
  if (bert.has_head() || bert.is_pickled()) return;
  throw Error(fmt::format("{}: it has no span head (qa_outputs)", folder.string()),
              "predict with a fine-tuned checkpoint");
}

/// A folder as people type it, "checkpoint/" too.
fs::path folder_path(const std::string& text) {
  const fs::path path = fs::absolute(text).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

Model model_of_folder(const fs::path& folder) {
  Model model;
  model.spec.init.path = folder.string();
  model.name = folder.filename().string();
  model.spec.name = model.name;
  return model;
}

Model model_of_run(const RunRecord& run, const WorkspacePaths& workspace) {
  const RunPaths paths{workspace.folder(run.id)};
  if (!is_stored_bert(paths.checkpoint())) {
    throw Error(fmt::format("{} has no checkpoint", run.id), fmt::format("it is {}", name_of(run.state)),
                ErrorCode::kNotFound);
  }
  Model model{run.id, 1, run_spec_from_json(run.spec, "registry: spec of " + run.id)};
  model.spec.command = {};
  model.spec.resources = {};  // those were of the machine that trained
  model.spec.init.path = paths.checkpoint().string();
  return model;
}

/// The one model that a run or a folder is, or the members of an ensemble.
std::vector<Model> find_models(const Program& program, const std::string& word) {
  const WorkspacePaths workspace = program.workspace();
  const bool is_id =
      fs::exists(workspace.registry()) && Registry::open_existing(workspace.registry()).find_run(word);
  if (!is_id && is_stored_bert(word)) return {model_of_folder(folder_path(word))};
  if (!is_id && fs::is_directory(word)) {
    throw Error(fmt::format("{}: no config.json in it", word),
                "a checkpoint folder in Hugging Face's or Google's layout is wanted", ErrorCode::kNotFound);
  }
  const Registry registry = Registry::open_existing(workspace.registry());
  const RunRecord entry = registry.resolve_run(word);
  const auto members = registry.ensemble_members(entry.id);
  if (members.empty()) return {model_of_run(entry, workspace)};
  std::vector<Model> models;
  for (size_t i = 0; i < members.size(); ++i) {
    models.push_back(model_of_run(registry.find_run(members[i]).value(), workspace));
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
      if (!(model.weight > 0))
        throw Error(fmt::format("the weight of {} is {}", model.name, model.weight),
                    "weights are positive numbers", ErrorCode::kUsage);
      check_head(model.spec.init.path);
      models.push_back(std::move(model));
    }
  }
  return models;
}

WorkerRequest make_predict_request(RunSpec spec, const fs::path& input, const fs::path& folder) {
  spec.train_data = {};
  spec.dev_data = {fs::absolute(input).lexically_normal().string(), sha256_file(input)};
  spec.init.sha256 = sha256_folder(spec.init.path);
  return make_worker_request(WorkerTask::kPredict, std::move(spec), folder);
}

fs::path member_folder(const fs::path& out, size_t index) {
  return out / "members" / std::to_string(index + 1);
}

/// A signal that has ended it, or 0. `folder` is where it works, `final` where the folder will lie.
int predict_one(const Model& model, const fs::path& input, const fs::path& folder, const fs::path& final) {
  const RunPaths paths{folder};
  WorkerRequest request = make_predict_request(model.spec, input, folder);
  if (const int signal = call_worker(request, folder, "predicting with " + model.name); signal != 0)
    return signal;
  request.run_id = final.filename().string();
  request.argv.back() = final.string();
  write_request(request, paths, final);
  return 0;
}

/// Each model's logits in a folder of its own, then their mean.
int predict_mean(const Program& program, const std::vector<Model>& models, const fs::path& input,
                 const fs::path& folder, const fs::path& final) {
  std::vector<EnsembleMember> members;
  std::vector<std::pair<std::string, fs::path>> folders;
  for (size_t i = 0; i < models.size(); ++i) {
    const RunPaths paths{member_folder(folder, i)};
    say(program, fmt::format("{} ({} of {})", models[i].name, i + 1, models.size()));
    if (const int signal = predict_one(models[i], input, paths.folder, member_folder(final, i)); signal != 0)
      return signal;
    members.push_back({models[i].name, models[i].weight, read_logits(paths.logits())});
    folders.emplace_back(member_folder("", i).string(), paths.folder);  // two may be called alike
  }
  const LogitsFile mean = mean_logits(members);
  const Dataset dataset = read_dataset(input);
  const RunSpec& spec = models.front().spec;
  const auto vocabulary = Vocabulary::read(CheckpointPaths{spec.init.path}.vocab());
  const auto answers = decode_logits(mean, dataset, vocabulary, spec.train, models.front().name);
  const RunPaths paths{folder};
  write_logits(paths.logits(), mean);
  write_file(paths.inference_stats(), json_text(ensemble_inference_stats(folders)));
  write_answers(paths, dataset, answers);
  return 0;
}

fs::path output_folder(const PredictOptions& options) {
  const fs::path name = folder_path(options.models.front()).filename();
  const fs::path folder =
      options.out.empty() ? fs::absolute("predictions-" + name.string()) : folder_path(options.out.string());
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
  const DraftFolder draft(out.folder);
  const int signal = models.size() == 1
                         ? predict_one(models.front(), options.input, draft.path(), out.folder)
                         : predict_mean(program, models, options.input, draft.path(), out.folder);
  if (signal != 0) return 128 + signal;
  draft.become(out.folder);
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
      ->delimiter(',')
      ->allow_extra_args(false);
  verb->add_option("--set", options->settings, "key=value for the evaluation, e.g. eval_max_seq_length=128")
      ->allow_extra_args(false);
  verb->add_option("--out", options->out, "A new folder (default: predictions-MODEL)");
  verb->callback(
      [&program, options] { program.action = [&program, options] { return predict(program, *options); }; });
}

}  // namespace expctl
