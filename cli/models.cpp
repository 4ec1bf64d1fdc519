#include "cli/models.h"

#include <fmt/core.h>

#include <algorithm>

#include "cli/folders.h"
#include "core/error.h"
#include "core/evaluation_settings.h"
#include "core/text.h"
#include "formats/stored_bert.h"
#include "registry/registry.h"
#include "registry/spec_of.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

void check_key(const std::string& key) {
  std::vector<std::string> keys;  // that an evaluation heeds
  for (const char* setting : kWindowKeys) keys.push_back(training_key(setting));
  keys.insert(keys.end(), std::begin(kDecodingKeys), std::end(kDecodingKeys));
  keys.push_back(training_key("precision"));
  if (std::find(keys.begin(), keys.end(), key) != keys.end()) return;
  throw Error(fmt::format("--set {}: nothing is trained here", key),
              fmt::format("an evaluation has {}", join(keys, ", ")), ErrorCode::kUsage);
}

/// The keys of --set on top of a model's own, resolved.
TrainSpec with_settings(TrainSpec spec, const std::vector<std::string>& settings) {
  const auto apply_all = [&] {
    bool new_length = false;
    for (const auto& setting : settings) {
      const std::string key = apply_setting(spec, setting);
      check_key(key);
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

/// A model that has never been fine-tuned would answer by chance. (Of pickled weights only the worker can
/// tell.)
void check_head(const StoredBert& bert, const fs::path& folder) {
  if (bert.has_head() || bert.is_pickled()) return;
  throw Error(fmt::format("{}: it has no span head (qa_outputs)", folder.string()),
              "predict with a fine-tuned checkpoint");
}

Model make_model(const std::string& name, RunSpec spec, const fs::path& folder,
                 const std::vector<std::string>& settings) {
  const StoredBert bert = open_stored_bert(folder);
  check_head(bert, folder);
  if (spec.train.eval_max_seq_length == 0)  // of a folder: no run has chosen one
    spec.train.eval_max_seq_length = std::min(spec.train.max_seq_length, bert.config.max_position_embeddings);
  if (spec.train.eval_precision.empty() && spec.train.precision == "fp16")
    spec.train.eval_precision = "auto";  // it was trained on a GPU; this is computed on the CPU
  spec.train = with_settings(spec.train, settings);
  check_length(bert.config, spec.train.eval_max_seq_length, bert.config_file.string());
  check_cpu_precision(spec.train.eval_precision);
  spec.init.path = folder.string();
  return {name, 1, 1, std::move(spec)};
}

Model model_of_folder(const fs::path& folder, const std::vector<std::string>& settings) {
  RunSpec spec;
  spec.name = folder.filename().string();
  return make_model(spec.name, spec, folder, settings);
}

Model model_of_run(const RunRecord& run, const WorkspacePaths& workspace,
                   const std::vector<std::string>& settings) {
  const RunPaths paths = workspace.run(run.id);
  if (!is_stored_bert(paths.checkpoint())) {
    throw Error(fmt::format("{} has no checkpoint", run.id),
                run.state == RunState::kSucceeded
                    ? fmt::format("there is no model in {}", paths.checkpoint().string())
                    : fmt::format("it is {}", name_of(run.state)),
                ErrorCode::kNotFound);
  }
  return model_of_checkpoint(run.id, spec_of(run), paths.checkpoint(), settings);
}

}  // namespace

Model model_of_checkpoint(const std::string& name, RunSpec spec, const fs::path& checkpoint,
                          const std::vector<std::string>& settings) {
  spec.command = {};
  spec.resources = {};  // those were of the machine that trained
  return make_model(name, std::move(spec), checkpoint, settings);
}

Models find_models(const Program& program, const std::string& word,
                   const std::vector<std::string>& settings) {
  const WorkspacePaths workspace = program.workspace();
  const bool is_id =
      fs::exists(workspace.registry()) && Registry::open_to_look(workspace.registry()).find_run(word);
  if (!is_id && is_stored_bert(word)) {
    return {{model_of_folder(folder_path(word), settings)}};
  }
  if (!is_id && fs::is_directory(word)) {
    throw Error(fmt::format("{}: no config.json in it", word),
                "a checkpoint folder in Hugging Face's or Google's layout is wanted", ErrorCode::kNotFound);
  }
  const Registry registry = Registry::open_to_look(workspace.registry());
  const RunRecord entry = registry.resolve_run(word);
  const auto members = registry.ensemble_members(entry.id);
  if (members.empty()) return {{model_of_run(entry, workspace, settings)}};
  Models models;
  models.method = parse_method(json_get<std::string>(entry.spec, "method", "registry: " + entry.id));
  if (models.method == Method::kSoup) {
    const RunRecord member = registry.find_run(members.front()).value();
    return {{model_of_checkpoint(entry.id, spec_of(member), workspace.run(entry.id).checkpoint(), settings)}};
  }
  for (size_t i = 0; i < members.size(); ++i) {
    models.members.push_back(model_of_run(registry.find_run(members[i]).value(), workspace, settings));
    models.members.back().weight = entry.spec["members"][i]["weight"].get<double>();
    models.members.back().scale = entry.spec["members"][i].value("scale", 1.0);
  }
  return models;
}

}  // namespace expctl
