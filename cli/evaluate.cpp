// `expctl evaluate ID`: another evaluation of a run or an ensemble, at another length or on other data,
// without training.
#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <string>

#include "cli/models.h"
#include "cli/prediction.h"
#include "cli/verbs.h"
#include "core/draft_folder.h"
#include "core/error.h"
#include "core/evaluation_settings.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/text.h"
#include "registry/registry.h"
#include "runner/record_files.h"
#include "squad/dataset.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

struct EvaluateOptions {
  std::string id;
  fs::path data;  ///< "": the dev data of the run
  std::vector<std::string> settings;
  std::string name;  ///< "": default_name()
};

constexpr std::string_view kNameCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

void check_name(const std::string& name) {
  const bool plain = name.find_first_not_of(kNameCharacters) == std::string::npos;
  if (plain && !name.empty() && !name.starts_with('.') && name != kDefaultEvaluation) return;
  throw Error(fmt::format("--name {}: not a name for an evaluation", name),
              "letters, digits, '.', '_' and '-'; \"default\" is that of the run itself", ErrorCode::kUsage);
}

/// The data to evaluate on: a file, or what the run was evaluated on, unchanged.
fs::path find_data(const EvaluateOptions& options, const Model& model) {
  if (!options.data.empty()) {
    if (!fs::is_regular_file(options.data))
      throw Error(fmt::format("{}: no such file", options.data.string()), "--data names a SQuAD 1.1 file",
                  ErrorCode::kNotFound);
    return options.data;
  }
  const Input& own = model.spec.dev_data;
  if (own.path.empty())
    throw Error(fmt::format("{} has no dev data of its own", model.name), "--data names a SQuAD 1.1 file");
  if (sha256_file(own.path) != own.sha256)
    throw Error(fmt::format("{}: it has changed since {} was evaluated on it", own.path, model.name),
                "put the file back, or name it with --data");
  return own.path;
}

/// "128-46": length and stride, with the window where it is not the usual one, after the file's name where
/// it is not the run's own. What else was set follows ("128-46-n_best-1").
std::string default_name(const EvaluateOptions& options, const TrainSpec& spec) {
  std::string name = fmt::format("{}-{}", spec.eval_max_seq_length, spec.eval_doc_stride);
  if (spec.eval_window != TrainSpec{}.window) name += "-" + spec.eval_window;
  if (!options.data.empty()) name = options.data.stem().string() + "-" + name;
  const std::set<std::string> settings(options.settings.begin(), options.settings.end());
  for (const auto& setting : settings) {
    const bool is_said = std::any_of(std::begin(kWindowKeys), std::end(kWindowKeys), [&](const char* key) {
      return setting.starts_with(training_key(key) + "=");
    });
    if (!is_said) name += "-" + setting;
  }
  for (char& c : name) {
    if (c == '=')
      c = '-';
    else if (kNameCharacters.find(c) == std::string_view::npos)
      c = '_';
  }
  return name.starts_with('.') ? "_" + name : name;
}

/// What the score is of, and how its answers were decoded.
Json settings_of(RunSpec spec, const std::string& data_sha256) {
  spec.dev_data.sha256 = data_sha256;
  Json settings = evaluation_settings(spec);
  settings.update(decoding_settings(spec.train));
  settings["precision"] = spec.train.eval_precision;
  return settings;
}

/// The precision that was asked for is known before, "auto" too, the one computed in only afterwards.
Json with_requested_precision(Json known, const Json& wanted) {
  if (wanted["precision"] == "auto") known["precision"] = "auto";
  return known;
}

std::string differences(const Json& known, const Json& wanted) {
  std::vector<std::string> texts;
  for (const auto& [key, value] : known.items()) {
    if (value == wanted[key]) continue;
    texts.push_back(fmt::format("{} {}, not {}", key, scalar_text(value), scalar_text(wanted[key])));
  }
  return join(texts, "; ");
}

/// The evaluation of this name, where it was made already; an Error where it is of something else.
std::optional<EvaluationRecord> find_evaluation(const Registry& registry, const EvaluationRecord& wanted) {
  for (const auto& known : registry.evaluations(wanted.run_id)) {
    if (known.name != wanted.name) continue;
    const Json settings = with_requested_precision(known.settings, wanted.settings);
    if (settings == wanted.settings) return known;
    throw Error(fmt::format("{} has another evaluation '{}': {}", wanted.run_id, wanted.name,
                            differences(settings, wanted.settings)),
                "--name gives this one another name");
  }
  return std::nullopt;
}

