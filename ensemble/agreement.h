// How alike members are, and how an ensemble of them grows.
#pragma once

#include <vector>

#include "ensemble/selection.h"
#include "squad/scoring.h"

namespace expctl {

/// The share (0 to 1) of questions that two answer alike, as texts that the official evaluation normalises:
/// [members][members]. Questions are those of the first; an answer that is missing is like none.
std::vector<std::vector<double>> agreement(const std::vector<Predictions>& members);

/// F1 (percent) of plain means of so many members.
struct SizeScore {
  size_t members = 1;
  double mean = 0;
  double least = 0;
  double greatest = 0;
};

/// For each size up to the pool's: of all ensembles of neighbours (in a circle), so that each member is in as
/// many as any other.
std::vector<SizeScore> f1_by_size(ScoreBook& book, const std::vector<size_t>& questions);

}  // namespace expctl
