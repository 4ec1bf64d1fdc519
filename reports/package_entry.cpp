#include "reports/package_entry.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "core/evaluation_settings.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/text.h"
#include "core/version.h"
#include "registry/model_runs.h"
#include "registry/spec_of.h"
#include "reports/ensemble_stats.h"
#include "reports/render.h"
#include "reports/submission_view.h"
#include "reports/templates.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

void copy_if_there(const fs::path& from, const fs::path& to) {
  if (!fs::is_regular_file(from)) return;
  make_folder(to.parent_path());
  expctl::copy_file(from, to);
}

bool has_model(const RunPaths& run) {
  return fs::is_regular_file(CheckpointPaths{run.checkpoint()}.config());
}

/// `member` is "" where the entry has one model only.
void add_checkpoint(const RunPaths& from, const EntryPaths& entry, const std::string& member,
                    std::vector<FileCopy>& copies) {
  if (!fs::is_directory(from.checkpoint())) return;
  make_folder(entry.checkpoint(member));
  for (const auto& file : fs::recursive_directory_iterator(from.checkpoint())) {
    const fs::path to = entry.checkpoint(member) / fs::relative(file.path(), from.checkpoint());
    if (file.is_directory())
      make_folder(to);
    else if (file.is_regular_file())
      copies.push_back({file.path(), to});
  }
}

/// Logs and the whole routine of one run; `member` is "" where the entry is the run itself.
void copy_routine(const RunRecord& run, const WorkspacePaths& workspace, const EntryPaths& entry,
                  const std::string& member) {
  const RunPaths from = workspace.run(run.id);
  const RunPaths logs{entry.logs(member)}, training{entry.training(member)};
  copy_needed(from.log(), logs.log(), run.id);
  copy_if_there(from.metrics(), logs.metrics());
  const CommandSpec command = spec_of(run).command;
  for (const auto& own : find_files(from.folder, command.logs)) {
    const fs::path to = logs.folder / own.lexically_relative(from.folder);
    if (fs::is_directory(own))
      copy_tree(own, to);
    else
      copy_if_there(own, to);
  }
  copy_if_there(from.outcome(), logs.outcome());
  make_folder(training.folder);
  if (!run.is_imported())
    copy_needed(workspace.sweep_file(run.sweep_id),
                training.folder / workspace.sweep_file(run.sweep_id).filename(), run.id);
  write_file(training.folder / kSpecFile, json_text(run.spec));
  copy_needed(from.run(), training.run(), run.id);
  copy_needed(from.command(), training.command(), run.id);
  copy_if_there(from.environment(), training.environment());
}

/// How an entry's models are combined (ensemble/method.h); "logits" of a single run too.
std::string method_of(const RunRecord& entry) {
  return entry.is_ensemble() ? json_get<std::string>(entry.spec, "method", "registry: " + entry.id)
                             : "logits";
}

/// Whose weights were averaged: one model, in a folder of its own.
bool is_soup(const RunRecord& entry) {
  return method_of(entry) == "soup";
}

/// The folders of the models that made the entry's answers.
std::vector<RunPaths> model_folders(const RunRecord& entry, const std::vector<RunRecord>& runs,
                                    const WorkspacePaths& workspace) {
  if (is_soup(entry)) return {workspace.run(entry.id)};
  std::vector<RunPaths> folders;
  for (const auto& run : runs) folders.push_back(workspace.run(run.id));
  return folders;
}

/// The checkpoints of an entry with their weights, and their scales where they have some,
/// [{"member","weight","scale"}]; empty where one has none in Hugging Face's layout.
Json list_models(const RunRecord& entry, const std::vector<RunRecord>& runs,
                 const WorkspacePaths& workspace) {
  for (const auto& folder : model_folders(entry, runs, workspace)) {
    if (!has_model(folder)) return Json::array();
  }
  const bool several = entry.is_ensemble() && !is_soup(entry);
  if (!several) {
    return spec_of(runs.front()).is_command() ? Json::array()
                                              : Json::array({{{"member", ""}, {"weight", 1.0}}});
  }
  Json models = Json::array();
  for (size_t i = 0; i < runs.size(); ++i) {
    if (spec_of(runs[i]).is_command()) return Json::array();
    const Json& member = entry.spec["members"][i];
    models.push_back({{"member", runs[i].id}, {"weight", member["weight"]}});
    if (member.contains("scale")) models.back()["scale"] = member["scale"];
  }
  return models;
}

