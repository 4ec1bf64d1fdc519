#include "squad/paired_bootstrap.h"

#include <algorithm>
#include <cmath>

#include "core/counter_random.h"
#include "core/distributions.h"
#include "core/error.h"

namespace expctl {
namespace {

struct Group {
  double gain = 0;  ///< percent points, of all its questions
  double questions = 0;
};

/// The part of the samples below a 95 % interval: less than 2.5 % where groups are few, of which a bootstrap
/// makes the variance too small and knows nothing of Student's t.
double tail_part(double groups) {
  constexpr double kTail = 0.025;
  if (groups < 2) return kTail;
  return normal_probability(std::sqrt(groups / (groups - 1)) * student_t_quantile(kTail, groups - 1));
}

}  // namespace

PairedDifference paired_difference(const Score& first, const Score& second,
                                   const std::vector<size_t>& group_of, int samples, uint64_t seed) {
  const size_t count = first.questions.size();
  if (count == 0 || second.questions.size() != count)
    throw Error("scores of different questions cannot be compared");
  PairedDifference difference;
  std::vector<Group> groups(group_of.empty() ? count
                                             : *std::max_element(group_of.begin(), group_of.end()) + 1);
  double sum = 0;
  for (size_t i = 0; i < count; ++i) {
    if (first.questions[i].id != second.questions[i].id)
      throw Error("scores of different questions cannot be compared");
    const double gain = 100 * (second.questions[i].f1 - first.questions[i].f1);
    Group& group = groups[group_of.empty() ? i : group_of[i]];
    group.gain += gain;
    group.questions += 1;
    sum += gain;
    ++(gain > 0 ? difference.won : gain < 0 ? difference.lost : difference.alike);
  }
  difference.f1 = sum / static_cast<double>(count);
  CounterRandom random(seed);
  std::vector<double> means;
  for (int sample = 0; sample < samples; ++sample) {
    Group drawn;
    for (size_t i = 0; i < groups.size(); ++i) {
      const Group& group = groups[random.below(groups.size())];
      drawn.gain += group.gain;
      drawn.questions += group.questions;
    }
    means.push_back(drawn.questions > 0 ? drawn.gain / drawn.questions : 0);
  }
  std::sort(means.begin(), means.end());
  const double tail = tail_part(static_cast<double>(groups.size()));
  const auto at = [&](double part) {
    return means[static_cast<size_t>(std::lround(part * static_cast<double>(means.size() - 1)))];
  };
  difference.low = at(tail);
  difference.high = at(1 - tail);
  return difference;
}

}  // namespace expctl
