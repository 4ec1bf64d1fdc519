#include "core/early_stop.h"

#include <catch2/catch.hpp>

using namespace expctl;

TEST_CASE("early stop: rungs are fractions of a training, each a reduction after the one before", "[core]") {
  const EarlyStopSpec asha{"asha", 0.2, 3};
  CHECK(rung_steps(asha, 1000) == std::vector<int64_t>{200, 600});
  CHECK(rung_steps(asha, 10) == std::vector<int64_t>{2, 6});
  CHECK(rung_steps(asha, 3) == std::vector<int64_t>{1, 2});
  CHECK(rung_steps({"asha", 0.01, 2}, 100) == std::vector<int64_t>{1, 2, 4, 8, 16, 32, 64});
  CHECK(rung_steps({"none", 0.2, 3}, 1000).empty());
}

TEST_CASE("early stop: a rung is before the end, and no step has two", "[core]") {
  CHECK(rung_steps({"asha", 0.2, 3}, 1).empty());
  CHECK(rung_steps({"asha", 0.95, 3}, 10).empty());                           // step 10, rounded up
  CHECK(rung_steps({"asha", 0.01, 3}, 10) == std::vector<int64_t>{1, 3, 9});  // 0.1, 0.3, 0.9, 2.7 and 8.1
}

TEST_CASE("early stop: what is written reads back, and what is not there is as by default", "[core]") {
  const EarlyStopSpec spec{"asha", 0.125, 4};
  CHECK(early_stop_from_json(to_json(spec), "x.json") == spec);
  CHECK(early_stop_from_json(Json::object(), "x.json") == EarlyStopSpec{});
}