/// What the model's logits were computed in: "auto" was resolved on its machine.
std::string precision_of(const RunPaths& paths) {
  return json_get<std::string>(read_json(paths.inference_stats()), "precision",
                               paths.inference_stats().string());
}

Json evaluation_of(const TrainSpec& train, const std::string& precision) {
  Json evaluation = window_settings(train);
  evaluation.update(decoding_settings(train));
  evaluation["precision"] = precision;
  return evaluation;
}

/// That of a run's own evaluation, or an ensemble's members'; null where they are not alike.
Json default_evaluation(const std::vector<RunPaths>& folders, const std::vector<RunRecord>& runs) {
  std::string precision = precision_of(folders.front());
  for (const auto& folder : folders) {
    if (precision_of(folder) != precision) precision = "auto";
  }
  Json evaluation;
  for (const auto& run : runs) {
    const Json own = evaluation_of(spec_of(run).train, precision);
    if (!evaluation.is_null() && own != evaluation) return nullptr;
    evaluation = own;
  }
  return evaluation;
}

/// How the entry's answers were made, as eval_only.* make them again; null where its members' were made in
/// different ways, as a merge of n-best may have it.
Json evaluation_of(const Registry& registry, const RunRecord& entry, const std::vector<RunRecord>& runs,
                   const WorkspacePaths& workspace, const std::string& evaluation_name) {
  const auto folders = model_folders(entry, runs, workspace);
  const auto vocabulary = [](const RunPaths& run) {
    return sha256_file(CheckpointPaths{run.checkpoint()}.vocab());
  };
  const std::string first = vocabulary(folders.front());
  for (const auto& folder : folders) {
    if (vocabulary(folder) != first) return nullptr;
  }
  for (const auto& recorded : registry.evaluations(entry.id)) {
    if (evaluation_name != kDefaultEvaluation && recorded.name == evaluation_name)
      return settings_of(recorded);
  }
  return default_evaluation(folders, runs);
}

/// " --weights 1,2", or "" where there is one model only.
std::string numbers_option(const char* option, const Json& models, const char* key) {
  if (models.size() < 2) return {};
  std::vector<std::string> numbers;
  for (const auto& model : models) numbers.push_back(format_number(model.value(key, 1.0)));
  return fmt::format("{} {} ", option, join(numbers, ","));
}

void write_eval_only(const EntryPaths& entry, const std::string& method, const Json& models,
                     const Json& evaluation) {
  if (models.empty() || evaluation.is_null()) return;
  const EvalOnlyScripts scripts = eval_only_scripts(method, models, evaluation);
  write_file(entry.eval_only_sh(), scripts.sh);
  write_file(entry.eval_only_py(), scripts.py);
  for (const auto& script : {entry.eval_only_sh(), entry.eval_only_py()}) {
    fs::permissions(script, fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec,
                    fs::perm_options::add);
  }
}

void copy_ensemble_record(const RunPaths& from, const RunPaths& training, const std::string& id) {
  copy_needed(from.ensemble(), training.ensemble(), id);
  copy_needed(from.run(), training.run(), id);
}

/// Inference statistics of an ensemble that has none of its own: those of its members' own evaluations.
void write_member_stats(const std::vector<RunRecord>& runs, const WorkspacePaths& workspace,
                        const RunPaths& to) {
  std::vector<std::pair<std::string, fs::path>> members;
  for (const auto& run : runs) {
    if (fs::exists(workspace.run(run.id).inference_stats()))  // another program's may have none
      members.emplace_back(run.id, workspace.folder(run.id));
  }
  if (!members.empty()) write_file(to.inference_stats(), json_text(ensemble_inference_stats(members)));
}

