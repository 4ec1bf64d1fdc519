// How often the intervals of `expctl compare` hold: 1,000 simulated sweeps for each of several laws, the true
// difference known. Prints the tables of docs/statistics.md. `bench_intervals [SWEEPS]`
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include "squad/best_of_many.h"
#include "squad/config_difference.h"
#include "squad/paired_bootstrap.h"
#include "tests/support/simulated_sweep.h"

namespace expctl {
namespace {

using test::SimulatedConfig;
using test::SimulatedSweep;
using test::SweepLaw;
using test::SweepSimulator;

std::vector<int64_t> seeds(size_t count, int64_t from = 1) {
  std::vector<int64_t> list;
  for (size_t i = 0; i < count; ++i) list.push_back(from + static_cast<int64_t>(i));
  return list;
}

std::vector<ConfigScores> configs_of(const SimulatedSweep& sweep, const std::vector<SimulatedConfig>& configs,
                                     const QuestionGroups& groups) {
  std::vector<ConfigScores> scores;
  for (size_t c = 0; c < configs.size(); ++c) {
    auto& config = scores.emplace_back();
    for (size_t s = 0; s < configs[c].seeds.size(); ++s)
      config.push_back(seed_score(test::score_of(sweep.f1[c][s]), configs[c].seeds[s], groups));
  }
  return scores;
}

/// Of one draw of a table's row: rows are independent of each other.
uint64_t key_of(uint64_t row, int draw) {
  return mix64(row) + static_cast<uint64_t>(draw);
}

/// A percentile bootstrap of the same table, for comparison.
struct Resampled {
  bool seeds = false, groups = false;
};

/// What the percentile bootstrap resamples, as columns of one table: rows of the first config come first.
/// Where both have the same seeds, a row is the difference of a pair.
struct Rows {
  std::vector<std::vector<double>> points;  ///< [rows][groups]
  size_t of_first = 0;                      ///< whose sign is minus; 0: pairs
};

Rows rows_of_both(const ConfigScores& first, const ConfigScores& second) {
  Rows rows;
  if (have_same_seeds(first, second)) {
    for (size_t s = 0; s < first.size(); ++s) {
      rows.points.push_back(second[s].points);
      for (size_t g = 0; g < first[s].points.size(); ++g) rows.points.back()[g] -= first[s].points[g];
    }
    return rows;
  }
  rows.of_first = first.size();
  for (const auto* config : {&first, &second}) {
    for (const auto& score : *config) rows.points.push_back(score.points);
  }
  return rows;
}

/// What each row weighs in the difference of means; drawn again, or each once.
std::vector<double> row_weights(const Rows& rows, bool resample, CounterRandom& random) {
  std::vector<double> weights(rows.points.size(), 0);
  const auto fill = [&](size_t from, size_t to, double sign) {
    for (size_t i = from; i < to; ++i)
      weights[resample ? from + random.below(to - from) : i] += sign / static_cast<double>(to - from);
  };
  fill(0, rows.of_first, -1);
  fill(rows.of_first, rows.points.size(), 1);
  return weights;
}

bool bootstrap_holds(const Rows& rows, const QuestionGroups& groups, Resampled what, double truth,
                     uint64_t key) {
  constexpr size_t kSamples = 200, kTail = kSamples / 40;
  CounterRandom random(key);
  const size_t count = groups.sizes.size();
  std::vector<double> differences;
  std::vector<double> mean(count);
  for (size_t sample = 0; sample < kSamples; ++sample) {
    if (sample == 0 || what.seeds) {
      const auto weights = row_weights(rows, what.seeds, random);
      std::fill(mean.begin(), mean.end(), 0);
      for (size_t r = 0; r < weights.size(); ++r) {
        for (size_t g = 0; weights[r] != 0 && g < count; ++g) mean[g] += weights[r] * rows.points[r][g];
      }
    }
    double sum = 0, questions = 0;
    for (size_t g = 0; g < count; ++g) {
      const size_t drawn = what.groups ? random.below(count) : g;
      sum += mean[drawn];
      questions += groups.sizes[drawn];
    }
    differences.push_back(sum / questions);
  }
  std::sort(differences.begin(), differences.end());
  return differences[kTail] <= truth && truth <= differences[kSamples - 1 - kTail];
}

struct Scenario {
  std::string name;
  size_t first_seeds = 3, second_seeds = 3;
  bool same_seeds = true;
  double seed_sd = 0.3, difference = 0.3;
  double second_seed_sd = 0;  ///< 0: as the first's
  SweepLaw law = {};
  bool by_article = false;
};

void print_configs(const Scenario& scenario, int sweeps) {
  static uint64_t row = 1000;
  ++row;
  SimulatedConfig first{0, seeds(scenario.first_seeds), scenario.seed_sd};
  SimulatedConfig second{scenario.difference, seeds(scenario.second_seeds, scenario.same_seeds ? 1 : 101),
                         scenario.second_seed_sd > 0 ? scenario.second_seed_sd : scenario.seed_sd};
  const std::vector<SimulatedConfig> configs = {first, second};
  const SweepSimulator simulator(scenario.law, configs, scenario.same_seeds ? 0.3 : 0);
  int holds = 0, of_seeds = 0, of_groups = 0, of_both = 0;
  double width = 0;
  for (int i = 0; i < sweeps; ++i) {
    const uint64_t key = key_of(row, i);
    const SimulatedSweep sweep = simulator.draw(key);
    const auto groups = question_groups(scenario.by_article ? sweep.article_of : sweep.paragraph_of);
    const auto scores = configs_of(sweep, configs, groups);
    const auto interval = config_difference(scores[0], scores[1], groups).interval.value();
    width += (interval.high - interval.low) / sweeps;
    holds += interval.low <= scenario.difference && scenario.difference <= interval.high ? 1 : 0;
    const Rows rows = rows_of_both(scores[0], scores[1]);
    const auto naive = [&](Resampled what) {
      return bootstrap_holds(rows, groups, what, scenario.difference, key) ? 1 : 0;
    };
    of_seeds += naive({true, false});
    of_groups += naive({false, true});
    of_both += naive({true, true});
  }
  const auto percent = [&](int count) { return 100.0 * count / sweeps; };
  fmt::print("| {} | {} + {} | {} | {:.2f} | {:.1f} | **{:.1f}** | {:.2f} | {:.1f} | {:.1f} | {:.1f} |\n",
             scenario.name, scenario.first_seeds, scenario.second_seeds, scenario.same_seeds ? "yes" : "no",
             scenario.seed_sd, scenario.difference, percent(holds), width, percent(of_seeds),
             percent(of_groups), percent(of_both));
  std::fflush(stdout);
}

void print_all_configs(int sweeps) {
  fmt::print(
      "| configs | seeds | the same | sd of seeds | true difference | compare, % | its width | bootstrap of "
      "seeds, % | of "
      "paragraphs, % | of both, % |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
  for (const size_t count : {2, 3, 5, 8}) {
    for (const double sd : {0.15, 0.4}) {
      for (const double difference : {0.0, 0.3, 1.0}) {
        print_configs({"alike", count, count, true, sd, difference}, sweeps);
      }
    }
  }
  for (const double sd : {0.15, 0.4}) {
    print_configs({"alike", 3, 3, false, sd, 0.3}, sweeps);
    print_configs({"alike", 3, 8, false, sd, 0.3}, sweeps);
    print_configs({"alike", 2, 8, false, sd, 0.3}, sweeps);
  }
  print_configs({"the second three times as unsure", 3, 3, true, 0.2, 0.3, 0.6}, sweeps);
  print_configs({"the second three times as unsure", 3, 8, false, 0.2, 0.3, 0.6}, sweeps);
  SweepLaw few;
  few.paragraphs = 40;
  few.questions = 210;
  print_configs({"40 paragraphs", 3, 3, true, 0.3, 0.3, 0, few}, sweeps);
  print_configs({"seeds matter most", 2, 2, true, 1.5, 0.3}, sweeps);
  print_configs({"seeds matter most", 3, 3, true, 1.5, 0.3}, sweeps);
  print_configs({"seeds matter most", 8, 8, true, 1.5, 0.3}, sweeps);
  SweepLaw articles;
  articles.config_article_sd = 0.03;
  print_configs({"hardly better at some articles", 5, 5, true, 0.3, 0.3, 0, articles}, sweeps);
  articles.config_article_sd = 0.1;
  print_configs({"better at some articles", 5, 5, true, 0.3, 0.3, 0, articles}, sweeps);
  print_configs({"the same, --by article", 5, 5, true, 0.3, 0.3, 0, articles, true}, sweeps);
  print_configs({"alike, --by article", 5, 5, true, 0.3, 0.3, 0, {}, true}, sweeps);
}

void print_runs(const std::string& name, const SweepLaw& law, double gain, int sweeps) {
  static uint64_t row = 2000;
  ++row;
  const std::vector<SimulatedConfig> configs = {{0, {1}, 0.3}, {gain, {1}, 0.3}};
  const SweepSimulator simulator(law, configs, 0.3);
  int holds = 0;
  double width = 0;
  for (int i = 0; i < sweeps; ++i) {
    const auto sweep = simulator.draw(key_of(row, i));
    const auto d =
        paired_difference(test::score_of(sweep.f1[0][0]), test::score_of(sweep.f1[1][0]), sweep.paragraph_of);
    const double truth = sweep.true_f1[1][0] - sweep.true_f1[0][0];
    holds += d.low <= truth && truth <= d.high ? 1 : 0;
    width += (d.high - d.low) / sweeps;
  }
  fmt::print("| {} | {:.1f} | **{:.1f}** | {:.2f} |\n", name, gain, 100.0 * holds / sweeps, width);
  std::fflush(stdout);
}

void print_all_runs(int sweeps) {
  fmt::print(
      "\n| two runs | configs' true difference | compare, % | its width |\n| --- | --- | --- | --- |\n");
  SweepLaw few;
  few.paragraphs = 40;
  few.questions = 210;
  for (const double gain : {0.0, 0.3, 1.0}) print_runs("320 paragraphs", {}, gain, sweeps);
  print_runs("40 paragraphs", few, 0.3, sweeps);
}

struct SweepScenario {
  std::string name;
  std::vector<double> gains;
  size_t seeds = 3;
  double seed_sd = 0.3;
};

/// The intervals of a sweep, which are to hold all at once, and the optimism of its best run.
void print_sweep(const SweepScenario& scenario, int sweeps) {
  static uint64_t row = 3000;
  ++row;
  std::vector<SimulatedConfig> configs;
  for (const double gain : scenario.gains) configs.push_back({gain, seeds(scenario.seeds), scenario.seed_sd});
  const SweepSimulator simulator({}, configs, 0.3);
  const double best = *std::max_element(scenario.gains.begin(), scenario.gains.end());
  int all_hold = 0, best_kept = 0, naive = 0;
  double kept = 0, looked = 0, said = 0;
  for (int i = 0; i < sweeps; ++i) {
    const auto sweep = simulator.draw(key_of(row, i));
    const auto groups = question_groups(sweep.paragraph_of);
    const auto scores = configs_of(sweep, configs, groups);
    const auto gaps = gaps_to_best(scores, groups);
    bool hold = true, has_best = false;
    size_t leader = 0;
    for (size_t c = 0; c < gaps.size(); ++c) {
      double others = -1e9;
      for (size_t other = 0; other < gaps.size(); ++other) {
        if (other != c) others = std::max(others, scenario.gains[other]);
      }
      const double gap = scenario.gains[c] - others;
      hold = hold && gaps[c].low <= gap && gap <= gaps[c].high;
      has_best = has_best || (gaps[c].may_be_best && scenario.gains[c] == best);
      kept += gaps[c].may_be_best ? 1.0 / sweeps : 0;
      if (mean_f1(scores[c], groups) > mean_f1(scores[leader], groups)) leader = c;
    }
    all_hold += hold ? 1 : 0;
    best_kept += has_best ? 1 : 0;
    bool pairs_hold = true;
    for (size_t c = 0; c < scores.size(); ++c) {
      if (c == leader) continue;
      const auto interval = config_difference(scores[leader], scores[c], groups).interval.value();
      const double truth = scenario.gains[c] - scenario.gains[leader];
      pairs_hold = pairs_hold && interval.low <= truth && truth <= interval.high;
    }
    naive += pairs_hold ? 1 : 0;
    std::vector<SeedScore> runs;
    std::vector<double> f1, excess;
    for (size_t c = 0; c < scores.size(); ++c) {
      for (size_t s = 0; s < scores[c].size(); ++s) {
        runs.push_back(scores[c][s]);
        f1.push_back(f1_of(scores[c][s], groups));
        excess.push_back(f1.back() - sweep.true_f1[c][s]);
      }
    }
    double common = 0;
    for (const double one : excess) common += one / static_cast<double>(excess.size());
    const auto chosen = static_cast<size_t>(std::max_element(f1.begin(), f1.end()) - f1.begin());
    looked += (excess[chosen] - common) / sweeps;
    said += selection_optimism(f1, question_noise_sd(runs, groups), 300, key_of(row, i)) / sweeps;
  }
  const auto percent = [&](int count) { return 100.0 * count / sweeps; };
  fmt::print("| {} | {} x {} | **{:.1f}** | {:.1f} | {:.1f} | {:.1f} | {:.2f} | {:.2f} |\n", scenario.name,
             configs.size(), scenario.seeds, percent(all_hold), percent(best_kept), kept, percent(naive),
             looked, said);
}

void print_all_sweeps(int sweeps) {
  fmt::print(
      "\n| sweeps | configs x seeds | all intervals hold, % | the best is kept, % | configs kept | each "
      "pair's own "
      "interval against the leader, all, % | the best run looks better by | said |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- |\n");
  print_sweep({"all alike", std::vector<double>(3, 0.0)}, sweeps);
  print_sweep({"all alike", std::vector<double>(8, 0.0)}, sweeps);
  print_sweep({"all alike", std::vector<double>(8, 0.0), 8}, sweeps);
  print_sweep({"two best, half a point apart", {1, 0.5, 0, 0, 0, -1, -2, -5}}, sweeps);
  print_sweep({"two best, half a point apart", {1, 0.5, 0, 0, 0, -1, -2, -5}, 8}, sweeps);
  print_sweep({"one best by 2", {2, 0, 0, 0, 0, 0}, 3}, sweeps);
}

}  // namespace
}  // namespace expctl

int main(int argc, char** argv) {
  const int sweeps = argc > 1 ? std::atoi(argv[1]) : 1000;
  expctl::print_all_configs(sweeps);
  expctl::print_all_runs(sweeps);
  expctl::print_all_sweeps(sweeps);
  return 0;
}
