// `expctl compare ID ID ...`: only what differs between runs, and how sure the difference of their scores is.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "cli/compare_ensemble.h"
#include "cli/program.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/text.h"
#include "registry/registry.h"
#include "registry/spec_of.h"
#include "reports/leaderboard.h"
#include "reports/table.h"
#include "squad/paired_bootstrap.h"

namespace expctl {
namespace {

/// What tells one entry from another: parameters, training keys, seed, data.
std::map<std::string, std::string> facts_of(const RunRecord& run) {
  std::map<std::string, std::string> facts;
  if (run.spec.contains("members")) {
    facts["members"] = params_text(run);
    return facts;
  }
  const RunSpec spec = spec_of(run);
  if (!spec.is_command()) {
    for (const auto& key : train_keys())
      facts[std::string(key.name)] = scalar_text(get_train_key(spec.train, key));
  }
  for (const auto& [key, value] : run.params.items()) facts[key] = scalar_text(value);
  facts["seed"] = std::to_string(run.seed);
  facts["command"] = join(spec.command.argv, " ");
  facts["data.train"] = spec.train_data.path;
  facts["data.dev"] = spec.dev_data.path;
  facts["data.teacher"] = spec.teacher.path;
  facts["model.init"] = spec.init.path;
  return facts;
}

using Rows = std::vector<std::vector<std::string>>;

/// A row for each fact that those which have it do not agree in, and for what only one has of its own kind.
Rows differing(const std::vector<RunRecord>& runs) {
  std::map<std::string, std::vector<std::string>> by_key;
  for (size_t i = 0; i < runs.size(); ++i) {
    for (const auto& [key, value] : facts_of(runs[i])) {
      auto& values = by_key[key];
      values.resize(runs.size(), "-");
      values[i] = value.empty() ? "-" : value;
    }
  }
  Rows rows;
  for (const auto& [key, values] : by_key) {
    std::set<std::string> different(values.begin(), values.end());
    different.erase("-");
    if (different.size() < 2 && key != "members" && key != "origin") continue;
    rows.push_back({key});
    rows.back().insert(rows.back().end(), values.begin(), values.end());
  }
  return rows;
}

/// The dev data of a run; an ensemble's is that of its first member.
Input dev_data(const Registry& registry, const RunRecord& run) {
  if (!run.spec.contains("members")) return run_spec_from_json(run.spec, run.id).dev_data;
  const auto members = registry.ensemble_members(run.id);
  return members.empty() ? Input{} : dev_data(registry, registry.resolve_run(members.front()));
}

struct Compared {
  RunRecord run;
  PairedDifference difference;
};

struct Differences {
  std::vector<Compared> all;
  std::vector<std::string> missing;  ///< why one is not among them
};

/// Each against the first, question by question; those that were scored on the same data.
Differences compare_scores(const Registry& registry, const std::vector<RunRecord>& runs,
                           const WorkspacePaths& workspace) {
  Differences found;
  const RunRecord& first = runs.front();
  const Input dev = dev_data(registry, first);
  std::vector<const RunRecord*> alike;
  for (size_t i = 1; i < runs.size(); ++i) {
    if (!first.f1 || !runs[i].f1)
      found.missing.push_back(fmt::format("{} has no score", first.f1 ? runs[i].id : first.id));
    else if (dev_data(registry, runs[i]).sha256 != dev.sha256)
      found.missing.push_back(fmt::format("{} and {} were scored on different data", first.id, runs[i].id));
    else
      alike.push_back(&runs[i]);
  }
  if (alike.empty()) return found;
  if (!std::filesystem::is_regular_file(dev.path) || sha256_file(dev.path) != dev.sha256) {
    found.missing.push_back(fmt::format("{}: it is not there, or has changed since", dev.path));
    return found;
  }
  const Dataset dataset = read_dataset(dev.path);
  const auto score_of = [&](const RunRecord& run) {
    const auto predictions = RunPaths{workspace.folder(run.id)}.predictions();
    return score_predictions(dataset, parse_predictions(read_file(predictions), predictions.string()));
  };
  const Score base = score_of(first);
  const auto paragraphs = question_paragraphs(dataset);
  for (const RunRecord* run : alike)
    found.all.push_back({*run, paired_difference(base, score_of(*run), paragraphs)});
  return found;
}

std::string text_of(const std::string& first, const Compared& compared) {
  const auto& d = compared.difference;
  return fmt::format(
      "{} - {}: F1 {:+.4f}, 95 % of resampled paragraphs between {:+.4f} and {:+.4f}; {} questions won, {} "
      "lost, "
      "{} alike\n",
      compared.run.id, first, d.f1, d.low, d.high, d.won, d.lost, d.alike);
}

struct CompareOptions {
  std::vector<std::string> ids;
  std::filesystem::path plot;
};

int compare(const Program& program, const CompareOptions& options) {
  const Registry registry = Registry::open_existing(program.workspace().registry());
  std::vector<RunRecord> runs;
  for (const auto& word : options.ids) runs.push_back(registry.resolve_run(word));
  if (runs.size() == 1 && runs.front().is_ensemble())
    return compare_ensemble(program, registry, runs.front(), options.plot);
  if (runs.size() == 1)
    throw Error(fmt::format("{} alone: there is nothing to compare it with", runs.front().id),
                "name another; an ensemble alone is compared with its members", ErrorCode::kUsage);
  if (!options.plot.empty())
    throw Error("--plot: there is a picture of one ensemble and its members only",
                "expctl compare ens1 --plot gain.svg", ErrorCode::kUsage);
  Rows rows = differing(runs);
  const auto compared = compare_scores(registry, runs, program.workspace());
  if (program.json) {
    Json differences = Json::object(), scores = Json::array();
    for (const auto& row : rows) differences[row[0]] = std::vector<std::string>(row.begin() + 1, row.end());
    for (const auto& one : compared.all) {
      const auto& d = one.difference;
      scores.push_back({{"id", one.run.id},
                        {"f1_difference", d.f1},
                        {"low", d.low},
                        {"high", d.high},
                        {"won", d.won},
                        {"lost", d.lost},
                        {"alike", d.alike}});
    }
    Json json = runs_json(runs);
    json["differing"] = differences;
    json["against_first"] = scores;
    fmt::print("{}", json_text(json));
    return 0;
  }
  std::vector<std::string> header = {""}, f1 = {"F1"}, exact = {"exact match"};
  for (const auto& run : runs) {
    header.push_back(run.id);
    f1.push_back(run.f1 ? fmt::format("{:.4f}", *run.f1) : "-");
    exact.push_back(run.exact_match ? fmt::format("{:.4f}", *run.exact_match) : "-");
  }
  rows.push_back(f1);
  rows.push_back(exact);
  fmt::print("{}", render_table(header, rows, stdout_style()));
  for (const auto& one : compared.all) fmt::print("{}", text_of(runs.front().id, one));
  for (const auto& why : compared.missing) say(program, "no interval: " + why);
  return 0;
}

}  // namespace

void add_compare(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand(
      "compare", "Show only what differs between runs, and how sure the difference in F1 is");
  auto options = std::make_shared<CompareOptions>();
  verb->add_option("ID", options->ids,
                   "run3, ens1, a tag, @ (the newest), ...; an ensemble alone is compared with its members")
      ->required();
  verb->add_option("--plot", options->plot,
                   "Of an ensemble alone: F1 against the number of members, an SVG file");
  verb->callback(
      [&program, options] { program.action = [&program, options] { return compare(program, *options); }; });
  verb->footer("Examples: expctl compare run3 run5\n          expctl compare ens1 --plot members.svg");
}

}  // namespace expctl
