#include "reports/submission_facts.h"

#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <map>
#include <set>

#include "core/evaluation_settings.h"
#include "core/text.h"
#include "core/version.h"
#include "registry/model_runs.h"
#include "registry/spec_of.h"
#include "reports/leaderboard.h"
#include "reports/line_chart.h"

namespace expctl {
namespace {

std::string utc_text(double unix_s) {
  const auto seconds = static_cast<std::time_t>(unix_s);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[32] = {};
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &utc);
  return text;
}

Json run_row(const RunRecord& run) {
  return {{"id", run.id},
          {"state", name_of(run.state)},
          {"reason", name_of(run.reason)},
          {"f1", run.f1 ? Json(format_number(*run.f1)) : Json("")},
          {"exact_match", run.exact_match ? Json(format_number(*run.exact_match)) : Json("")},
          {"f1_short", run.f1 ? Json(fmt::format("{:.3f}", *run.f1)) : Json("")},
          {"exact_match_short", run.exact_match ? Json(fmt::format("{:.3f}", *run.exact_match)) : Json("")},
          {"params", params_text(run)}};
}

/// The values that each swept key has taken in the runs, in order of appearance.
Json swept_keys(const std::vector<RunRecord>& runs) {
  std::vector<std::pair<std::string, std::vector<std::string>>> keys;
  const auto add = [&](const std::string& key, const std::string& value) {
    auto found = std::find_if(keys.begin(), keys.end(), [&](const auto& k) { return k.first == key; });
    if (found == keys.end()) found = keys.insert(keys.end(), {key, {}});
    if (std::find(found->second.begin(), found->second.end(), value) == found->second.end())
      found->second.push_back(value);
  };
  for (const auto& run : runs) {
    for (const auto& [key, value] : run.params.items()) add(key, scalar_text(value));
    add("seed", std::to_string(run.seed));
  }
  Json list = Json::array();
  for (const auto& [key, values] : keys) list.push_back({{"key", key}, {"values", join(values, ", ")}});
  return list;
}

/// The training keys that are alike in all runs of a sweep.
Json fixed_keys(const std::vector<RunRecord>& runs) {
  Json list = Json::array();
  for (const auto& item : runs.front().spec["train"].items()) {
    const bool alike = std::all_of(runs.begin(), runs.end(), [&](const RunRecord& run) {
      return run.spec["train"].value(item.key(), Json()) == item.value();
    });
    if (alike && !item.key().starts_with("seed"))
      list.push_back({{"key", item.key()}, {"value", scalar_text(item.value())}});
  }
  return list;
}

Json input_row(const Json& input) {
  return {{"name", std::filesystem::path(input["path"].get<std::string>()).filename().string()},
          {"sha256", input["sha256"]}};
}

Json sweep_facts(const SweepRecord& sweep, const std::vector<RunRecord>& runs) {
  std::map<std::string, int> states;
  for (const auto& run : runs) ++states[std::string(name_of(run.state))];
  std::vector<std::string> counts;
  for (const auto& [state, count] : states) counts.push_back(fmt::format("{} {}", count, state));
  const Json& spec = runs.front().spec;
  const RunSpec typed = spec_of(runs.front());
  Json list = Json::array();
  for (const auto& run : ranked(runs)) list.push_back(run_row(run));
  return {{"id", sweep.id},
          {"name", sweep.name},
          {"created", utc_text(sweep.created)},
          {"count", runs.size()},
          {"states", join(counts, ", ")},
          {"train", typed.train_data.path.empty() ? Json() : input_row(spec["data"]["train"])},
          {"dev", typed.dev_data.path.empty() ? Json() : input_row(spec["data"]["dev"])},
          {"init", typed.init.path.empty() ? Json() : input_row(spec["model"]["init"])},
          {"command", typed.is_command() ? Json(join(typed.command.argv, " ")) : Json()},
          {"native", !typed.is_command()},
          {"swept", swept_keys(runs)},
          {"fixed", typed.is_command() ? Json::array() : fixed_keys(runs)},
          {"runs", list}};
}

Json evaluation_rows(const Json& evaluation) {
  Json list = Json::array();
  for (const auto& [key, value] : evaluation.items())
    list.push_back({{"key", key}, {"value", scalar_text(value)}});
  return list;
}

/// The sweeps of runs, in order of appearance.
std::vector<std::string> sweeps_of(const std::vector<RunRecord>& runs) {
  std::vector<std::string> ids;
  for (const auto& run : runs) {
    if (!run.sweep_id.empty() && std::find(ids.begin(), ids.end(), run.sweep_id) == ids.end())
      ids.push_back(run.sweep_id);
  }
  return ids;
}

/// "5 runs of sweep1, 2 runs of sweep2, 1 imported run and 1 ensemble".
std::string considered_text(const std::vector<RunRecord>& considered) {
  const auto count_of = [&](const std::string& what, const auto& is_one) {
    const auto count = std::count_if(considered.begin(), considered.end(), is_one);
    return count == 0 ? std::string() : counted(static_cast<size_t>(count), what);
  };
  std::vector<std::string> parts;
  for (const auto& id : sweeps_of(considered)) {
    parts.push_back(fmt::format(
        "{} of {}", count_of("run", [&](const RunRecord& run) { return run.sweep_id == id; }), id));
  }
  for (const std::string& others : {count_of("imported run", std::mem_fn(&RunRecord::is_imported)),
                                    count_of("ensemble", std::mem_fn(&RunRecord::is_ensemble))}) {
    if (!others.empty()) parts.push_back(others);
  }
  if (parts.size() < 2) return join(parts, "");
  const std::string last = parts.back();
  parts.pop_back();
  return fmt::format("{} and {}", join(parts, ", "), last);
}

/// The imported runs among them, each once.
Json imported_rows(const std::vector<RunRecord>& runs) {
  Json list = Json::array();
  std::set<std::string> seen;
  for (const auto& run : runs) {
    if (!run.is_imported() || !seen.insert(run.id).second) continue;
    Json row = run_row(run);
    row["name"] = run.name;
    list.push_back(row);
  }
  return list;
}

/// Which of an entry's models have another output layer than BERT's; "" where none has.
std::string changed_head_text(const std::vector<RunRecord>& runs) {
  std::vector<std::string> changed;
  for (const auto& run : runs) {
    const RunSpec spec = spec_of(run);
    if (!spec.is_command() && spec.train.head != "linear") changed.push_back(run.id);
  }
  if (changed.size() == runs.size()) return runs.size() > 1 ? "all of its members" : "its model";
  return join(changed, ", ");
}

/// The runs among them that had a teacher, each once.
Json distilled_rows(const std::vector<RunRecord>& runs) {
  Json list = Json::array();
  std::set<std::string> seen;
  for (const auto& run : runs) {
    const RunSpec spec = spec_of(run);
    if (spec.teacher.path.empty() || !seen.insert(run.id).second) continue;
    list.push_back(input_row(run.spec["data"]["teacher"]));
    list.back()["id"] = run.id;
    list.back()["part"] = format_number(spec.train.distillation);
  }
  return list;
}

/// What an ensemble's method does with its members.
std::string method_text(const RunRecord& entry) {
  const std::string method = json_get<std::string>(entry.spec, "method", "registry: " + entry.id);
  if (method == "probabilities")
    return "the mean of start and end probabilities, each a softmax over all windows of a question";
  if (method == "nbest") return "the mean of the n-best's probabilities, text by text";
  if (method == "soup") return "the mean of the weights, one model";
  return "the mean of start and end logits, token by token";
}

/// How an ensemble's members were found.
std::string selection_text(const RunRecord& entry) {
  const Json selection = entry.spec.value("selection", Json());
  if (selection.is_null()) return "its members were named by hand";
  std::string text =
      fmt::format("its members were chosen ({}) from {} runs by F1 on {}", selection.value("by", ""),
                  selection.value("pool", Json::array()).size(),
                  selection.value("holdout", 0.0) > 0 ? "some articles of the dev data"
                                                      : "all of the dev data, the one that ranks it");
  const auto add = [&](const char* key, const char* where) {
    if (selection.contains(key))
      text += fmt::format(", {} F1 {}", where, format_number(selection[key].get<double>()));
  };
  add("f1_held_out", "on the articles held out");
  add("f1_cross_fitted", "cross-fitted over articles");
  return text;
}

/// What else an entry was evaluated as, for instance at another length.
void add_other_evaluations(const Registry& registry, const RunRecord& entry, const std::string& ranking,
                           Json& rows) {
  for (const auto& evaluation : registry.evaluations(entry.id)) {
    if (evaluation.name == ranking) continue;
    std::vector<std::string> settings;
    const auto add = [&](const char* key) {
      if (evaluation.settings.contains(key))
        settings.push_back(fmt::format("{} {}", key, scalar_text(evaluation.settings[key])));
    };
    for (const char* key : kWindowKeys) add(key);
    add("precision");
    RunRecord scored = entry;
    scored.f1 = evaluation.f1;
    scored.exact_match = evaluation.exact_match;
    rows.push_back(run_row(scored));
    rows.back()["name"] = evaluation.name;
    rows.back()["settings"] = join(settings, ", ");
  }
}

/// Of the sweeps of runs that were searched, and of those that the choice was narrowed to.
Json sweep_rows(const Registry& registry, const std::vector<RunRecord>& searched,
                const std::vector<std::string>& named) {
  std::vector<std::string> ids = sweeps_of(searched);
  for (const auto& word : named) {
    if (registry.find_sweep(word) && std::find(ids.begin(), ids.end(), word) == ids.end())
      ids.push_back(word);
  }
  Json rows = Json::array();
  for (const auto& id : ids) {
    RunFilter filter;
    filter.sweep_id = id;
    const auto runs = registry.list_runs(filter);
    if (!runs.empty()) rows.push_back(sweep_facts(registry.find_sweep(id).value(), runs));
  }
  return rows;
}

/// The entries, and what some of them have.
struct EntryRows {
  Json entries = Json::array(), ensembles = Json::array(), others = Json::array(),
       changed_heads = Json::array();
};

EntryRows entry_rows(const Registry& registry, const Submission& submission) {
  EntryRows rows;
  for (const auto& entry : submission.entries) {
    const auto runs = model_runs(registry, entry.record);
    Json row = run_row(entry.record);
    row["folder"] = entry.folder;
    row["averaged"] = rows.entries.size() < submission.average;
    rows.entries.push_back(row);
    if (const std::string of = changed_head_text(runs); !of.empty())
      rows.changed_heads.push_back({{"id", entry.record.id}, {"of", of}});
    add_other_evaluations(registry, entry.record, submission.evaluation_name, rows.others);
    if (!entry.record.is_ensemble()) continue;
    for (const auto& run : runs) row["members"].push_back(run_row(run));
    row["how"] = method_text(entry.record);
    row["chosen"] = selection_text(entry.record);
    rows.ensembles.push_back(row);
  }
  return rows;
}

}  // namespace

