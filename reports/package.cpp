#include "reports/package.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <set>

#include "core/draft_folder.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/replace_folder.h"
#include "core/text.h"
#include "registry/model_runs.h"
#include "registry/spec_of.h"
#include "reports/candidates.h"
#include "reports/manifest.h"
#include "reports/package_entry.h"
#include "reports/render.h"
#include "reports/submission_facts.h"
#include "reports/templates.h"
#include "squad/answer_files.h"
#include "squad/scoring.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// What is handed in, under which rules, and where the file lies that it was scored on.
struct Choice {
  ContestRules rules;
  Submission submission;
  fs::path dev;
};

// -- what is chosen from

std::vector<RunRecord> entries_to_choose_from(const Registry& registry, const PackageOptions& options) {
  std::set<std::string> left_out;
  for (const auto& word : options.except) left_out.insert(registry.resolve_run(word).id);
  auto entries = find_entries(registry, options.from);
  std::erase_if(entries, [&](const RunRecord& entry) { return left_out.contains(entry.id); });
  return entries;
}

/// The rules that all entries' runs were made under.
std::string rules_of(const Registry& registry, const std::vector<RunRecord>& entries) {
  std::set<std::string> names;
  for (const auto& entry : entries) {
    for (const auto& run : model_runs(registry, entry)) names.insert(spec_of(run).rules);
  }
  if (names.size() > 1)
    throw Error(fmt::format("the entries to choose from were made under different rules: {}",
                            join({names.begin(), names.end()}, ", ")),
                "--rules says which hold", ErrorCode::kUsage);
  return names.empty() ? "none" : *names.begin();
}

// -- scoring again

/// The file that the candidates were scored on, as it was then.
fs::path dev_file(const Registry& registry, const Candidate& scored, const fs::path& given) {
  const RunRecord run = model_runs(registry, scored.record).front();
  const fs::path file = given.empty() ? fs::path(spec_of(run).dev_data.path) : given;
  if (is_unchanged(file, scored.evaluation.value("dev_sha256", std::string()))) return file;
  throw Error(
      fmt::format("{}: it is not there, or is not what {} was scored on", file.string(), run.id),
      "entries are scored again before they are packed: put it back, or say with --dev where it lies");
}

void check_score(const Candidate& candidate, const Dataset& dataset, const RunPaths& folder) {
  const std::string& id = candidate.record.id;
  const std::string hint = fmt::format(
      "its files have changed since it was recorded (expctl registry check --hashes tells which); --except "
      "{} leaves it out",
      id);
  if (!fs::is_regular_file(folder.predictions()))
    throw Error(fmt::format("{}: {} is missing", id, folder.predictions().string()), hint,
                ErrorCode::kNotFound);
  const Score score = score_predictions(dataset, read_predictions(folder.predictions()));
  if (score.f1 == candidate.record.f1 && score.exact_match == candidate.record.exact_match) return;
  throw Error(fmt::format("nothing was packed: the predictions of {} score F1 {}, the registry says {}", id,
                          format_number(score.f1), format_number(candidate.record.f1.value_or(0))),
              hint, ErrorCode::kCheckFailed);
}

void check_all_scores(const std::vector<Candidate>& candidates, const fs::path& dev,
                      const WorkspacePaths& workspace, const std::string& evaluation,
                      const std::function<void()>& between_files) {
  const Dataset dataset = read_dataset(dev);
  for (const auto& candidate : candidates) {
    between_files();
    check_score(candidate, dataset, workspace.run(candidate.record.id).evaluation(evaluation));
  }
}

// -- unseen questions

/// Has those that may be handed in answer the unseen questions in `folder`/<id>.
void predict_unseen(std::vector<Candidate>& ranked, size_t top, const fs::path& folder,
                    const PackageOptions& options, const std::string& evaluation) {
  ranked.resize(count_contenders(ranked, top));
  for (auto& candidate : ranked) {
    const RunPaths answers{folder / candidate.record.id};
    options.predict(candidate.record, evaluation, answers.folder);
    candidate.probability_score = probability_score(read_nbest(answers.nbest()));
  }
}

void copy_unseen(const RunPaths& answers, const EntryPaths& entry, const std::string& id) {
  const RunPaths to = entry.unseen();
  for (const auto file : {&RunPaths::predictions, &RunPaths::nbest, &RunPaths::inference_stats})
    copy_needed((answers.*file)(), (to.*file)(), id);
}

// -- what is written

/// What people read; `checks` are what the submission was held to, empty before that is known.
void write_texts(const Registry& registry, const Choice& choice, const SubmissionPaths& paths,
                 const PackageOptions& options, const std::vector<Check>& checks) {
  const Submission& submission = choice.submission;
  Json facts = submission_facts(registry, submission, options.from, options.now_s);
  facts["contest"] = {{"name", choice.rules.name}, {"title", choice.rules.title}};
  facts["checks"] = checks_json(checks);
  facts["any_checks"] = !checks.empty();
  facts["any_eval_only"] = std::any_of(
      submission.entries.begin(), submission.entries.end(),
      [&](const SubmissionEntry& entry) { return fs::exists(paths.entry(entry.folder).eval_only_py()); });
  write_file(paths.summary(), json_text(summary_json(submission, checks_json(checks))));
  write_file(paths.methodology(), render("methodology.md", facts, Escape::kNone));
  write_file(paths.readme(), render("readme.md", facts, Escape::kNone));
  facts["loss_chart"] = loss_chart(registry, submission);
  write_file(paths.report(), render("report.html", facts, Escape::kHtml));
}

