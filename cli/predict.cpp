// `expctl predict MODEL ... --input FILE`: predictions, n-best and inference statistics for other questions,
// by one model or by the mean of several.
#include <fmt/core.h>

#include <string>

#include "cli/models.h"
#include "cli/prediction.h"
#include "cli/program.h"
#include "core/error.h"
#include "core/files.h"

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

std::vector<Model> all_models(const Program& program, const PredictOptions& options) {
  if (!options.weights.empty() && options.weights.size() != options.models.size()) {
    throw Error(fmt::format("{} weights for {} models", options.weights.size(), options.models.size()),
                "--weights takes one number a model", ErrorCode::kUsage);
  }
  std::vector<Model> models;
  for (size_t i = 0; i < options.models.size(); ++i) {
    for (auto& model : find_models(program, options.models[i], options.settings)) {
      if (!options.weights.empty()) model.weight *= options.weights[i];
      if (!(model.weight > 0))
        throw Error(fmt::format("the weight of {} is {}", model.name, model.weight),
                    "weights are positive numbers", ErrorCode::kUsage);
      models.push_back(std::move(model));
    }
  }
  return models;
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
  const int signal = predict_into(program, models, options.input, draft.path(), out.folder);
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
  verb->footer("Example: expctl predict ens1 --input test_input.json");
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
