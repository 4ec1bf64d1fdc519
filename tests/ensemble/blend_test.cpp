#include "ensemble/blend.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/error.h"

using namespace expctl;
using Catch::Matchers::Contains;

namespace {

/// Two features, of one question where `question_tokens` says so.
LogitsMember member(const std::string& id, std::vector<float> start, double scale = 1) {
  LogitsFile logits;
  logits.identity = {"d", "f", "384", "128", "overlap"};
  logits.end = start;
  for (auto& value : logits.end) value += 100;
  logits.offsets = {0, 2, static_cast<int64_t>(start.size())};
  logits.start = std::move(start);
  return {id, scale, logits};
}

LogitsFile mean_of(std::vector<LogitsMember> members, const std::vector<double>& weights,
                   Method method = Method::kLogits, const std::vector<size_t>& question_tokens = {0, 3}) {
  return Blend(std::move(members), method, question_tokens).mean(weights);
}

}  // namespace

TEST_CASE("blend: start and end logits are averaged token by token", "[ensemble]") {
  const auto mean = mean_of({member("run1", {1, 2, 3}), member("run2", {3, 2, 0})}, {1, 1});
  CHECK(mean.start == std::vector<float>{2, 2, 1.5});
  CHECK(mean.end == std::vector<float>{102, 102, 101.5});
  CHECK(mean.offsets == std::vector<int64_t>{0, 2, 3});
  CHECK(mean.identity.window == "overlap");
}

TEST_CASE("blend: weights count relatively to their sum, and 0 leaves a member out", "[ensemble]") {
  const std::vector<LogitsMember> members = {member("run1", {1, 2, 4}), member("run2", {5, 2, 0})};
  CHECK(mean_of(members, {3, 1}).start == std::vector<float>{2, 2, 3});
  CHECK(mean_of(members, {300, 100}).start == std::vector<float>{2, 2, 3});
  CHECK(mean_of(members, {0, 1}).start == std::vector<float>{5, 2, 0});
}

TEST_CASE("blend: a mean of equal members is the member, bit for bit", "[ensemble]") {
  const std::vector<float> values = {0.1F, -7.3e-5F, 3e8F};
  CHECK(mean_of({member("run1", values), member("run2", values), member("run3", values)}, {1, 1, 1}).start ==
        values);
}

TEST_CASE("blend: a scale multiplies a member's logits", "[ensemble]") {
  CHECK(mean_of({member("run1", {1, 2, 4}, 2), member("run2", {2, 4, 8})}, {1, 1}).start ==
        std::vector<float>{2, 4, 8});
}

TEST_CASE("blend: probabilities are a softmax over all windows of a question, their mean a logarithm",
          "[ensemble]") {
  const std::vector<LogitsMember> members = {member("run1", {0, 1, 2}), member("run2", {2, 0, 1}, 0.5)};
  const auto joint = mean_of(members, {1, 3}, Method::kProbabilities);
  const double sum1 = 1 + std::exp(1) + std::exp(2), sum2 = std::exp(1) + 1 + std::exp(0.5);
  CHECK(joint.start[0] == Approx(std::log(0.25 / sum1 + 0.75 * std::exp(1) / sum2)).epsilon(1e-6));
  CHECK(joint.start[2] ==
        Approx(std::log(0.25 * std::exp(2) / sum1 + 0.75 * std::exp(0.5) / sum2)).epsilon(1e-6));
  CHECK(joint.end[1] == Approx(std::log(0.25 * std::exp(1) / sum1 + 0.75 / sum2)).epsilon(1e-6));
  // Of two questions each has all of the mass.
  const auto apart = mean_of(members, {1, 3}, Method::kProbabilities, {0, 2, 3});
  CHECK(apart.start[2] == 0.0F);
}

TEST_CASE("blend: what no member gives any mass stays finite", "[ensemble]") {
  const auto mean = mean_of({member("run1", {0, -200, -300}), member("run2", {0, -200, -300})}, {1, 1},
                            Method::kProbabilities);
  CHECK(mean.start[0] == 0.0F);
  CHECK(std::isfinite(mean.start[2]));
}

TEST_CASE("blend: a part is what it is of the whole", "[ensemble]") {
  std::vector<float> a(5000), b(5000);
  for (size_t i = 0; i < a.size(); ++i) {
    a[i] = static_cast<float>(i) / 7;
    b[i] = 3 / (1 + static_cast<float>(i));
  }
  const Blend blend({member("run1", a), member("run2", b)}, Method::kLogits, {0, 5000});
  const auto whole = blend.mean({1, 2});
  std::vector<float> start(900), end(900);
  blend.mean({1, 2}, 700, 1600, start.data(), end.data());
  CHECK(std::equal(start.begin(), start.end(), whole.start.begin() + 700));
  CHECK(std::equal(end.begin(), end.end(), whole.end.begin() + 700));
}

TEST_CASE("blend: members over different features are refused, with both ids and what differs",
          "[ensemble]") {
  auto other = member("run7", {1, 2, 3});
  other.logits.identity.doc_stride = "64";
  other.logits.identity.features_sha256 = "0123456789abcdef0123456789abcdef";
  CHECK_THROWS_WITH(mean_of({member("run1", {1, 2, 3}), other}, {1, 1}),
                    "run1 and run7 are over different features: doc_stride: 128 and 64; features_sha256: f "
                    "and 0123456789ab...");
  auto longer = member("run7", {1, 2, 3});
  longer.logits.offsets = {0, 1, 3};
  CHECK_THROWS_WITH(mean_of({member("run1", {1, 2, 3}), longer}, {1, 1}),
                    Contains("their features have other lengths"));
}

TEST_CASE("blend: logits that are not finite are refused, naming the member", "[ensemble]") {
  CHECK_THROWS_WITH(mean_of({member("run1", {1, 2, 3}), member("run2", {1, NAN, 3})}, {1, 1}),
                    Contains("token 1 of the logits of run2") && Contains("not finite"));
}

TEST_CASE("blend: weights that are no weights are refused", "[ensemble]") {
  for (const double weight : {0.0, -1.0, 1e300, static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
    CHECK_THROWS_WITH(check_weight("run2", weight), Contains("the weight of run2"));
    CHECK_THROWS_WITH(check_scale("run2", weight), Contains("the scale of run2"));
  }
  for (const double weight : {1e-300, 0.5, 1e12}) {
    CHECK_NOTHROW(check_weight("run2", weight));
    CHECK_NOTHROW(check_scale("run2", weight));
  }
}
