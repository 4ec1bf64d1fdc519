// Searches minima of known functions as a sweep would (experiments/trials.h).
//
//   bench_tpe random|tpe LAG TRIALS SEEDS
//
// Prints a JSON object: for each function a list of the best trial's {"point", "value"} by sampler seed, 0 to
// SEEDS - 1. The functions are those of bench/tpe.py, which checks the values.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "core/error.h"
#include "experiments/trials.h"

using namespace expctl;

namespace {

using Numbers = std::vector<double>;

struct Problem {
  std::string name;
  std::vector<ParameterRange> ranges;
  std::function<double(const Numbers&)> value;
};

double branin(const Numbers& x) {
  const double bend = x[1] - 5.1 / (4 * M_PI * M_PI) * x[0] * x[0] + 5 / M_PI * x[0] - 6;
  return bend * bend + 10 * (1 - 1 / (8 * M_PI)) * std::cos(x[0]) + 10;
}

double hartmann(const Numbers& x) {
  constexpr double kHeights[] = {1, 1.2, 3, 3.2};
  constexpr double kScales[][3] = {{3, 10, 30}, {0.1, 10, 35}, {3, 10, 30}, {0.1, 10, 35}};
  constexpr double kCentres[][3] = {
      {0.3689, 0.1170, 0.2673}, {0.4699, 0.4387, 0.7470}, {0.1091, 0.8732, 0.5547}, {0.0381, 0.5743, 0.8828}};
  double sum = 0;
  for (size_t i = 0; i < 4; ++i) {
    double exponent = 0;
    for (size_t j = 0; j < 3; ++j)
      exponent += kScales[i][j] * (x[j] - kCentres[i][j]) * (x[j] - kCentres[i][j]);
    sum -= kHeights[i] * std::exp(-exponent);
  }
  return sum;
}

double levy(const Numbers& x) {
  const auto square = [](double v) { return v * v; };
  Numbers w;
  for (const double v : x) w.push_back(1 + (v - 1) / 4);
  double sum = square(std::sin(M_PI * w.front()));
  for (size_t i = 0; i + 1 < w.size(); ++i)
    sum += square(w[i] - 1) * (1 + 10 * square(std::sin(M_PI * w[i] + 1)));
  return sum + square(w.back() - 1) * (1 + square(std::sin(2 * M_PI * w.back())));
}

double rosenbrock(const Numbers& x) {
  double sum = 0;
  for (size_t i = 0; i + 1 < x.size(); ++i) {
    const double valley = x[i + 1] - x[i] * x[i];
    sum += 100 * valley * valley + (1 - x[i]) * (1 - x[i]);
  }
  return sum;
}

std::vector<Problem> problems() {
  const auto alike = [](size_t count, double min, double max) {
    return std::vector<ParameterRange>(count, {min, max});
  };
  return {{"branin2", {{-5, 10}, {0, 15}}, branin},
          {"hartmann3", alike(3, 0, 1), hartmann},
          {"levy4", alike(4, -10, 10), levy},
          {"rosenbrock5", alike(5, -5, 10), rosenbrock}};
}

Numbers numbers_of(const Trial& trial) {
  Numbers x;
  for (const auto& [key, value] : trial.runs.front().params.items()) x.push_back(value.get<double>());
  return x;
}

Json best_of(const Problem& problem, SweepSpec sweep) {
  for (size_t i = 0; i < problem.ranges.size(); ++i)
    sweep.space.push_back({fmt::format("x{}", i), {}, problem.ranges[i]});
  std::vector<Trial> trials;
  extend_trials(sweep, trials,
                [&](int64_t, const Trial& trial) { return TrialResult{-problem.value(numbers_of(trial))}; });
  const auto best = std::max_element(trials.begin(), trials.end(), [](const Trial& a, const Trial& b) {
    return *a.result->score < *b.result->score;
  });
  return {{"point", numbers_of(*best)}, {"value", -*best->result->score}};
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 5) throw Error("usage: bench_tpe random|tpe LAG TRIALS SEEDS");
  SweepSpec sweep;
  sweep.source = "bench_tpe";
  sweep.base.command.argv = {"true"};
  sweep.seeds = {1};
  sweep.method = std::string(argv[1]) == "random" ? SweepMethod::kRandom : SweepMethod::kTpe;
  sweep.lag = std::stoll(argv[2]);
  sweep.trials = std::stoll(argv[3]);
  Json json = Json::object();
  for (const auto& problem : problems()) {
    for (sweep.sampler_seed = 0; sweep.sampler_seed < std::stoll(argv[4]); ++sweep.sampler_seed)
      json[problem.name].push_back(best_of(problem, sweep));
  }
  fmt::print("{}", json_text(json));
  return 0;
} catch (const std::exception& e) {
  fmt::print(stderr, "{}\n", e.what());
  return 1;
}
