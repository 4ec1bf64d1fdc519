#include "squad/paired_bootstrap.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/counter_random.h"
#include "core/error.h"

namespace expctl {

PairedDifference paired_difference(const Score& first, const Score& second, int samples, uint64_t seed) {
  const size_t count = first.questions.size();
  if (count == 0 || second.questions.size() != count)
    throw Error("scores of different questions cannot be compared");
  PairedDifference difference;
  std::vector<double> gains;
  double sum = 0;
  for (size_t i = 0; i < count; ++i) {
    if (first.questions[i].id != second.questions[i].id)
      throw Error("scores of different questions cannot be compared");
    gains.push_back(100 * (second.questions[i].f1 - first.questions[i].f1));
    sum += gains.back();
    ++(gains.back() > 0 ? difference.won : gains.back() < 0 ? difference.lost : difference.alike);
  }
  difference.f1 = sum / static_cast<double>(count);
  CounterRandom random(seed);
  std::vector<double> means;
  for (int sample = 0; sample < samples; ++sample) {
    double drawn = 0;
    for (size_t i = 0; i < count; ++i) drawn += gains[random.below(count)];
    means.push_back(drawn / static_cast<double>(count));
  }
  std::sort(means.begin(), means.end());
  constexpr double kTail = 0.025;
  const auto at = [&](double part) {
    return means[static_cast<size_t>(std::lround(part * static_cast<double>(means.size() - 1)))];
  };
  difference.low = at(kTail);
  difference.high = at(1 - kTail);
  return difference;
}

}  // namespace expctl