/// Several at once, so that one is hashed while the disk writes another. Returns the SHA-256 of what was
/// copied, by path below `root`.
std::map<std::string, std::string> copy_all(const std::vector<FileCopy>& copies, const fs::path& root,
                                            const std::function<void()>& between_files) {
  constexpr size_t kAtOnce = 6;
  std::vector<std::string> hashes(copies.size());
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    try {
      for (size_t i = next++; i < copies.size(); i = next++) {
        between_files();
        hashes[i] = copy_and_hash(copies[i].from, copies[i].to);
      }
    } catch (...) {
      next = copies.size();  // the others need not go on
      throw;
    }
  };
  std::vector<std::future<void>> workers;
  for (size_t i = 0; i < std::min(kAtOnce, copies.size()); ++i)
    workers.push_back(std::async(std::launch::async, work));
  for (auto& worker : workers) worker.get();
  std::map<std::string, std::string> known;
  for (size_t i = 0; i < copies.size(); ++i)
    known[copies[i].to.lexically_relative(root).generic_string()] = hashes[i];
  return known;
}

/// Manifests of the entries, then that of all. Returns what list_files() of the whole gives.
std::vector<ManifestFile> write_manifests(const SubmissionPaths& paths, const std::vector<Json>& entries,
                                          Json manifest, const std::map<std::string, std::string>& known) {
  auto files = list_files(paths.root, known);
  for (Json entry : entries) {
    const auto folder = entry["folder"].get<std::string>();
    entry["files"] = files_json(files_below(files, folder));
    const fs::path file = paths.entry(folder).manifest();
    write_file(file, json_text(entry));
    files.push_back(manifest_file(paths.root, file));
    manifest["entries"].push_back({{"folder", folder}, {"id", entry["id"]}});
  }
  sort_by_path(files);
  manifest["files"] = files_json(files);
  write_file(paths.manifest(), json_text(manifest));
  return files;
}

/// An input where all runs had the same; empty where they had not.
Input common_input(const Registry& registry, const Submission& submission, Input RunSpec::*which) {
  std::set<std::string> hashes;
  Input input;
  for (const auto& entry : submission.entries) {
    for (const auto& run : model_runs(registry, entry.record)) {
      input = spec_of(run).*which;
      hashes.insert(input.sha256);
    }
  }
  return hashes.size() == 1 ? input : Input{};
}

/// The input where it is still there as it was; else empty.
Input if_unchanged(const Input& input) {
  if (input.path.empty() || !fs::exists(input.path)) return {};
  const std::string now = fs::is_directory(input.path) ? sha256_folder(input.path) : sha256_file(input.path);
  return now == input.sha256 ? input : Input{};
}

/// What was seen, which may begin with an entry's folder; then which entry that is.
std::string with_entry(const std::string& why, const Submission& submission) {
  for (const auto& entry : submission.entries) {
    if (entry.folder != entry.record.id && why.starts_with(entry.folder + "/"))
      return fmt::format("{} ({} is {})", why, entry.folder, entry.record.id);
  }
  return why;
}

void check_verified(const Verification& verification, const Submission& submission) {
  for (const auto& check : verification.checks) {
    if (check.result != CheckResult::kFailed) continue;
    const std::string hint =
        check.rule == "ids" ? "--except ID leaves one of them out"
        : check.rule == "evaluation"
            ? "expctl evaluate makes an evaluation of each that is like the others', and --eval ranks by it"
        : verification.rules == "none"
            ? "the run's files have changed since it was recorded: expctl registry check --hashes tells "
              "which; --except ID leaves it out"
            : fmt::format("the submission is held to {}; --rules says to what else", verification.rules);
    throw Error(fmt::format("nothing was packed: {}: {}", check.rule, with_entry(check.why, submission)),
                hint, ErrorCode::kCheckFailed);
  }
}

/// The results of the checks stand in texts that were checked without them: their hashes change.
void write_results(const Registry& registry, const Choice& choice, const SubmissionPaths& paths,
                   const PackageOptions& options, const Verification& verification) {
  write_texts(registry, choice, paths, options, verification.checks);
  Json manifest = read_json(paths.manifest());
  for (const auto& text : {paths.summary(), paths.methodology(), paths.readme(), paths.report()}) {
    const ManifestFile now = manifest_file(paths.root, text);
    for (auto& file : manifest["files"]) {
      if (file["path"] == now.path) file = files_json({now})[0];
    }
  }
  write_file(paths.manifest(), json_text(manifest));
}

