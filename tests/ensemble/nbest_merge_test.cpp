#include "ensemble/nbest_merge.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "core/error.h"

using namespace expctl;
using Catch::Matchers::Contains;

namespace {

const Dataset kDataset{"1.1", {{"T", {{"a b c", {{"q1", "q", {}}}}}}}};

NBestMember member(const std::string& id, std::vector<NBestEntry> answers, double weight = 1) {
  return {id, weight, {{"q1", std::move(answers)}}};
}

std::vector<std::string> texts(const std::vector<QuestionPrediction>& answers) {
  std::vector<std::string> all;
  for (const auto& entry : answers.at(0).nbest) all.push_back(entry.text);
  return all;
}

}  // namespace

TEST_CASE("n-best merge: probabilities are averaged text by text", "[ensemble]") {
  const auto merged = merge_nbest({member("run1", {{"a", 0.6, 0, 0}, {"b", 0.4, 0, 0}}),
                                   member("run2", {{"c", 0.5, 0, 0}, {"b", 0.5, 0, 0}})},
                                  kDataset, 20);
  CHECK(texts(merged) == std::vector<std::string>{"b", "a", "c"});
  const auto& best = merged[0].nbest;
  CHECK(best[0].probability == Approx(0.45));
  CHECK(best[1].probability == Approx(0.3));
  CHECK(std::exp(best[0].start_logit + best[0].end_logit) == Approx(0.45));
}

TEST_CASE("n-best merge: one member alone keeps its answers and their order", "[ensemble]") {
  const auto merged =
      merge_nbest({member("run1", {{"a", 0.5, 0, 0}, {"b", 0.25, 0, 0}, {"c", 0.25, 0, 0}})}, kDataset, 20);
  CHECK(texts(merged) == std::vector<std::string>{"a", "b", "c"});
  CHECK(merged[0].nbest[1].probability == 0.25);
}

TEST_CASE("n-best merge: of equal answers those of the earlier member come first, in its order",
          "[ensemble]") {
  std::vector<NBestEntry> first, second;
  std::vector<std::string> all;
  for (int i = 0; i < 40; ++i) {
    auto& part = i < 20 ? first : second;
    part.push_back({"w" + std::to_string(i * 7 % 40), 0.05, 0, 0});
    all.push_back(part.back().text);
  }
  CHECK(texts(merge_nbest({member("run1", first), member("run2", second)}, kDataset, 40)) == all);
}

TEST_CASE("n-best merge: weights, and no more answers than asked for", "[ensemble]") {
  const auto merged = merge_nbest(
      {member("run1", {{"a", 1, 0, 0}}, 1), member("run2", {{"b", 0.75, 0, 0}, {"c", 0.25, 0, 0}}, 3)},
      kDataset, 2);
  CHECK(texts(merged) == std::vector<std::string>{"b", "a"});
  CHECK(merged[0].nbest[0].probability == Approx(0.5625 / 0.8125));
}

TEST_CASE("n-best merge: a member without answers to a question is refused", "[ensemble]") {
  CHECK_THROWS_WITH(merge_nbest({member("run1", {{"a", 1, 0, 0}}), {"run7", 1, {}}}, kDataset, 20),
                    "run7 has no answers to question 'q1'");
}

TEST_CASE("n-best merge: a member of weight 0 is not there", "[ensemble]") {
  const auto merged = merge_nbest(
      {member("run1", {{"a", 1, 0, 0}}), member("run2", {{"b", 1, 0, 0}}, 0), {"run3", 0, {}}}, kDataset, 20);
  CHECK(texts(merged) == std::vector<std::string>{"a"});
}
