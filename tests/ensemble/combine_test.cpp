#include "ensemble/combine.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/error.h"

using namespace expctl;
using Catch::Matchers::Contains;

namespace {

EnsembleMember member(const std::string& id, std::vector<float> start, double weight = 1) {
  LogitsFile logits;
  logits.identity = {"d", "f", "384", "128", "overlap"};
  logits.end = start;
  for (auto& value : logits.end) value += 100;
  logits.offsets = {0, 2, static_cast<int64_t>(start.size())};
  logits.start = std::move(start);
  return {id, weight, logits};
}

}  // namespace

TEST_CASE("combine: start and end logits are averaged token by token", "[ensemble]") {
  const auto mean = mean_logits({member("run1", {1, 2, 3}), member("run2", {3, 2, 0})});
  CHECK(mean.start == std::vector<float>{2, 2, 1.5});
  CHECK(mean.end == std::vector<float>{102, 102, 101.5});
  CHECK(mean.offsets == std::vector<int64_t>{0, 2, 3});
  CHECK(mean.identity.window == "overlap");
}

TEST_CASE("combine: weights count relatively to their sum", "[ensemble]") {
  const auto light = mean_logits({member("run1", {1, 2, 4}, 3), member("run2", {5, 2, 0}, 1)});
  const auto heavy = mean_logits({member("run1", {1, 2, 4}, 300), member("run2", {5, 2, 0}, 100)});
  CHECK(light.start == std::vector<float>{2, 2, 3});
  CHECK(light.start == heavy.start);
}

TEST_CASE("combine: a mean of equal members is the member, bit for bit", "[ensemble]") {
  const std::vector<float> values = {0.1F, -7.3e-5F, 3e8F};
  CHECK(mean_logits({member("run1", values), member("run2", values), member("run3", values)}).start ==
        values);
}

TEST_CASE("combine: members over different features are refused, with both ids and what differs",
          "[ensemble]") {
  auto other = member("run7", {1, 2, 3});
  other.logits.identity.doc_stride = "64";
  other.logits.identity.features_sha256 = "0123456789abcdef0123456789abcdef";
  CHECK_THROWS_WITH(mean_logits({member("run1", {1, 2, 3}), other}),
                    "run1 and run7 are over different features: doc_stride: 128 and 64; features_sha256: f "
                    "and 0123456789ab...");
  auto longer = member("run7", {1, 2, 3});
  longer.logits.offsets = {0, 1, 3};
  CHECK_THROWS_WITH(mean_logits({member("run1", {1, 2, 3}), longer}),
                    Contains("their features have other lengths"));
}

TEST_CASE("combine: one member, and weights that are no weights, are refused", "[ensemble]") {
  CHECK_THROWS_WITH(mean_logits({member("run1", {1, 2, 3})}), Contains("at least two members"));
  for (const double weight : {0.0, -1.0, static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
    CHECK_THROWS_WITH(mean_logits({member("run1", {1, 2, 3}), member("run2", {1, 2, 3}, weight)}),
                      Contains("the weight of run2"));
  }
}
