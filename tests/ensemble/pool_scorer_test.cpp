#include "ensemble/pool_scorer.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "squad/answer_files.h"
#include "tests/ensemble/random_pool.h"

using namespace expctl;
using namespace expctl::test;

TEST_CASE("pool scorer: the F1 of every question is that of decoding the mean and scoring its answers",
          "[ensemble]") {
  for (const std::string decode : {"run_squad", "run_qa"}) {
    for (const Method method : {Method::kLogits, Method::kProbabilities}) {
      const AnswerSpace space = small_space(decode);
      std::vector<LogitsMember> members;
      for (uint64_t i = 0; i < 4; ++i)
        members.push_back(random_member(space, "run" + std::to_string(i), i, 2 + static_cast<double>(i)));
      const Blend blend(members, method, space.question_tokens());
      PoolScorer scorer(space, blend);
      for (const std::vector<double>& weights :
           std::vector<std::vector<double>>{{1, 1, 1, 1}, {0, 1, 0, 3}, {1, 0, 0, 0}, {1, 1, 1, 1}}) {
        const auto fast = scorer.question_f1(weights);
        const auto score = score_answers(space.dataset, space.decode(blend.mean(weights)));
        REQUIRE(score);
        CHECK(score->f1 > 10);
        CHECK(score->f1 < 99);
        REQUIRE(fast.size() == score->questions.size());
        for (size_t i = 0; i < fast.size(); ++i) {
          INFO(decode << ", " << name_of(method) << ", question " << i);
          CHECK(fast[i] == score->questions[i].f1);
        }
      }
    }
  }
}
