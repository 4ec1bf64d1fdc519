#include "reports/verify_scores.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"
#include "core/evaluation_settings.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/text.h"
#include "reports/submission.h"
#include "squad/answer_files.h"
#include "squad/scoring.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

Json summary_of(const SubmissionView& view) {
  return read_json(view.paths.summary());
}

bool is_dev_file_of_summary(const SubmissionView& view) {
  const Json evaluation = json_get<Json>(summary_of(view), "evaluation", "summary.json");
  return json_get<std::string>(evaluation, "dev_sha256", "summary.json", "") == sha256_file(view.options.dev);
}

// -- summary

/// That of the entry's answers to unseen questions, where it has any.
void check_probability_score(const EntryView& entry, const Json& said, Findings& findings) {
  const fs::path file = entry.paths.unseen().nbest();
  const Json found = fs::exists(file) ? Json(probability_score(read_nbest(file))) : Json();
  if (found != said)
    findings.problems.push_back(
        fmt::format("{}: its unseen answers have the probability score {}, summary.json says {}",
                    entry.folder, found.dump(), said.dump()));
}

void check_entry_scores(const EntryView& entry, const Json& said, const Json& eval, Findings& findings) {
  const std::string eval_file = entry.paths.results().eval().string();
  if (json_get<double>(eval, "f1", eval_file) != json_get<double>(said, "f1", "summary.json") ||
      json_get<double>(eval, "exact_match", eval_file) !=
          json_get<double>(said, "exact_match", "summary.json"))
    findings.problems.push_back(
        fmt::format("{}: summary.json and its eval.json give other scores", entry.folder));
}

void check_ranks(const std::vector<EntryView>& entries, const std::vector<double>& f1,
                 const std::vector<std::optional<double>>& probability, Findings& findings) {
  for (size_t i = 1; i < f1.size(); ++i) {
    if (f1[i - 1] < f1[i])
      findings.problems.push_back(fmt::format("{} is ranked below a lower F1", entries[i].folder));
    if (f1[i - 1] == f1[i] && probability[i - 1] < probability[i])
      findings.problems.push_back(fmt::format(
          "{} has the F1 of the entry above it and a higher probability score", entries[i].folder));
  }
}

void check_mean(const SubmissionView& view, const Json& summary, const std::vector<double>& f1,
                Findings& findings) {
  const auto average = json_get<size_t>(summary, "average", "summary.json");
  if (average < 1 || average > f1.size())
    throw Error(fmt::format("summary.json: the mean of {} of {} entries", average, f1.size()));
  if (view.rules.average != 0 && average != view.rules.average)
    findings.problems.push_back(fmt::format("{} takes the mean of the best {}, summary.json that of {}",
                                            view.rules.name, view.rules.average, average));
  const double mean = mean_of_first(f1, average);
  const double said = json_get<double>(summary, "top3_mean", "summary.json");
  if (mean != said)
    findings.problems.push_back(fmt::format("the mean of the first {} F1 is {}, summary.json says {}",
                                            average, format_number(mean), format_number(said)));
}

// -- n-best

/// Probabilities are a softmax over an entry's answers of start + end logit (run_squad.py, run_qa.py), to
/// what is lost where a program computes it in single precision.
constexpr double kProbabilityTolerance = 1e-4;

bool has_logits(const std::vector<NBestEntry>& answers) {
  return std::none_of(answers.begin(), answers.end(), [](const NBestEntry& answer) {
    return std::isnan(answer.start_logit) || std::isnan(answer.end_logit);
  });
}

bool has_softmax(const std::vector<NBestEntry>& answers) {
  double best = -INFINITY, sum = 0;
  for (const auto& answer : answers) best = std::max(best, answer.start_logit + answer.end_logit);
  for (const auto& answer : answers) sum += std::exp(answer.start_logit + answer.end_logit - best);
  return std::all_of(answers.begin(), answers.end(), [&](const NBestEntry& answer) {
    const double expected = std::exp(answer.start_logit + answer.end_logit - best) / sum;
    return std::abs(answer.probability - expected) <= kProbabilityTolerance;
  });
}

/// The first is the most probable; "empty" may stand before what has no text (run_qa.py).
bool has_best_first(const std::vector<NBestEntry>& answers) {
  return answers.empty() || answers.front().text == "empty" ||
         std::all_of(answers.begin(), answers.end(), [&](const NBestEntry& answer) {
           return answer.probability <= answers.front().probability + kProbabilityTolerance;
         });
}

