#include "formats/new_head.h"

#include <algorithm>
#include <cmath>

#include "tests/support/support.h"

using namespace expctl;

namespace {

double mean(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value);
  return sum / static_cast<double>(values.size());
}

/// Of two streams with mean 0 and deviation 0.02.
double correlation(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  const size_t count = std::min(a.size(), b.size());
  for (size_t i = 0; i < count; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum / static_cast<double>(count) / (0.02 * 0.02);
}

}  // namespace

TEST_CASE("new_head: weights are normal with deviation 0.02, each of a stream of its own, biases 0",
          "[formats]") {
  const TensorShape dense{"qa_head.dense.weight", {96, 96}}, outputs{"qa_outputs.weight", {2, 768}};
  const auto values = new_head_values(dense, 7), of_outputs = new_head_values(outputs, 7);
  REQUIRE(values.size() == 96 * 96);
  CHECK(mean(values) == Approx(0).margin(4 * 0.02 / 96));  // four deviations of a mean of so many
  CHECK(std::sqrt(correlation(values, values)) == Approx(1).epsilon(0.03));
  CHECK(std::abs(correlation(values, of_outputs)) < 4 / std::sqrt(1536.0));
  CHECK(std::abs(correlation(values, new_head_values(dense, 8))) < 4 / 96.0);
  CHECK(values == new_head_values(dense, 7));
  for (const auto& bias : {TensorShape{"qa_head.dense.bias", {96}}, TensorShape{"qa_outputs.bias", {2}}})
    CHECK(new_head_values(bias, 7) == std::vector<float>(static_cast<size_t>(bias.shape[0]), 0.0f));
}
