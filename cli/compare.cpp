// `expctl compare ID ID ...`: only what differs between runs, and how sure the difference of their scores is.
// Configs with all their seeds: cli/compare_configs.h.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "cli/compare_configs.h"
#include "cli/compare_ensemble.h"
#include "cli/differing_facts.h"
#include "cli/run_scores.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/run_state.h"
#include "core/text.h"
#include "registry/registry.h"
#include "reports/leaderboard.h"
#include "reports/table.h"
#include "squad/paired_bootstrap.h"

namespace expctl {
namespace {

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
  const Input dev = dev_data_of(registry, first);
  std::vector<const RunRecord*> alike;
  for (size_t i = 1; i < runs.size(); ++i) {
    if (!first.f1 || !runs[i].f1)
      found.missing.push_back(fmt::format("{} has no score", first.f1 ? runs[i].id : first.id));
    else if (dev_data_of(registry, runs[i]).sha256 != dev.sha256)
      found.missing.push_back(fmt::format("{} and {} were scored on different data", first.id, runs[i].id));
    else
      alike.push_back(&runs[i]);
  }
  if (alike.empty()) return found;
  if (const auto why = why_not_readable(dev); !why.empty()) {
    found.missing.push_back(why);
    return found;
  }
  const Dataset dataset = read_dataset(dev.path);
  const Score base = score_of_run(dataset, workspace, first);
  const auto paragraphs = question_paragraphs(dataset);
  for (const RunRecord* run : alike)
    found.all.push_back({*run, paired_difference(base, score_of_run(dataset, workspace, *run), paragraphs)});
  return found;
}

std::string text_of(const std::string& first, const Compared& compared) {
  const auto& d = compared.difference;
  return fmt::format(
      "{} - {}: F1 {:+.4f}, 95 % of resampled paragraphs between {:+.4f} and {:+.4f}; {} won, {} "
      "lost, {} alike\n",
      compared.run.id, first, d.f1, d.low, d.high, counted(d.won, "question"), d.lost, d.alike);
}

struct CompareOptions {
  std::vector<std::string> ids;
  std::filesystem::path plot;
  bool configs = false;
  std::string by = "paragraph";
  double difference = 0;
};

int compare_runs(const Program& program, const CompareOptions& options) {
  const Registry registry = Registry::open_to_look(program.workspace().registry());
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
  auto rows = differing_facts(runs);
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
    f1.push_back(score_text(run.f1));
    exact.push_back(score_text(run.exact_match));
  }
  rows.push_back(f1);
  rows.push_back(exact);
  fmt::print("{}", render_table(header, rows, stdout_style()));
  for (const auto& one : compared.all) fmt::print("{}", text_of(runs.front().id, one));
  for (const auto& why : compared.missing) say(program, "no interval: " + why);
  return 0;
}

int compare(const Program& program, const CompareOptions& options) {
  const ConfigCompareOptions of_configs{options.ids, options.difference, options.by == "article"};
  const auto is_sweep = [](const std::string& word) {
    const auto id = parse_id(word);
    return id && id->kind == IdKind::kSweep;
  };
  const bool has_sweep = std::any_of(options.ids.begin(), options.ids.end(), is_sweep);
  if (has_sweep && options.ids.size() > 1)
    throw Error("a sweep is compared alone: its configs with each other",
                "expctl compare sweep1, or expctl compare run1 run4 --configs", ErrorCode::kUsage);
  if (has_sweep || options.configs) {
    if (!options.plot.empty())
      throw Error("--plot: there is a picture of one ensemble and its members only",
                  "expctl compare ens1 --plot gain.svg", ErrorCode::kUsage);
    return has_sweep ? compare_sweep(program, of_configs) : compare_named_configs(program, of_configs);
  }
  if (options.difference > 0 || of_configs.by_article)
    throw Error("--difference and --by are of configs",
                "expctl compare run1 run4 --configs, or expctl compare sweep1", ErrorCode::kUsage);
  return compare_runs(program, options);
}

}  // namespace

void add_compare(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand(
      "compare", "Show only what differs between runs or configs, and how sure the difference in F1 is");
  auto options = std::make_shared<CompareOptions>();
  verb->add_option(
          "ID", options->ids,
          "run3, ens1, a tag, @ (the newest), ...; an ensemble alone is compared with its members, the "
          "configs of a sweep (sweep1) with each other")
      ->required();
  verb->add_flag("--configs", options->configs, "Each stands for its config, with all its seeds");
  verb->add_option("--by", options->by,
                   "Of configs: resample questions by paragraph or by article (default: paragraph)")
      ->check(CLI::IsMember({"paragraph", "article"}));
  verb->add_option(
          "--difference", options->difference,
          "Of configs: how many seeds would detect this many points of F1 (default: the difference found)")
      ->check([](const std::string& text) {
        double points = 0;
        const bool is_wished = CLI::detail::lexical_cast(text, points) && points > 0 && std::isfinite(points);
        return is_wished ? std::string() : fmt::format("{}: it must be a number greater than 0", text);
      });
  verb->add_option("--plot", options->plot,
                   "Of an ensemble alone: F1 against the number of members, an SVG file");
  on_call(verb, program, [&program, options] { return compare(program, *options); });
  verb->footer(
      "Examples: expctl compare run3 run5\n          expctl compare run1 run4 --configs --difference 0.3\n"
      "          expctl compare sweep1\n          expctl compare ens1 --plot members.svg");
}

}  // namespace expctl
