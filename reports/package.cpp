#include "reports/package.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/text.h"
#include "reports/ensemble_stats.h"
#include "reports/facts.h"
#include "reports/manifest.h"
#include "reports/render.h"
#include "reports/templates.h"
#include "squad/answer_files.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// A file without which an entry is none.
void copy_needed(const fs::path& from, const fs::path& to, const std::string& id) {
  if (!fs::is_regular_file(from)) {
    throw Error(fmt::format("{}: {} is missing", id, from.string()), "put it back, or choose other entries",
                ErrorCode::kNotFound);
  }
  make_folder(to.parent_path());
  expctl::copy_file(from, to);
}

void copy_if_there(const fs::path& from, const fs::path& to) {
  if (!fs::is_regular_file(from)) return;
  make_folder(to.parent_path());
  expctl::copy_file(from, to);
}

bool has_model(const RunPaths& run) {
  return fs::is_regular_file(CheckpointPaths{run.checkpoint()}.config());
}

/// `member` is "" where the entry has one model only.
void copy_checkpoint(const RunPaths& from, const EntryPaths& entry, const std::string& member) {
  if (!fs::is_directory(from.checkpoint())) return;
  make_folder(entry.checkpoint(member));
  copy_tree(from.checkpoint(), entry.checkpoint(member));
}

/// Logs and the whole routine of one run; `member` is "" where the entry is the run itself.
void copy_routine(const RunRecord& run, const WorkspacePaths& workspace, const EntryPaths& entry,
                  const std::string& member) {
  const RunPaths from{workspace.folder(run.id)};
  const RunPaths logs{entry.logs(member)}, training{entry.training(member)};
  copy_needed(from.log(), logs.log(), run.id);
  copy_if_there(from.metrics(), logs.metrics());
  const CommandSpec command = run_spec_from_json(run.spec, "registry: spec of " + run.id).command;
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
  write_file(training.folder / "spec.json", json_text(run.spec));
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
  if (is_soup(entry)) return {{workspace.folder(entry.id)}};
  std::vector<RunPaths> folders;
  for (const auto& run : runs) folders.push_back({workspace.folder(run.id)});
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
    const RunSpec spec = run_spec_from_json(runs.front().spec, "registry: spec of " + runs.front().id);
    return spec.is_command() ? Json::array() : Json::array({{{"member", ""}, {"weight", 1.0}}});
  }
  Json models = Json::array();
  for (size_t i = 0; i < runs.size(); ++i) {
    if (run_spec_from_json(runs[i].spec, "registry: spec of " + runs[i].id).is_command())
      return Json::array();
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
  return {{"max_seq_length", train.eval_max_seq_length},
          {"doc_stride", train.eval_doc_stride},
          {"window", train.eval_window},
          {"max_query_length", train.max_query_length},
          {"n_best", train.n_best},
          {"max_answer_length", train.max_answer_length},
          {"decode", train.decode},
          {"precision", precision}};
}

/// How the entry's answers were made, as eval_only.* make them again; null where its members' were made in
/// different ways, as a merge of n-best may have it. Members that agree in all but the precision have "auto".
Json evaluation_of(const RunRecord& entry, const std::vector<RunRecord>& runs,
                   const WorkspacePaths& workspace) {
  const auto folders = model_folders(entry, runs, workspace);
  std::string precision = precision_of(folders.front());
  for (const auto& folder : folders) {
    if (precision_of(folder) != precision) precision = "auto";
  }
  Json evaluation;
  for (const auto& run : runs) {
    const Json own =
        evaluation_of(run_spec_from_json(run.spec, "registry: spec of " + run.id).train, precision);
    if (!evaluation.is_null() && own != evaluation) return nullptr;
    evaluation = own;
  }
  const auto vocabulary = [](const RunPaths& run) {
    return sha256_file(CheckpointPaths{run.checkpoint()}.vocab());
  };
  const std::string first = vocabulary(folders.front());
  for (const auto& folder : folders) {
    if (vocabulary(folder) != first) return nullptr;
  }
  return evaluation;
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
  std::vector<std::string> folders, settings;
  for (const auto& model : models) {
    const auto member = model["member"].get<std::string>();
    folders.push_back(fmt::format("\"$here\"/checkpoint{}{}", member.empty() ? "" : "/", member));
  }
  for (const auto& [key, value] : evaluation.items()) {
    const bool of_evaluation =
        key == "max_seq_length" || key == "doc_stride" || key == "window" || key == "precision";
    settings.push_back(fmt::format("--set {}{}={}", of_evaluation ? "eval_" : "", key,
                                   value.is_string() ? value.get<std::string>() : value.dump()));
  }
  const bool has_scales =
      std::any_of(models.begin(), models.end(), [](const Json& model) { return model.contains("scale"); });
  const Json facts = {{"models", join(folders, " ")},
                      {"method", folders.size() > 1 ? fmt::format("--method {} ", method) : ""},
                      {"weights", numbers_option("--weights", models, "weight")},
                      {"scales", has_scales ? numbers_option("--scales", models, "scale") : ""},
                      {"settings", join(settings, " ")}};
  write_file(entry.eval_only_sh(), render("eval_only.sh", facts, Escape::kNone));
  write_file(entry.eval_only_py(), template_text("eval_only.py"));
  for (const auto& script : {entry.eval_only_sh(), entry.eval_only_py()}) {
    fs::permissions(script, fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec,
                    fs::perm_options::add);
  }
}

