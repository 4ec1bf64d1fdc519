// `expctl predict MODEL ... --input FILE`: predictions, n-best and inference statistics for other questions,
// by one model or by several that are combined.
#include <fmt/core.h>

#include <string>

#include "cli/folders.h"
#include "cli/models.h"
#include "cli/prediction.h"
#include "cli/verbs.h"
#include "core/draft_folder.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "ensemble/blend.h"
#include "squad/answer_files.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

struct PredictOptions {
  std::vector<std::string> models;  ///< ids or folders
  std::vector<double> weights, scales;
  std::string method;  ///< "": that of the ensemble, else the mean of logits
  std::vector<std::string> settings;
  fs::path input;
  fs::path out;
};

/// One number a model, or none at all.
void check_count(const char* option, const std::vector<double>& numbers, const PredictOptions& options) {
  if (numbers.empty() || numbers.size() == options.models.size()) return;
  throw Error(fmt::format("{} {} for {} models", numbers.size(), option + 2, options.models.size()),
              fmt::format("{} takes one number a model", option), ErrorCode::kUsage);
}

Models all_models(const Program& program, const PredictOptions& options) {
  check_count("--weights", options.weights, options);
  check_count("--scales", options.scales, options);
  Models all;
  for (size_t i = 0; i < options.models.size(); ++i) {
    Models found = find_models(program, options.models[i], options.settings);
    if (options.models.size() == 1) all.method = found.method;
    double total = 0;  // so that an ensemble among others counts as one of them
    for (const auto& model : found.members) total += model.weight;
    for (auto& model : found.members) {
      if (options.models.size() > 1) model.weight /= total;
      if (!options.weights.empty()) model.weight *= options.weights[i];
      if (!options.scales.empty()) model.scale *= options.scales[i];
      check_weight(model.name, model.weight);
      check_scale(model.name, model.scale);
      all.members.push_back(std::move(model));
    }
  }
  if (!options.method.empty()) all.method = parse_method(options.method);
  if (!options.scales.empty() && (all.method == Method::kNBest || all.members.size() == 1))
    throw Error("--scales: there are no logits of several models to combine", "leave it out",
                ErrorCode::kUsage);
  if (all.method == Method::kSoup)
    throw Error("--method soup: weights are averaged once, by expctl ensemble",
                "predict with what that has made: it is one model", ErrorCode::kUsage);
  return all;
}

fs::path output_folder(const PredictOptions& options) {
  const fs::path name = folder_path(options.models.front()).filename();
  const fs::path folder =
      options.out.empty() ? fs::absolute("predictions-" + name.string()) : folder_path(options.out.string());
  check_new_folder(folder, "--out names a new folder");
  return folder;
}

/// What the models took, one after the other.
double inference_s(const RunPaths& paths) {
  return json_get<double>(read_json(paths.inference_stats()), "total_inference_time_s",
                          paths.inference_stats().string());
}

int predict(const Program& program, const PredictOptions& options) {
  if (!fs::is_regular_file(options.input)) {
    throw Error(fmt::format("{}: no such file", options.input.string()), "--input names a SQuAD 1.1 file",
                ErrorCode::kNotFound);
  }
  const RunPaths out{output_folder(options)};
  const auto models = all_models(program, options);
  const DraftFolder draft(out.folder);
  Predictor(program, options.input).predict(models, draft.path(), out.folder);
  draft.become(out.folder);
  const bool scored = fs::exists(out.eval());
  const NBest nbest = read_nbest(out.nbest());
  const double ms_per_question = 1e3 * inference_s(out) / static_cast<double>(nbest.size());
  if (program.json) {
    fmt::print("{}", json_text({{"schema_version", 1},
                                {"folder", out.folder.string()},
                                {"predictions", out.predictions().string()},
                                {"questions", nbest.size()},
                                {"ms_per_question", ms_per_question},
                                {"probability_score", probability_score(nbest)},
                                {"eval", scored ? read_json(out.eval()) : Json()}}));
  } else {
    fmt::print("{}\n", out.predictions().string());
    if (scored) fmt::print("{}", read_file(out.eval()));
    say(program,
        fmt::format("{}, {:.1f} ms each{}; probability score {:.4f}", counted(nbest.size(), "question"),
                    ms_per_question,
                    models.members.size() > 1 ? fmt::format(" on {} models", models.members.size()) : "",
                    probability_score(nbest)));
  }
  return 0;
}

}  // namespace

void add_predict(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand(
      "predict", "Predict the answers of other questions with a run, an ensemble or any checkpoint");
  verb->footer(
      "Computes on a GPU that is free, else on the CPU.\nExample: expctl predict ens1 --input "
      "test_input.json");
  auto options = std::make_shared<PredictOptions>();
  verb->add_option("MODEL", options->models, "Ids or checkpoint folders; several are combined")
      ->required()
      ->expected(1, -1);
  verb->add_option("--input", options->input, "SQuAD 1.1 file; answers are not needed")->required();
  verb->add_option("--weights", options->weights,
                   "One number a model, separated by commas (default: all alike)")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb->add_option("--scales", options->scales,
                   "One number a model that its logits are multiplied by (default: all 1)")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb->add_option("--method", options->method,
                   "logits, probabilities or nbest (default: the ensemble's own, of several words logits)");
  verb->add_option("--set", options->settings, "key=value for the evaluation, e.g. eval_max_seq_length=128")
      ->allow_extra_args(false);
  verb->add_option("--out", options->out, "A new folder (default: predictions-MODEL)");
  on_call(verb, program, [&program, options] { return predict(program, *options); });
}

}  // namespace expctl
