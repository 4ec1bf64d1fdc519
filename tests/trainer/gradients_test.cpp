#include "trainer/gradients.h"

#include "tests/support/support.h"

using namespace expctl;

TEST_CASE("gradients: the norm is over all of them, and what has none counts nothing", "[trainer]") {
  Parameters parameters{
      {"a", torch::ones({2})}, {"b", torch::ones({1, 2})}, {"without", torch::full({3}, 100.0f)}};
  parameters["a"].mutable_grad() = torch::tensor(std::vector<float>{3.0f, 4.0f});
  CHECK(gradient_norm(parameters) == Approx(5.0));
  parameters["b"].mutable_grad() = torch::full({1, 2}, 12.0f / std::sqrt(2.0f));
  CHECK(gradient_norm(parameters) == Approx(13.0));
}

TEST_CASE("gradients: clipping scales only what is above the limit, and 0 is no limit", "[trainer]") {
  CHECK(clip_scale(0.5, 1.0) == 1.0);
  CHECK(clip_scale(4.0, 1.0) == Approx(0.25).epsilon(1e-6));
  CHECK(clip_scale(4.0, 0.0) == 1.0);
}