void write_entry(const Registry& registry, const WorkspacePaths& workspace, const SubmissionEntry& chosen,
                 const EntryPaths& entry) {
  const RunPaths from{workspace.folder(chosen.record.id)}, to = entry.results();
  const auto runs = model_runs(registry, chosen.record);
  const bool ensemble = chosen.record.is_ensemble(), soup = is_soup(chosen.record);
  for (const auto& run : runs) {
    copy_routine(run, workspace, entry, ensemble ? run.id : "");
    if (!soup) copy_checkpoint({workspace.folder(run.id)}, entry, ensemble ? run.id : "");
  }
  if (soup) copy_checkpoint(from, entry, "");
  if (ensemble) copy_needed(from.ensemble(), RunPaths{entry.training("")}.ensemble(), chosen.record.id);
  std::vector<std::pair<std::string, fs::path>> members;
  for (const auto& run : runs) {
    if (ensemble && !soup && fs::exists(RunPaths{workspace.folder(run.id)}.inference_stats()))
      members.emplace_back(run.id, workspace.folder(run.id));
  }
  if (!members.empty()) {  // another program's runs may have none
    write_file(to.inference_stats(), json_text(ensemble_inference_stats(members)));
  } else if (!ensemble || soup) {
    copy_if_there(from.inference_stats(), to.inference_stats());
  }
  copy_needed(from.predictions(), to.predictions(), chosen.record.id);
  copy_needed(from.eval(), to.eval(), chosen.record.id);
  copy_if_there(from.nbest(), to.nbest());
  const std::string method = method_of(chosen.record);
  const Json models = list_models(chosen.record, runs, workspace);
  const Json evaluation = models.empty() ? Json() : evaluation_of(chosen.record, runs, workspace);
  write_eval_only(entry, method, models, evaluation);
  write_file(entry.manifest(), json_text({{"schema_version", 1},
                                          {"folder", chosen.folder},
                                          {"id", chosen.record.id},
                                          {"evaluation", evaluation},
                                          {"method", method},
                                          {"models", models},
                                          {"files", files_json(list_files(entry.folder))}}));
}

/// The entry's answers to the unseen questions. Returns their probability score.
double write_unseen(const SubmissionEntry& chosen, const EntryPaths& entry, const WorkspacePaths& workspace,
                    const PackageOptions& options) {
  const DraftFolder draft(workspace.folder("unseen"));
  const RunPaths from{draft.path() / "predictions"}, to = entry.unseen();
  options.predict(chosen.record, from.folder);
  make_folder(to.folder);
  for (const auto file : {&RunPaths::predictions, &RunPaths::nbest, &RunPaths::inference_stats})
    copy_needed((from.*file)(), (to.*file)(), chosen.record.id);
  return probability_score(parse_nbest(read_file(to.nbest()), to.nbest().string()));
}

