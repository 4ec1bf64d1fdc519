// Early stopping of a sweep's runs: asynchronous successive halving (Li et al. 2020, "A System for Massively
// Parallel Hyperparameter Tuning", in its stopping form). A run is looked at on the way, at its rungs: there
// it goes on only where its dev score is among the best 1 / reduction of those that have reached the rung.
// Which they are is decided in experiments/halving.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/json.h"

namespace expctl {

struct EarlyStopSpec {
  std::string method = "none";  ///< none | asha
  double min_fraction = 0.2;    ///< of a training's steps, at the first rung; greater than 0, less than 1
  int64_t reduction = 3;        ///< of so many one goes on; from rung to rung steps grow by it; at least 2

  bool is_wanted() const { return method != "none"; }
  bool operator==(const EarlyStopSpec&) const = default;
};

Json to_json(const EarlyStopSpec& early_stop);
EarlyStopSpec early_stop_from_json(const Json& json, const std::string& source);

/// The steps after which a training of `total_steps` is looked at, rising: total * min_fraction *
/// reduction^k, rounded up, as far as they are before its end; none where nothing is stopped early.
std::vector<int64_t> rung_steps(const EarlyStopSpec& early_stop, int64_t total_steps);

}  // namespace expctl