void check_answers(const RunPaths& folder, const std::string& name, Findings& findings) {
  const std::string source = folder.nbest().string(), text = read_file(folder.nbest());
  const size_t others =
      count_nbest_differences(read_predictions(folder.predictions()), parse_json(text, source), source);
  if (others > 0)
    findings.problems.push_back(
        fmt::format("{}: n-best and predictions disagree in {}", name, counted(others, "place")));
  size_t wrong = 0, without_logits = 0;
  std::string example;
  const NBest nbest = parse_nbest(text, source);
  for (const auto& [id, answers] : nbest) {
    const bool known = has_logits(answers);
    without_logits += known ? 0 : 1;
    if ((!known || has_softmax(answers)) && has_best_first(answers)) continue;
    if (wrong++ == 0) example = id;
  }
  if (wrong > 0)
    findings.problems.push_back(
        fmt::format("{}: the probabilities of {} do not follow from the logits, or the first answer is "
                    "not the most probable (e.g. {})",
                    name, counted(wrong, "question"), example));
  if (without_logits == nbest.size() && without_logits > 0)
    findings.unproven.push_back(fmt::format("{}: its n-best has no logits to check probabilities by", name));
  else if (without_logits > 0)
    findings.problems.push_back(
        fmt::format("{}: the n-best of {} has no logits", name, counted(without_logits, "question")));
}

// -- evaluation

/// What `expected` names must be the same in `found`, whose other members do not matter.
void check_same_evaluation(const Json& expected, const Json& found, const std::string& where,
                           Findings& findings) {
  for (const auto& [key, value] : expected.items()) {
    const Json own = found.is_object() ? found.value(key, Json()) : Json();
    if (value == own) continue;
    findings.problems.push_back(
        fmt::format("{}: {} {}, not {}", where, key, scalar_text(own), scalar_text(value)));
  }
}

/// Without the data, which a manifest's "evaluation" does not name, and the precision, which was "auto"
/// before it was computed.
Json windows_and_decoding(Json settings) {
  settings.erase("dev_sha256");
  settings.erase("precision");
  return settings;
}

/// What the models say of their own inference: one object, or one a member.
void check_stats_length(const Json& expected, const RunPaths& folder, const std::string& where,
                        Findings& findings) {
  if (!fs::exists(folder.inference_stats()) || !expected.contains("max_seq_length")) return;
  const Json stats = read_json(folder.inference_stats());
  Json each = stats.value("members", Json::object());
  if (each.empty()) each[""] = stats;
  for (const auto& [name, own] : each.items()) {
    if (own.contains("sequence_length") && own["sequence_length"] != expected["max_seq_length"])
      findings.problems.push_back(fmt::format("{}: answers were made at a sequence length of {}, not {}",
                                              where, own["sequence_length"].dump(),
                                              expected["max_seq_length"].dump()));
  }
}

/// The answers of an entry were made as its record says, as its runs' settings say where the evaluation is
/// their own, and as the submission says.
void check_entry_evaluation(const SubmissionView& view, const EntryView& entry, const Json& expected,
                            Findings& findings) {
  const Json recorded = json_get<Json>(entry.recorded_evaluation(), "settings", entry.folder);
  check_same_evaluation(expected, recorded, entry.folder + "/training/run.json", findings);
  const Json own = entry.evaluation();
  if (own.is_null()) {
    if (!entry.models().empty() && entry.method() != "nbest")
      findings.problems.push_back(fmt::format("{}/manifest.json: it has no 'evaluation'", entry.folder));
    findings.unproven.push_back(
        fmt::format("{} does not say how its answers were made: no checkpoint, or members of different ways",
                    entry.folder));
    return;
  }
  const std::string manifest = entry.folder + "/manifest.json";
  check_same_evaluation(windows_and_decoding(recorded), own, manifest, findings);
  check_stats_length(expected, entry.paths.results(), entry.folder, findings);
  if (entry.evaluation_name() != kDefaultEvaluation) return;
  for (const auto& run : entry.runs()) {
    const RunSpec spec = entry.spec(run);
    check_same_evaluation(expected, evaluation_settings(spec),
                          view.name_of_file(entry.paths.training(run) / kSpecFile), findings);
    check_same_evaluation(decoding_settings(spec.train), own, manifest, findings);
  }
}

std::set<std::string> ids_of(const Predictions& predictions) {
  std::set<std::string> ids;
  for (const auto& [id, text] : predictions) ids.insert(id);
  return ids;
}

std::set<std::string> question_ids(const fs::path& file) {
  const Dataset dataset = read_dataset(file);
  std::set<std::string> ids;
  for (const auto& [paragraph, first] : numbered_paragraphs(dataset)) {
    for (const auto& question : paragraph->questions) ids.insert(question.id);
  }
  return ids;
}

}  // namespace