void print_result(const Program& program, const EvaluationRecord& evaluation, const fs::path& folder) {
  if (program.json) {
    fmt::print("{}", json_text({{"schema_version", 1},
                                {"id", evaluation.run_id},
                                {"evaluation", evaluation.name},
                                {"f1", evaluation.f1},
                                {"exact_match", evaluation.exact_match},
                                {"settings", evaluation.settings},
                                {"folder", folder.string()}}));
  } else {
    fmt::print("{}", read_file(RunPaths{folder}.eval()));
  }
}

int evaluate(const Program& program, const EvaluateOptions& options) {
  const WorkspacePaths workspace = program.workspace();
  Registry registry = Registry::open_existing(workspace.registry());
  const RunRecord entry = registry.resolve_run(options.id);
  if (entry.state != RunState::kSucceeded)
    throw Error(fmt::format("{} is {}: only what has succeeded is evaluated", entry.id, name_of(entry.state)),
                "expctl runs list shows the states");
  const auto models = find_models(program, entry.id, options.settings);
  const fs::path data = find_data(options, models.members.front());
  if (!read_dataset(data).has_answers())
    throw Error(
        fmt::format("{}: it has questions without answers, so there is no score", data.string()),
        fmt::format("expctl{} predict {} --input {}", workspace_option(program), entry.id, data.string()));
  EvaluationRecord evaluation;
  evaluation.run_id = entry.id;
  evaluation.name =
      options.name.empty() ? default_name(options, models.members.front().spec.train) : options.name;
  check_name(evaluation.name);
  evaluation.settings = settings_of(models.members.front().spec, sha256_file(data));
  const RunPaths paths = workspace.run(entry.id).evaluation(evaluation.name);
  if (const auto known = find_evaluation(registry, evaluation)) {
    say(program, fmt::format("{} has this evaluation already: '{}'", entry.id, known->name));
    print_result(program, *known, paths.folder);
    return 0;
  }
  fs::remove_all(paths.folder);  // of one that was killed before it was on record
  const DraftFolder draft(workspace.folder(entry.id) / evaluation.name);
  Predictor(program, data).predict(models, draft.path(), paths.folder);
  make_folder(paths.folder.parent_path());
  draft.become(paths.folder);
  const Json score = read_json(paths.eval());
  evaluation.f1 = json_get<double>(score, "f1", paths.eval().string());
  evaluation.exact_match = json_get<double>(score, "exact_match", paths.eval().string());
  evaluation.settings["precision"] = json_get<std::string>(read_json(paths.inference_stats()), "precision",
                                                           paths.inference_stats().string());
  registry.set_evaluation(evaluation, [&] { write_run_file(registry, entry.id, workspace.run(entry.id)); });
  print_result(program, evaluation, paths.folder);
  const bool is_own = options.data.empty() && options.settings.empty();
  say(program, fmt::format("recorded as '{}' of {}{}; next: expctl{} runs show {}", evaluation.name, entry.id,
                           is_own ? " (the same settings as its own evaluation, 'default')" : "",
                           workspace_option(program), entry.id));
  return 0;
}

}  // namespace

void add_evaluate(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand(
      "evaluate", "Evaluate a run or an ensemble at another length or on other data, without training");
  verb->footer(
      "Computes on a GPU that is free, else on the CPU.\nExample: expctl evaluate run3 --set "
      "eval_max_seq_length=128");
  auto options = std::make_shared<EvaluateOptions>();
  verb->add_option("ID", options->id, "run3, ens1, @ (the newest), a tag")->required();
  verb->add_option("--data", options->data, "SQuAD 1.1 file with answers (default: the run's dev data)");
  verb->add_option("--set", options->settings, "key=value, e.g. eval_max_seq_length=128, any number of times")
      ->allow_extra_args(false);
  verb->add_option("--name", options->name,
                   "What it is recorded as (default: length and stride, e.g. 128-46)");
  on_call(verb, program, [&program, options] { return evaluate(program, *options); });
}

}  // namespace expctl