void write_texts(const Registry& registry, const Submission& submission, const SubmissionPaths& paths,
                 const PackageOptions& options) {
  Json facts = submission_facts(registry, submission, options.from, options.now_s);
  facts["any_eval_only"] = std::any_of(
      submission.entries.begin(), submission.entries.end(),
      [&](const SubmissionEntry& entry) { return fs::exists(paths.entry(entry.folder).eval_only_py()); });
  write_file(paths.methodology(), render("methodology.md", facts, Escape::kNone));
  write_file(paths.readme(), render("readme.md", facts, Escape::kNone));
  facts["loss_chart"] = loss_chart(registry, submission);
  write_file(paths.report(), render("report.html", facts, Escape::kHtml));
}

/// The file that the entries were scored on, as it was then.
fs::path dev_file(const Registry& registry, const Submission& submission, const fs::path& given) {
  const auto run = model_runs(registry, submission.entries.front().record).front();
  RunSpec spec = run_spec_from_json(run.spec, "registry: spec of " + run.id);
  if (!given.empty()) spec.dev_data.path = given.string();
  if (!fs::is_regular_file(spec.dev_data.path) || sha256_file(spec.dev_data.path) != spec.dev_data.sha256) {
    throw Error(
        fmt::format("{}: it is not there, or has changed since {} was scored on it", spec.dev_data.path,
                    run.id),
        "entries are scored again before they are packed: put it back, or say with --dev where it lies");
  }
  return spec.dev_data.path;
}

}  // namespace

std::vector<Candidate> find_candidates(const Registry& registry, const std::vector<std::string>& from) {
  std::set<std::string> named, swept;
  for (const auto& word : from) {
    if (registry.find_sweep(word)) {
      RunFilter filter;
      filter.sweep_id = word;
      for (const auto& run : registry.list_runs(filter)) swept.insert(run.id);
    } else {
      named.insert(registry.resolve_run(word).id);
    }
  }
  const auto is_chosen = [&](const RunRecord& record) {
    if (from.empty() || named.contains(record.id)) return true;
    const auto runs = model_runs(registry, record);
    return std::all_of(runs.begin(), runs.end(),
                       [&](const RunRecord& run) { return swept.contains(run.id); });
  };
  std::vector<Candidate> candidates;
  for (const auto& record : registry.list_runs()) {
    if (record.state != RunState::kSucceeded || !record.f1 || !is_chosen(record)) continue;
    for (const auto& evaluation : registry.evaluations(record.id)) {
      if (evaluation.name == "default") candidates.push_back({record, evaluation.settings});
    }
  }
  return candidates;
}

Package package_submission(const Registry& registry, const WorkspacePaths& workspace,
                           const PackageOptions& options) {
  if (fs::exists(options.out)) {
    throw Error(fmt::format("{} is there already", options.out.string()),
                "--out names a new folder; a submission is never overwritten");
  }
  Submission submission =
      choose_entries(find_candidates(registry, options.from), options.top, options.average);
  const fs::path dev = dev_file(registry, submission, options.dev);
  const DraftFolder draft(options.out);
  const SubmissionPaths paths{draft.path()};
  Json folders = Json::array();
  for (auto& entry : submission.entries) {
    const EntryPaths folder = paths.entry(entry.folder);
    if (!options.unseen.empty()) entry.probability_score = write_unseen(entry, folder, workspace, options);
    write_entry(registry, workspace, entry, folder);
    folders.push_back({{"folder", entry.folder}, {"id", entry.record.id}});
  }
  const Json unseen = options.unseen.empty() ? Json()
                                             : Json{{"name", options.unseen.filename().string()},
                                                    {"sha256", sha256_file(options.unseen)}};
  write_file(paths.summary(), json_text(summary_json(submission)));
  write_texts(registry, submission, paths, options);
  copy_needed(options.source_archive, paths.source(), "expctl");
  write_file(paths.manifest(), json_text({{"schema_version", 1},
                                          {"entries", folders},
                                          {"unseen", unseen},
                                          {"files", files_json(list_files(paths.root))}}));
  const auto checks = verify_submission(paths.root, dev);
  for (const auto& check : checks) {
    if (check.result != CheckResult::kFailed) continue;
    throw Error(fmt::format("nothing was packed: {}: {}", check.rule, check.why),
                "the run's files have changed since it was recorded", ErrorCode::kCheckFailed);
  }
  draft.become(options.out);
  return {submission, checks};
}

}  // namespace expctl
