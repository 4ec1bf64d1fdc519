#include "cli/compare_configs.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "cli/config_runs.h"
#include "cli/differing_facts.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "core/text.h"
#include "registry/registry.h"
#include "reports/config_verdict.h"
#include "reports/leaderboard.h"
#include "reports/table.h"
#include "squad/seed_table.h"

namespace expctl {
namespace {

/// The runs of each config that have succeeded and are scored, configs in the order of `hashes`.
std::vector<ConfigRuns> configs_of(const Registry& registry, const std::string& sweep_id,
                                   const std::vector<std::string>& hashes) {
  RunFilter filter;
  filter.sweep_id = sweep_id;
  filter.state = RunState::kSucceeded;
  filter.ensembles = false;
  std::map<std::string, std::vector<RunRecord>> by_hash;
  const std::set<std::string> wanted(hashes.begin(), hashes.end());
  registry.for_each_run(filter, [&](RunRecord&& run) {
    if (run.f1 && wanted.contains(run.config_hash)) by_hash[run.config_hash].push_back(std::move(run));
  });
  std::vector<ConfigRuns> configs;
  for (const auto& hash : hashes) {
    if (!by_hash.contains(hash)) continue;
    const auto runs = ranked(by_hash.at(hash));
    configs.push_back({config_stats(runs).front(), runs, {}});
  }
  return configs;
}

/// Its best run.
const std::string& name_of(const ConfigRuns& config) {
  return config.stats.ids.front();
}

Json config_entry_json(const ConfigRuns& config) {
  Json seeds = Json::array();
  for (const auto& run : config.runs) seeds.push_back(run.seed);
  Json json = config_json({config.stats})["configs"][0];
  json["seeds"] = seeds;
  return json;
}

std::vector<std::string> score_cells(const ConfigRuns& config) {
  return {fmt::format("{:.4f}", config.stats.mean_f1),
          config.stats.scored > 1 ? fmt::format("{:.4f}", config.stats.sd_f1) : "-",
          std::to_string(config.stats.scored)};
}

std::string_view unit_of(const ConfigCompareOptions& options) {
  return options.by_article ? "articles" : "paragraphs";
}

/// `names`: of the configs, as they were asked for.
void print_configs(const ScoredConfigs& scored, const std::vector<std::string>& names,
                   const std::vector<ConfigDifference>& differences, const ConfigCompareOptions& options) {
  std::vector<RunRecord> best;
  std::vector<std::string> header = {""}, mean = {"mean F1"}, sd = {"sd"}, seeds = {"seeds"};
  header.insert(header.end(), names.begin(), names.end());
  for (const auto& config : scored.all) {
    best.push_back(config.runs.front());
    const auto cells = score_cells(config);
    mean.push_back(cells[0]);
    sd.push_back(cells[1]);
    seeds.push_back(cells[2]);
  }
  auto rows = differing_facts(best);
  // Seeds, and those that follow from them: each column is of one run of its config.
  const auto seed =
      std::find_if(rows.begin(), rows.end(), [](const auto& row) { return row.front() == "seed"; });
  if (seed != rows.end()) {
    const std::vector<std::string> of_runs(seed->begin() + 1, seed->end());
    std::erase_if(
        rows, [&](const auto& row) { return std::equal(of_runs.begin(), of_runs.end(), row.begin() + 1); });
  }
  rows.insert(rows.end(), {mean, sd, seeds});
  fmt::print("{}", render_table(header, rows, stdout_style()));
  for (size_t i = 0; i < differences.size(); ++i) {
    fmt::print("{}\n", difference_text(names[0], names[i + 1], differences[i], unit_of(options)));
    if (const auto plan = seed_plan(differences[i], options.difference))
      fmt::print("{}\n", seed_plan_text(*plan));
  }
}

Json plan_json(const ConfigDifference& difference, double wished) {
  const auto plan = seed_plan(difference, wished);
  return plan ? seed_plan_json(*plan) : Json();
}

void print_configs_json(const ScoredConfigs& scored, const std::vector<std::string>& names,
                        const std::vector<ConfigDifference>& differences,
                        const ConfigCompareOptions& options) {
  Json configs = Json::array(), against_first = Json::array();
  for (const auto& config : scored.all) configs.push_back(config_entry_json(config));
  for (size_t i = 0; i < differences.size(); ++i) {
    against_first.push_back({{"id", names[i + 1]},
                             {"f1_difference", differences[i].f1},
                             {"paired", differences[i].is_paired},
                             {"pairs", differences[i].pairs},
                             {"interval", interval_json(differences[i])},
                             {"seeds_needed", plan_json(differences[i], options.difference)}});
  }
  fmt::print("{}",
             json_text({{"schema_version", 1}, {"configs", configs}, {"against_first", against_first}}));
}

struct SweepVerdict {
  size_t pruned = 0;            ///< runs that do not count
  std::vector<GapToBest> gaps;  ///< empty: nothing is known of seeds
  std::optional<BestLooks> looks;
  std::optional<SeedPlan> plan;  ///< of the two best
};

SweepVerdict verdict_of(const ScoredConfigs& scored, size_t pruned, double wished) {
  SweepVerdict verdict;
  verdict.pruned = pruned;
  std::vector<ConfigScores> scores;
  std::vector<RunRecord> runs;
  for (const auto& config : scored.all) {
    scores.push_back(config.scores);
    runs.insert(runs.end(), config.runs.begin(), config.runs.end());
  }
  verdict.gaps = gaps_to_best(scores, scored.groups);
  verdict.looks = best_looks(runs, noise_sd_of(scored));
  if (scores.size() > 1)
    verdict.plan = seed_plan(config_difference(scores[1], scores[0], scored.groups), wished,
                             seed_noise(scores, verdict.gaps, scored.groups));
  return verdict;
}

/// How many of the best must get more seeds so that the first two configs are among them: `--replicate` ranks
/// by the seeds of the file, which all configs have. 0: they have none in common.
size_t best_with_the_first_two(const std::vector<ConfigRuns>& configs) {
  std::vector<ConfigScores> scores;
  for (const auto& config : configs) scores.push_back(config.scores);
  const auto common = common_seeds(scores);
  if (common.empty()) return 0;
  std::vector<double> sums;
  for (const auto& config : configs) {
    double& sum = sums.emplace_back(0);
    for (const auto& run : config.runs) sum += common.contains(run.seed) ? *run.f1 : 0;
  }
  const double least = std::min(sums[0], sums[1]);
  return static_cast<size_t>(
      std::count_if(sums.begin(), sums.end(), [&](double sum) { return sum >= least; }));
}

/// What finds the difference of the two best; "" where it is found, or would take too long.
std::string replicate_options(const ScoredConfigs& scored, const SweepVerdict& verdict) {
  constexpr size_t kMany = 50, kUsual = 2;
  const size_t known = std::min(scored.all[0].stats.scored, scored.all[1].stats.scored);
  const auto wanted = verdict.plan->seeds;
  const size_t best = best_with_the_first_two(scored.all);
  if (!wanted || *wanted > kMany || *wanted <= known || best == 0) return "";
  return fmt::format("--replicate {}", *wanted) + (best == kUsual ? "" : fmt::format(" --best {}", best));
}

void print_sweep(const Program& program, const ScoredConfigs& scored, const SweepVerdict& verdict,
                 const SweepRecord& sweep, const ConfigCompareOptions& options) {
  std::vector<std::vector<std::string>> rows;
  for (size_t i = 0; i < scored.all.size(); ++i) {
    const ConfigRuns& config = scored.all[i];
    auto row = score_cells(config);
    row.push_back(verdict.gaps.empty() ? "-" : gap_text(verdict.gaps[i]));
    row.insert(row.end(), {name_of(config), config.stats.params});
    rows.push_back(row);
  }
  fmt::print("{}", render_table({"mean F1", "sd", "seeds", "minus best other", "best", "parameters"}, rows,
                                stdout_style()));
  if (const auto text = contenders_text(verdict.gaps, fmt::format("seeds and {}", unit_of(options)));
      !text.empty())
    fmt::print("{}\n", text);
  if (verdict.pruned > 0)
    fmt::print("{} pruned and {} not count: those that are left were chosen by their scores.\n",
               counted(verdict.pruned, "more run was", "more runs were"),
               verdict.pruned == 1 ? "does" : "do");
  if (verdict.looks) fmt::print("{}\n", best_looks_text(*verdict.looks));
  const auto say_more = [&](const std::string& more) {
    say(program,
        fmt::format("next: expctl{} sweep {} {}", workspace_option(program), shell_quote(sweep.file), more));
  };
  if (verdict.gaps.empty() && scored.all.size() > 1) {
    fmt::print("Each config has one seed: how much of their differences is luck is not known.\n");
    say_more("--replicate 3");
  }
  if (!verdict.plan) return;
  fmt::print("The two best differ by {:.2f}. {}\n", scored.all[0].stats.mean_f1 - scored.all[1].stats.mean_f1,
             seed_plan_text(*verdict.plan));
  if (const auto more = replicate_options(scored, verdict); !more.empty()) say_more(more);
}

void print_sweep_json(const ScoredConfigs& scored, const SweepVerdict& verdict, const std::string& sweep) {
  Json configs = Json::array();
  for (size_t i = 0; i < scored.all.size(); ++i) {
    configs.push_back(config_entry_json(scored.all[i]));
    configs.back()["to_best_other"] = verdict.gaps.empty() ? Json() : gap_json(verdict.gaps[i]);
  }
  fmt::print("{}", json_text({{"schema_version", 1},
                              {"sweep", sweep},
                              {"pruned", verdict.pruned},
                              {"configs", configs},
                              {"best_looks", verdict.looks ? best_looks_json(*verdict.looks) : Json()},
                              {"seeds_needed", verdict.plan ? seed_plan_json(*verdict.plan) : Json()}}));
}

}  // namespace

int compare_named_configs(const Program& program, const ConfigCompareOptions& options) {
  const Registry registry = Registry::open_to_look(program.workspace().registry());
  std::vector<std::string> hashes, words, names;
  for (const auto& word : options.words) {
    const RunRecord run = registry.resolve_run(word);
    if (run.is_ensemble())
      throw Error(fmt::format("{} is an ensemble: it has no config and no seeds", run.id),
                  "leave out --configs to compare it as it is", ErrorCode::kUsage);
    const auto known = std::find(hashes.begin(), hashes.end(), run.config_hash);
    if (known != hashes.end())
      throw Error(fmt::format("{} and {} are of one config",
                              words[static_cast<size_t>(known - hashes.begin())], word),
                  "leave out --configs to compare them as two runs", ErrorCode::kUsage);
    hashes.push_back(run.config_hash);
    words.push_back(word);
    names.push_back(run.id);
  }
  if (hashes.size() < 2)
    throw Error("--configs: name two runs or more, of different configs",
                "expctl compare sweep1 compares all of a sweep", ErrorCode::kUsage);
  auto configs = configs_of(registry, "", hashes);
  for (size_t i = 0; i < hashes.size(); ++i) {
    if (i < configs.size() && configs[i].runs.front().config_hash == hashes[i]) continue;
    throw Error(fmt::format("{}: no run of its config has succeeded with a score", words[i]), "",
                ErrorCode::kNotFound);
  }
  const auto scored = read_scores(registry, program.workspace(), std::move(configs), options.by_article);
  std::vector<ConfigDifference> differences;
  for (size_t i = 1; i < scored.all.size(); ++i)
    differences.push_back(config_difference(scored.all[0].scores, scored.all[i].scores, scored.groups));
  (program.json ? print_configs_json : print_configs)(scored, names, differences, options);
  return 0;
}

int compare_sweep(const Program& program, const ConfigCompareOptions& options) {
  const Registry registry = Registry::open_to_look(program.workspace().registry());
  const std::string& word = options.words.front();
  const auto sweep = registry.find_sweep(word);
  if (!sweep)
    throw Error(fmt::format("there is no {}", word), "expctl runs lists what there is", ErrorCode::kNotFound);
  RunFilter filter;
  filter.sweep_id = word;
  std::vector<std::string> hashes;
  size_t pruned = 0;
  registry.for_each_run(filter, [&](RunRecord&& run) {
    pruned += run.state == RunState::kPruned ? 1 : 0;
    if (std::find(hashes.begin(), hashes.end(), run.config_hash) == hashes.end())
      hashes.push_back(run.config_hash);
  });
  auto configs = configs_of(registry, word, hashes);
  if (configs.empty())
    throw Error(fmt::format("{}: no run has succeeded with a score yet", word), "", ErrorCode::kNotFound);
  std::stable_sort(configs.begin(), configs.end(), [](const ConfigRuns& a, const ConfigRuns& b) {
    return a.stats.mean_f1 > b.stats.mean_f1;
  });
  const auto scored = read_scores(registry, program.workspace(), std::move(configs), options.by_article);
  const SweepVerdict verdict = verdict_of(scored, pruned, options.difference);
  if (program.json)
    print_sweep_json(scored, verdict, word);
  else
    print_sweep(program, scored, verdict, *sweep, options);
  return 0;
}

}  // namespace expctl