Json submission_facts(const Registry& registry, const Submission& submission,
                      const std::vector<std::string>& named, double now_s) {
  std::vector<RunRecord> searched = submission.considered, handed_in;
  for (const auto& entry : submission.entries) {
    for (const auto& run : model_runs(registry, entry.record)) handed_in.push_back(run);
  }
  searched.insert(searched.end(), handed_in.begin(), handed_in.end());
  const EntryRows rows = entry_rows(registry, submission);
  const Json imported = imported_rows(searched), distilled = distilled_rows(handed_in);
  return {{"created", utc_text(now_s)},
          {"version", version()},
          {"build_id", build_id()},
          {"count", submission.entries.size()},
          {"average", submission.average},
          {"top_mean", format_number(submission.top_mean)},
          {"top_mean_short", fmt::format("{:.3f}", submission.top_mean)},
          {"evaluation", evaluation_rows(submission.evaluation)},
          {"evaluation_name", submission.evaluation_name},
          {"others", rows.others},
          {"any_others", !rows.others.empty()},
          {"entries", rows.entries},
          {"ensembles", rows.ensembles},
          {"any_ensembles", !rows.ensembles.empty()},
          {"changed_heads", rows.changed_heads},
          {"any_changed_heads", !rows.changed_heads.empty()},
          {"distilled", distilled},
          {"any_distilled", !distilled.empty()},
          {"imported", imported},
          {"any_imported", !imported.empty()},
          {"considered", considered_text(submission.considered)},
          {"named", join(named, " ")},
          {"sweeps", sweep_rows(registry, searched, named)}};
}

std::string loss_chart(const Registry& registry, const Submission& submission) {
  constexpr size_t kPoints = 60;
  std::vector<Series> series;
  std::set<std::string> seen;
  for (const auto& entry : submission.entries) {
    for (const auto& run : model_runs(registry, entry.record)) {
      if (!seen.insert(run.id).second) continue;
      Series curve{run.id, {}};
      for (const auto& metric : registry.metrics(run.id))
        curve.points.emplace_back(static_cast<double>(metric.step), metric.loss);
      if (!curve.points.empty()) series.push_back(thinned(curve, kPoints));
    }
  }
  return line_chart(series, "optimizer step", "training loss");
}

}  // namespace expctl
