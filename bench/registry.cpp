// Makes a registry as large as one gets, by what expctl itself calls: sweeps of RUNS runs in all, each ended,
// with STEPS metric rows in a few of them and ROWS rows in all. Prints how fast metric rows went in. Usage:
// bench_registry FILE RUNS ROWS STEPS
#include "registry/registry.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace {
using namespace expctl;

constexpr int64_t kRunsOfASweep = 1000, kLongRuns = 100;

RunSpec spec_of(int64_t number) {
  RunSpec spec;
  spec.name = fmt::format("sweep of {}", number / kRunsOfASweep);
  spec.train.learning_rate = 1e-5 * static_cast<double>(1 + number % 97);
  spec.train.batch_size = 8 * (1 + number / 97 % 8);
  spec.train.seed = number;
  spec.train = resolve(spec.train);
  spec.params = {{"learning_rate", spec.train.learning_rate}, {"batch_size", spec.train.batch_size}};
  return spec;
}

std::vector<MetricRecord> metrics_of(int64_t steps) {
  std::vector<MetricRecord> rows(static_cast<size_t>(steps));
  for (int64_t i = 0; i < steps; ++i) {
    const auto x = static_cast<double>(i);
    rows[static_cast<size_t>(i)] = {i + 1, x / 7377, 5 / (1 + x / 500), 3e-5 * (1 - x / 14754),
                                    1.8e9 + x / 8};
  }
  return rows;
}

/// Seconds that it took.
double end_run(Registry& registry, const std::string& id, int64_t number, int64_t steps) {
  AttemptRecord attempt;
  attempt.token = "t";
  attempt.started = 100;
  registry.start_attempt(id, attempt);
  Outcome outcome;
  outcome.end = number % 50 == 0 ? AttemptEnd::kFailed : AttemptEnd::kSucceeded;
  outcome.reason = number % 50 == 0 ? FailReason::kSignal : FailReason::kNone;
  outcome.ended = 200;
  AttemptResults results;
  results.metrics = metrics_of(steps);
  if (outcome.end == AttemptEnd::kSucceeded) {
    EvaluationRecord evaluation;
    evaluation.run_id = id;
    evaluation.f1 = 60 + static_cast<double>(number * 7919 % 30011) / 1000;
    evaluation.exact_match = evaluation.f1 - 8;
    results.evaluation = evaluation;
  }
  const auto began = std::chrono::steady_clock::now();
  registry.finish_attempt(id, outcome, false, results);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) return 2;
  const int64_t runs = std::atoll(arguments[2]), rows = std::atoll(arguments[3]),
                steps = std::atoll(arguments[4]);
  if (runs <= kLongRuns) return 2;
  const int64_t short_steps = (rows - kLongRuns * steps) / (runs - kLongRuns);
  Registry registry = Registry::open(arguments[1]);
  double long_s = 0;
  for (int64_t first = 0; first < runs; first += kRunsOfASweep) {
    std::vector<RunSpec> specs;
    for (int64_t i = first; i < std::min(runs, first + kRunsOfASweep); ++i) specs.push_back(spec_of(i));
    const auto sweep = registry.add_sweep(specs[0].name, "/x/lr.toml", fmt::format("{}", first), 100);
    const auto added = registry.add_runs(sweep.id, specs, 100);
    for (size_t i = 0; i < added.size(); ++i) {
      const int64_t number = first + static_cast<int64_t>(i);
      const bool is_long = number < kLongRuns;
      const double took_s = end_run(registry, added[i].id, number, is_long ? steps : short_steps);
      if (is_long) long_s += took_s;
    }
  }
  fmt::print("{:.0f}\n", static_cast<double>(kLongRuns * steps) / long_s);
}
