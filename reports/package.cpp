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

/// Checkpoint, logs and the whole routine of one run; `member` is "" where the entry is the run itself.
void copy_run(const RunRecord& run, const WorkspacePaths& workspace, const EntryPaths& entry,
              const std::string& member) {
  const RunPaths from{workspace.folder(run.id)};
  if (fs::is_directory(from.checkpoint())) {
    make_folder(entry.checkpoint(member));
    copy_tree(from.checkpoint(), entry.checkpoint(member));
  }
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

/// The checkpoints of an entry with their weights, [{"member","weight"}]; empty where a run has none in
/// Hugging Face's layout.
Json list_models(const SubmissionEntry& entry, const std::vector<RunRecord>& runs,
                 const WorkspacePaths& workspace) {
  Json models = Json::array();
  const bool ensemble = entry.record.is_ensemble();
  for (size_t i = 0; i < runs.size(); ++i) {
    const RunSpec spec = run_spec_from_json(runs[i].spec, "registry: spec of " + runs[i].id);
    if (spec.is_command() || !has_model(RunPaths{workspace.folder(runs[i].id)})) return Json::array();
    models.push_back({{"member", ensemble ? runs[i].id : ""},
                      {"weight", ensemble ? entry.record.spec["members"][i]["weight"] : Json(1.0)}});
  }
  return models;
}

/// What the run computed its logits in: "auto" was resolved on its machine.
std::string precision_of(const RunRecord& run, const WorkspacePaths& workspace) {
  const fs::path file = RunPaths{workspace.folder(run.id)}.inference_stats();
  return json_get<std::string>(read_json(file), "precision", file.string());
}

/// How the entry's answers were made, as eval_only.* make them again. Members agree in all of it but the
/// precision.
Json evaluation_of(const std::vector<RunRecord>& runs, const WorkspacePaths& workspace) {
  const TrainSpec spec = run_spec_from_json(runs.front().spec, "registry: spec of " + runs.front().id).train;
  std::string precision = precision_of(runs.front(), workspace);
  for (const auto& run : runs) {
    if (precision_of(run, workspace) != precision) precision = "auto";
  }
  return {{"max_seq_length", spec.eval_max_seq_length},
          {"doc_stride", spec.eval_doc_stride},
          {"window", spec.eval_window},
          {"max_query_length", spec.max_query_length},
          {"n_best", spec.n_best},
          {"max_answer_length", spec.max_answer_length},
          {"decode", spec.decode},
          {"precision", precision}};
}

void write_eval_only(const EntryPaths& entry, const Json& models, const Json& evaluation) {
  if (models.empty()) return;
  std::vector<std::string> folders, weights, settings;
  for (const auto& model : models) {
    const auto member = model["member"].get<std::string>();
    folders.push_back(fmt::format("\"$here\"/checkpoint{}{}", member.empty() ? "" : "/", member));
    weights.push_back(format_number(model["weight"].get<double>()));
  }
  for (const auto& [key, value] : evaluation.items()) {
    const bool of_evaluation =
        key == "max_seq_length" || key == "doc_stride" || key == "window" || key == "precision";
    settings.push_back(fmt::format("--set {}{}={}", of_evaluation ? "eval_" : "", key,
                                   value.is_string() ? value.get<std::string>() : value.dump()));
  }
  const Json facts = {{"models", join(folders, " ")},
                      {"weights", folders.size() > 1 ? fmt::format("--weights {} ", join(weights, ",")) : ""},
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
  const bool ensemble = chosen.record.is_ensemble();
  for (const auto& run : runs) copy_run(run, workspace, entry, ensemble ? run.id : "");
  if (ensemble) {
    copy_needed(from.ensemble(), RunPaths{entry.training("")}.ensemble(), chosen.record.id);
    std::vector<std::pair<std::string, fs::path>> members;
    for (const auto& run : runs) members.emplace_back(run.id, workspace.folder(run.id));
    write_file(to.inference_stats(), json_text(ensemble_inference_stats(members)));
  } else {
    copy_if_there(from.inference_stats(), to.inference_stats());
  }
  copy_needed(from.predictions(), to.predictions(), chosen.record.id);
  copy_needed(from.eval(), to.eval(), chosen.record.id);
  copy_if_there(from.nbest(), to.nbest());
  const Json models = list_models(chosen, runs, workspace);
  const Json evaluation = models.empty() ? Json() : evaluation_of(runs, workspace);
  write_eval_only(entry, models, evaluation);
  write_file(entry.manifest(), json_text({{"schema_version", 1},
                                          {"folder", chosen.folder},
                                          {"id", chosen.record.id},
                                          {"evaluation", evaluation},
                                          {"models", models},
                                          {"files", files_json(list_files(entry.folder))}}));
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
  const Submission submission =
      choose_entries(find_candidates(registry, options.from), options.top, options.average);
  const fs::path dev = dev_file(registry, submission, options.dev);
  const DraftFolder draft(options.out);
  const SubmissionPaths paths{draft.path()};
  Json folders = Json::array();
  for (const auto& entry : submission.entries) {
    write_entry(registry, workspace, entry, paths.entry(entry.folder));
    folders.push_back({{"folder", entry.folder}, {"id", entry.record.id}});
  }
  write_file(paths.summary(), json_text(summary_json(submission)));
  write_texts(registry, submission, paths, options);
  copy_needed(options.source_archive, paths.source(), "expctl");
  write_file(paths.manifest(), json_text({{"schema_version", 1},
                                          {"entries", folders},
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
