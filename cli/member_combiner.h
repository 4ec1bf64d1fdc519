// The members of an ensemble, loaded once to be combined under any weights: for a search, and for the entry
// that comes of it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "cli/ensemble_members.h"
#include "cli/prediction.h"
#include "core/run_paths.h"

namespace expctl {

enum class Normalise {
  kNone,
  kScale,        ///< all members' logits get their mean standard deviation
  kTemperature,  ///< each member's logits are divided by the temperature that fits it best
};

class MemberCombiner {
 public:
  virtual ~MemberCombiner() = default;

  virtual const Dataset& dataset() const = 0;
  /// What the logits of each member are multiplied by; all 1 where no logits are combined.
  virtual std::vector<double> scales() const = 0;
  /// F1 (0 to 1) of every question by the members' mean under these weights. Throws Interrupted.
  virtual std::vector<double> question_f1(const std::vector<double>& weights) = 0;
  /// Leaves what an evaluation leaves in `draft`. Returns a signal that has ended it, or 0.
  virtual int write(const std::vector<double>& weights, const std::filesystem::path& draft) = 0;
};

struct Scaling {
  Normalise normalise = Normalise::kNone;
  double holdout = 0;              ///< temperatures are fitted without this share of the articles
  uint64_t seed = 0;               ///< of what is held out
  std::vector<double> given = {};  ///< [members] in place of a normalisation; empty: none
};

/// Throws Error where members cannot be combined so.
std::unique_ptr<MemberCombiner> make_combiner(const Program& program, const EnsembleMembers& members,
                                              Method method, const Scaling& scaling);

}  // namespace expctl
