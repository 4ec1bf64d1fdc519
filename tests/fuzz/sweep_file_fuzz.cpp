// TOML: the sweep file, and what it expands to.
#include "experiments/sweep_file.h"
#include "experiments/trials.h"
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET({
  const auto sweep = expctl::parse_sweep(text, "fuzz.toml", "/");
  size_t runs = sweep.seeds.size();
  for (const auto& axis : sweep.space) runs *= axis.values.size();
  if (sweep.method == expctl::SweepMethod::kGrid) {
    if (runs < 1000) expctl::expand(sweep);
  } else if (sweep.trials * static_cast<int64_t>(sweep.seeds.size()) < 50) {
    std::vector<expctl::Trial> trials;
    expctl::extend_trials(sweep, trials, [](int64_t number, const expctl::Trial& trial) {
      const double score = trial.point.front() * 100;
      return expctl::TrialResult{number % 5 == 3 ? std::nullopt : std::optional(score)};
    });
    expctl::sample_configs(sweep);
  }
})
