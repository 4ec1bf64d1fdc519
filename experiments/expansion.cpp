// From values of the swept keys to runs.

#include <set>

#include "core/error.h"
#include "experiments/sweep_file.h"
#include "experiments/trials.h"

namespace expctl {
namespace {

void apply_value(RunSpec& run, const std::string& key, const Json& value) {
  run.params[key] = value;
  const TrainKey* known = run.is_command() ? nullptr : find_train_key(key);
  if (known != nullptr) set_train_key(run.train, *known, value);
  if (key == "gpus") run.resources.gpus = value.get<int64_t>();
}

std::vector<RunSpec> expand_grid(const SweepSpec& sweep) {
  std::vector<Json> configs = {Json::object()};
  for (const auto& axis : sweep.space) {
    std::vector<Json> longer;
    for (const auto& config : configs) {
      for (const auto& value : axis.values) {
        longer.push_back(config);
        longer.back()[axis.key] = value;
      }
    }
    configs = std::move(longer);
  }
  std::vector<RunSpec> runs;
  std::set<std::pair<std::string, int64_t>> identities;
  for (const auto& config : configs) {
    for (auto& run : config_runs(sweep, config)) {
      if (identities.insert({config_hash(run), run.train.seed}).second) runs.push_back(std::move(run));
    }
  }
  return runs;
}

/// The values that show what an axis may bring.
std::vector<Json> sample_values(const SweepAxis& axis) {
  if (!axis.range) return axis.values;
  return {value_at(axis, 0), value_at(axis, 1)};
}

}  // namespace

std::vector<RunSpec> config_runs(const SweepSpec& sweep, const Json& params) {
  RunSpec config = sweep.base;
  for (const auto& [key, value] : params.items()) apply_value(config, key, value);
  std::vector<RunSpec> runs;
  for (const int64_t seed : sweep.seeds) {
    RunSpec run = config;
    run.train.seed = seed;
    try {
      run.train = resolve(run.train);
      if (run.train.distillation == 0) run.teacher = {};  // one of a space, or --set
      check_teacher(run);
    } catch (const Error& e) {
      throw Error(at_its_place(sweep, e.what()), e.hint(), e.code());
    }
    runs.push_back(std::move(run));
  }
  return runs;
}

std::vector<RunSpec> expand(const SweepSpec& sweep) {
  return sweep.method == SweepMethod::kGrid ? expand_grid(sweep) : runs_of(first_trials(sweep));
}

std::vector<RunSpec> sample_configs(const SweepSpec& sweep) {
  Json first = Json::object();
  for (const auto& axis : sweep.space) first[axis.key] = sample_values(axis).front();
  std::vector<RunSpec> configs;
  for (const auto& axis : sweep.space) {
    for (const auto& value : sample_values(axis)) {
      Json params = first;
      params[axis.key] = value;
      try {
        configs.push_back(config_runs(sweep, params).front());
      } catch (const Error&) {
        continue;  // never proposed
      }
    }
  }
  return configs;
}

}  // namespace expctl