bool is_submission(const fs::path& folder) {
  const SubmissionPaths paths{folder};
  try {
    return read_json(paths.manifest()).contains("entries") &&
           read_json(paths.summary()).contains("top3_mean");
  } catch (const Error&) {
    return false;
  }
}

void check_target(const PackageOptions& options) {
  if (!fs::exists(options.out)) return;
  if (!options.replace)
    throw Error(fmt::format("{} is there already", options.out.string()),
                "--out names a new folder; --replace puts the new submission in its place once it is whole");
  if (!is_submission(options.out))
    throw Error(fmt::format("{} is no submission, so it is not replaced", options.out.string()),
                "--out names another folder");
}

Choice choose(const Registry& registry, const WorkspacePaths& workspace, const PackageOptions& options,
              const fs::path& answers) {
  const auto entries = entries_to_choose_from(registry, options);
  const auto rules = find_contest_rules(options.rules.empty() ? rules_of(registry, entries) : options.rules);
  const std::string evaluation = options.evaluation.empty() ? rules.evaluation : options.evaluation;
  const size_t top = options.top != 0 ? options.top : rules.top != 0 ? rules.top : kUsualTop;
  const size_t usual = std::min(top, rules.average != 0 ? rules.average : kUsualAverage);
  const size_t average = options.average != 0 ? options.average : usual;
  const auto candidates = rank_candidates(scored_by(registry, entries, evaluation));
  if (candidates.empty() && evaluation != kDefaultEvaluation)
    throw Error(fmt::format("there is no entry with an evaluation '{}'", evaluation),
                fmt::format("expctl evaluate ID --name {} makes one", evaluation), ErrorCode::kNotFound);
  if (candidates.size() < top && evaluation != kDefaultEvaluation)
    throw Error(fmt::format("{} an evaluation '{}', not {}",
                            counted(candidates.size(), "entry has", "entries have"), evaluation, top),
                fmt::format("expctl evaluate ID --name {} makes it of others; --top {} hands in fewer",
                            evaluation, candidates.size()));
  choose_entries(candidates, top, average);  // whether there is a choice at all
  Choice choice{rules, {}, dev_file(registry, candidates.front(), options.dev)};
  check_all_scores(candidates, choice.dev, workspace, evaluation, options.between_files);
  auto contenders = candidates;
  if (!options.unseen.empty()) predict_unseen(contenders, top, answers, options, evaluation);
  choice.submission = choose_entries(contenders, top, average, rules.entry_folder);
  choice.submission.evaluation_name = evaluation;
  choice.submission.considered.clear();
  for (const auto& candidate : candidates) choice.submission.considered.push_back(candidate.record);
  return choice;
}

std::vector<ManifestFile> write_submission(const Registry& registry, const WorkspacePaths& workspace,
                                           const Choice& choice, const SubmissionPaths& paths,
                                           const PackageOptions& options, const fs::path& answers) {
  std::vector<Json> manifests;
  std::vector<FileCopy> checkpoints;
  for (const auto& entry : choice.submission.entries) {
    const EntryPaths folder = paths.entry(entry.folder);
    manifests.push_back(write_entry(registry, workspace, entry.record, choice.submission.evaluation_name,
                                    folder, checkpoints));
    if (!options.unseen.empty()) copy_unseen({answers / entry.record.id}, folder, entry.record.id);
  }
  const auto known = copy_all(checkpoints, paths.root, options.between_files);
  write_texts(registry, choice, paths, options, {});
  write_file(rules_file(paths), choice.rules.text);
  copy_needed(options.source_archive, paths.source(), "expctl");
  const Json unseen = options.unseen.empty() ? Json()
                                             : Json{{"name", options.unseen.filename().string()},
                                                    {"sha256", sha256_file(options.unseen)}};
  return write_manifests(
      paths, manifests,
      {{"schema_version", 1}, {"contest", choice.rules.name}, {"entries", Json::array()}, {"unseen", unseen}},
      known);
}

}  // namespace

Package package_submission(const Registry& registry, const WorkspacePaths& workspace,
                           const PackageOptions& options) {
  check_target(options);
  const DraftFolder answers(workspace.folder("unseen"));
  const Choice choice = choose(registry, workspace, options, answers.path());
  const DraftFolder draft(options.out);
  const SubmissionPaths paths{draft.path()};
  // Hashed while the checkpoints go to the disk.
  auto init =
      std::async(std::launch::async, if_unchanged, common_input(registry, choice.submission, &RunSpec::init));
  auto files = write_submission(registry, workspace, choice, paths, options, answers.path());
  const Input train = if_unchanged(common_input(registry, choice.submission, &RunSpec::train_data));
  const Input begun_from = init.get();
  const VerifyOptions known{choice.dev, train.path, begun_from.path, options.unseen, "", begun_from.sha256};
  const Verification verification =
      verify_submission(SubmissionView::open(paths.root, known, std::move(files)));
  check_verified(verification, choice.submission);
  write_results(registry, choice, paths, options, verification);
  options.between_files();
  if (options.replace)
    replace_folder(draft.path(), options.out);
  else
    draft.become(options.out);
  return {choice.submission, verification, known};
}

}  // namespace expctl
