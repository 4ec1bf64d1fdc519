#include "ensemble/combine.h"

#include <fmt/core.h>

#include <cmath>

#include "core/error.h"

namespace expctl {
namespace {

void check_members(const std::vector<EnsembleMember>& members) {
  if (members.size() < 2) throw Error("an ensemble has at least two members");
  const auto& first = members.front();
  for (const auto& member : members) {
    if (!(member.weight > 0) || !std::isfinite(member.weight)) {
      throw Error(fmt::format("the weight of {} is {}", member.id, member.weight),
                  "weights are positive numbers");
    }
    std::string what = difference(first.logits.identity, member.logits.identity);
    if (what.empty() && first.logits.offsets != member.logits.offsets)
      what = "their features have other lengths";
    if (!what.empty()) {
      throw Error(
          fmt::format("{} and {} are over different features: {}", first.id, member.id, what),
          "only runs evaluated on the same data at the same length, stride and window can be averaged");
    }
  }
}

/// `part` is LogitsFile::start or LogitsFile::end.
std::vector<float> weighted_mean(const std::vector<EnsembleMember>& members,
                                 std::vector<float> LogitsFile::*part) {
  double total = 0;
  for (const auto& member : members) total += member.weight;
  std::vector<float> mean((members.front().logits.*part).size());
  for (size_t token = 0; token < mean.size(); ++token) {
    double sum = 0;
    for (const auto& member : members)
      sum += member.weight * static_cast<double>((member.logits.*part)[token]);
    mean[token] = static_cast<float>(sum / total);
  }
  return mean;
}

}  // namespace

LogitsFile mean_logits(const std::vector<EnsembleMember>& members) {
  check_members(members);
  const LogitsFile& first = members.front().logits;
  return {first.identity, weighted_mean(members, &LogitsFile::start),
          weighted_mean(members, &LogitsFile::end), first.offsets};
}

}  // namespace expctl