void copy_answers(const RunRecord& chosen, const std::vector<RunRecord>& runs,
                  const WorkspacePaths& workspace, const std::string& evaluation_name,
                  const EntryPaths& entry) {
  const RunPaths from = workspace.run(chosen.id).evaluation(evaluation_name), to = entry.results();
  copy_needed(from.predictions(), to.predictions(), chosen.id);
  copy_needed(from.eval(), to.eval(), chosen.id);
  copy_if_there(from.nbest(), to.nbest());
  const bool is_average = chosen.is_ensemble() && !is_soup(chosen);
  if (is_average && evaluation_name == kDefaultEvaluation)
    write_member_stats(runs, workspace, to);
  else
    copy_if_there(from.inference_stats(), to.inference_stats());
}

}  // namespace

void copy_needed(const fs::path& from, const fs::path& to, const std::string& id) {
  if (!fs::is_regular_file(from)) {
    throw Error(fmt::format("{}: {} is missing", id, from.string()), "put it back, or choose other entries",
                ErrorCode::kNotFound);
  }
  make_folder(to.parent_path());
  expctl::copy_file(from, to);
}

Json settings_of(const EvaluationRecord& recorded) {
  Json settings = evaluation_of(TrainSpec{}, "");
  for (auto& item : settings.items())
    item.value() =
        json_get<Json>(recorded.settings, item.key().c_str(),
                       fmt::format("registry: evaluation '{}' of {}", recorded.name, recorded.run_id));
  if (settings["precision"].get<std::string>().find(',') != std::string::npos) settings["precision"] = "auto";
  return settings;
}

EvalOnlyScripts eval_only_scripts(const std::string& method, const Json& models, const Json& evaluation) {
  std::vector<std::string> folders, settings;
  for (const auto& model : models) {
    const auto member = model["member"].get<std::string>();
    folders.push_back(fmt::format("\"$here\"/checkpoint{}{}", member.empty() ? "" : "/", member));
  }
  for (const auto& [key, value] : evaluation.items()) settings.push_back("--set " + setting_text(key, value));
  const bool has_scales =
      std::any_of(models.begin(), models.end(), [](const Json& model) { return model.contains("scale"); });
  const Json facts = {{"models", join(folders, " ")},
                      {"method", folders.size() > 1 ? fmt::format("--method {} ", method) : ""},
                      {"weights", numbers_option("--weights", models, "weight")},
                      {"scales", has_scales ? numbers_option("--scales", models, "scale") : ""},
                      {"settings", join(settings, " ")}};
  return {render("eval_only.sh", facts, Escape::kNone), std::string(template_text("eval_only.py"))};
}

Json write_entry(const Registry& registry, const WorkspacePaths& workspace, const RunRecord& chosen,
                 const std::string& evaluation_name, const EntryPaths& entry,
                 std::vector<FileCopy>& checkpoints) {
  const auto runs = model_runs(registry, chosen);
  std::vector<std::string> run_ids;
  for (const auto& run : runs) {
    copy_routine(run, workspace, entry, chosen.is_ensemble() ? run.id : "");
    if (!is_soup(chosen))
      add_checkpoint(workspace.run(run.id), entry, chosen.is_ensemble() ? run.id : "", checkpoints);
    run_ids.push_back(run.id);
  }
  if (is_soup(chosen)) add_checkpoint(workspace.run(chosen.id), entry, "", checkpoints);
  if (chosen.is_ensemble()) copy_ensemble_record(workspace.run(chosen.id), {entry.training("")}, chosen.id);
  copy_answers(chosen, runs, workspace, evaluation_name, entry);
  const std::string method = method_of(chosen);
  const Json models = list_models(chosen, runs, workspace);
  const Json evaluation =
      models.empty() ? Json() : evaluation_of(registry, chosen, runs, workspace, evaluation_name);
  write_eval_only(entry, method, models, evaluation);
  return {{"schema_version", 1},
          {"expctl", build_id()},
          {"folder", entry.folder.filename().string()},
          {"id", chosen.id},
          {"evaluation_name", evaluation_name},
          {"evaluation", evaluation},
          {"method", method},
          {"models", models},
          {"runs", run_ids}};
}

}  // namespace expctl