void check_scores(const SubmissionView& view, Findings& findings) {
  if (view.options.dev.empty()) {
    findings.unproven.emplace_back("without the dev file (--dev) predictions cannot be scored again");
    return;
  }
  const Dataset dataset = read_dataset(view.options.dev);
  if (!dataset.has_answers())
    throw Error(fmt::format("{}: it has questions without answers", view.options.dev.string()));
  for (const auto& entry : view.entries) {
    const Score score = score_predictions(dataset, read_predictions(entry.paths.results().predictions()));
    const std::string line = score_line(score), recorded = read_file(entry.paths.results().eval());
    if (const size_t unanswered = unanswered_count(score); unanswered > 0)
      findings.problems.push_back(fmt::format("{}: {} no answer", entry.folder,
                                              counted(unanswered, "question has", "questions have")));
    if (line != recorded)
      findings.problems.push_back(fmt::format("{}: its predictions score {}, its eval.json says {}",
                                              entry.folder, trim(line), trim(recorded)));
  }
  if (!findings.problems.empty() && !is_dev_file_of_summary(view)) {
    findings.problems.insert(
        findings.problems.begin(),
        fmt::format("{} is not the file that the entries were scored on, by the hash in summary.json",
                    view.options.dev.string()));
  }
}

void check_summary(const SubmissionView& view, Findings& findings) {
  const Json summary = summary_of(view);
  std::vector<double> f1;
  std::vector<std::optional<double>> probability;
  std::vector<EntryView> ranked;
  for (const auto& said : json_get<Json>(summary, "entries", "summary.json")) {
    const auto folder = json_get<std::string>(said, "folder", "summary.json");
    const auto entry = std::find_if(view.entries.begin(), view.entries.end(),
                                    [&](const EntryView& e) { return e.folder == folder; });
    if (entry == view.entries.end())
      throw Error(fmt::format("summary.json: '{}' is no entry of the manifest", folder));
    const Json eval = read_json(entry->paths.results().eval());
    const Json score = json_get<Json>(said, "probability_score", "summary.json", nullptr);
    f1.push_back(json_get<double>(eval, "f1", entry->paths.results().eval().string()));
    probability.push_back(score.is_number() ? std::optional(score.get<double>()) : std::nullopt);
    ranked.push_back(*entry);
    check_entry_scores(*entry, said, eval, findings);
    check_probability_score(*entry, score, findings);
  }
  check_ranks(ranked, f1, probability, findings);
  check_mean(view, summary, f1, findings);
}

void check_nbest(const SubmissionView& view, Findings& findings) {
  for (const auto& entry : view.entries) {
    if (!fs::exists(entry.paths.results().nbest())) {
      findings.unproven.push_back(fmt::format("{} has no nbest_predictions.json", entry.folder));
      continue;
    }
    check_answers(entry.paths.results(), entry.folder, findings);
  }
}

void check_evaluation(const SubmissionView& view, Findings& findings) {
  const Json expected = json_get<Json>(summary_of(view), "evaluation", "summary.json");
  std::set<std::string> names;
  Json decoding = Json::object();  // of the first entry that says it
  for (const auto& entry : view.entries) {
    names.insert(entry.evaluation_name());
    check_entry_evaluation(view, entry, expected, findings);
    const Json own = entry.evaluation();
    if (own.is_null()) continue;
    check_same_evaluation(decoding, own, entry.folder + "/manifest.json", findings);
    if (!decoding.empty()) continue;
    for (const char* key : kDecodingKeys) decoding[key] = own.value(key, Json());
  }
  if (names.size() > 1)
    findings.problems.emplace_back("the entries are scored by evaluations of different names");
}

void check_unseen(const SubmissionView& view, Findings& findings) {
  const Json said = json_get<Json>(view.manifest, "unseen", "manifest.json");
  if (said.is_null()) throw Error("there are no answers to unseen questions");
  std::set<std::string> expected;
  if (!view.options.unseen.empty()) {
    expected = question_ids(view.options.unseen);
    if (json_get<std::string>(said, "sha256", "manifest.json") != sha256_file(view.options.unseen))
      findings.problems.push_back(
          fmt::format("{} is not the file that was answered, by the hash in manifest.json",
                      view.options.unseen.string()));
  } else {
    findings.unproven.emplace_back("without the questions (--unseen) answers cannot be known to be complete");
  }
  const Json evaluation = json_get<Json>(summary_of(view), "evaluation", "summary.json");
  for (const auto& entry : view.entries) {
    const RunPaths unseen = entry.paths.unseen();
    const auto answered = ids_of(read_predictions(unseen.predictions()));
    if (expected.empty()) expected = answered;
    if (answered != expected)
      findings.problems.push_back(fmt::format("{}/unseen: it answers {}, not the {} that there are",
                                              entry.folder, counted(answered.size(), "question"),
                                              expected.size()));
    check_answers(unseen, entry.folder + "/unseen", findings);
    if (!entry.evaluation().is_null())
      check_stats_length(evaluation, unseen, entry.folder + "/unseen", findings);
  }
}

}  // namespace expctl
