#include "experiments/trials.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "experiments/tpe.h"

namespace expctl {
namespace {

CounterRandom random_of(const SweepSpec& sweep, int64_t number) {
  return CounterRandom(mix64(static_cast<uint64_t>(sweep.sampler_seed)) ^ static_cast<uint64_t>(number));
}

std::vector<Observation> observations(const std::vector<Trial>& trials, int64_t seen) {
  std::vector<Observation> known;
  for (size_t i = 0; i < trials.size(); ++i) {
    const bool is_seen = static_cast<int64_t>(i) < seen;
    if (!is_seen) {
      known.push_back({trials[i].point, std::nullopt});
    } else if (const auto& score = trials[i].result->score) {  // of one that failed nothing is learnt
      known.push_back({trials[i].point, score});
    }
  }
  return known;
}

std::vector<Point> candidates(const SweepSpec& sweep, const std::vector<Trial>& trials, int64_t seen,
                              CounterRandom random) {
  if (sweep.method != SweepMethod::kTpe) return {};
  const auto known = observations(trials, seen);
  const auto scored = std::count_if(known.begin(), known.end(), [](const auto& o) { return o.score; });
  return scored >= kStartUpTrials ? tpe_candidates(sweep.space, known, random) : std::vector<Point>();
}

/// Whether the values are those of a point of the space.
bool is_in(const SearchSpace& space, const Json& params) {
  if (!params.is_object() || params.size() != space.size()) return false;
  return std::all_of(space.begin(), space.end(), [&](const SweepAxis& axis) {
    const Json value = params.value(axis.key, Json());
    if (!axis.range) return std::find(axis.values.begin(), axis.values.end(), value) != axis.values.end();
    const bool is_number = axis.range->is_integer ? value.is_number_integer() : value.is_number();
    return is_number && value.get<double>() >= axis.range->min && value.get<double>() <= axis.range->max;
  });
}

/// The first of the candidates, then of random points, whose config is possible and none of those tried;
/// where there is none, the first possible one.
Trial propose(const SweepSpec& sweep, const std::vector<Trial>& trials, const std::set<std::string>& tried,
              int64_t seen) {
  const auto number = static_cast<int64_t>(trials.size());
  const auto ranked = candidates(sweep, trials, seen, random_of(sweep, number));
  // A stream of its own: beside that of the candidates, and of no other trial.
  CounterRandom random(mix64(random_of(sweep, number).next()));
  constexpr size_t kRandomPoints = 500;
  SweepSpec one_seed = sweep;  // the others are possible and new where this is
  one_seed.seeds.resize(1);
  const auto trial_at = [&](const Point& point, const std::string& hash) {
    return Trial{point, config_runs(sweep, params_at(sweep.space, point)), hash, seen, {}};
  };
  std::optional<std::pair<Point, std::string>> repeated;
  std::optional<Error> impossible;
  for (size_t i = 0; i < ranked.size() + kRandomPoints; ++i) {
    const Point point = i < ranked.size() ? ranked[i] : uniform_point(sweep.space, random);
    try {
      const auto hash = config_hash(config_runs(one_seed, params_at(sweep.space, point)).front());
      if (!tried.contains(hash)) return trial_at(point, hash);
      if (!repeated) repeated = {point, hash};
    } catch (const Error& e) {
      if (!impossible) impossible = e;
    }
  }
  if (!repeated) throw *impossible;
  return trial_at(repeated->first, repeated->second);
}

/// How many results trial `number` is proposed from; more than there are: it is not known yet.
int64_t needed_results(const SweepSpec& sweep, int64_t number) {
  return sweep.method == SweepMethod::kTpe ? std::max<int64_t>(0, number - sweep.lag + 1) : 0;
}

}  // namespace

std::optional<TrialResult> trial_result(const std::vector<std::optional<RunResult>>& runs) {
  double sum = 0;
  int64_t scored = 0;
  for (const auto& run : runs) {
    if (!run) return std::nullopt;
    if (!run->score) continue;
    sum += *run->score;
    ++scored;
  }
  return scored == 0 ? TrialResult{} : TrialResult{sum / static_cast<double>(scored)};
}

void extend_trials(const SweepSpec& sweep, std::vector<Trial>& trials, const TrialResults& results) {
  const auto take_result = [&](size_t i) {
    if (!trials[i].result) trials[i].result = results(static_cast<int64_t>(i), trials[i]);
  };
  std::set<std::string> tried;
  for (size_t i = 0; i < trials.size(); ++i) {
    take_result(i);
    tried.insert(trials[i].config_hash);
  }
  while (static_cast<int64_t>(trials.size()) < sweep.trials) {
    const int64_t needed = needed_results(sweep, static_cast<int64_t>(trials.size()));
    const bool is_known = std::all_of(trials.begin(), trials.begin() + needed,
                                      [](const Trial& trial) { return trial.result.has_value(); });
    if (!is_known) return;
    trials.push_back(propose(sweep, trials, tried, needed));
    tried.insert(trials.back().config_hash);
    take_result(trials.size() - 1);
  }
}

std::vector<Trial> first_trials(const SweepSpec& sweep) {
  std::vector<Trial> trials;
  extend_trials(sweep, trials, [](int64_t, const Trial&) { return std::optional<TrialResult>(); });
  return trials;
}

std::vector<RunSpec> runs_of(const std::vector<Trial>& trials) {
  std::vector<RunSpec> runs;
  std::set<std::string> known;
  for (const auto& trial : trials) {
    if (!known.insert(trial.config_hash).second) continue;
    runs.insert(runs.end(), trial.runs.begin(), trial.runs.end());
  }
  return runs;
}

Json trial_line(int64_t number, const Trial& trial, const std::vector<std::string>& ids) {
  const bool is_scored = trial.result && trial.result->score;
  return {{"trial", number},
          {"seen", trial.seen},
          {"params", trial.runs.front().params},
          {"runs", ids},
          {"ended", trial.result.has_value()},
          {"f1", is_scored ? Json(*trial.result->score) : Json()}};
}

std::vector<Trial> trials_from_lines(const SweepSpec& sweep, const std::vector<Json>& lines,
                                     const std::string& source) {
  std::vector<Trial> trials;
  for (const auto& line : lines) {
    const auto number = static_cast<int64_t>(trials.size());
    const Json params = json_get<Json>(line, "params", source);
    const bool is_next = json_get<int64_t>(line, "trial", source) == number && number < sweep.trials;
    if (!is_next || !is_in(sweep.space, params))
      throw Error(fmt::format("{}:{}: not trial {} of this sweep", source, number + 1, number),
                  "without the file the trials are made anew, from the results of their runs");
    Trial trial;
    for (const auto& axis : sweep.space) trial.point.push_back(coordinate_of(axis, params[axis.key]));
    trial.runs = config_runs(sweep, params);
    trial.config_hash = config_hash(trial.runs.front());
    trial.seen = json_get<int64_t>(line, "seen", source);
    trials.push_back(std::move(trial));
  }
  return trials;
}

}  // namespace expctl
