#include "reports/leaderboard.h"

#include <catch2/catch.hpp>

#include "core/text.h"

using namespace expctl;

namespace {

RunRecord run(const std::string& id, std::optional<double> f1, std::optional<double> exact_match = {}) {
  RunRecord record;
  record.id = id;
  record.f1 = f1;
  record.exact_match = exact_match;
  record.seed = 42;
  return record;
}

std::string ids(const std::vector<RunRecord>& runs) {
  std::vector<std::string> out;
  for (const auto& r : runs) out.push_back(r.id);
  return join(out, " ");
}

}  // namespace

TEST_CASE("leaderboard: F1, then exact match, then age, unscored last", "[reports]") {
  CHECK(ids(ranked({run("run1", {}), run("run2", 80.0, 70.0), run("run3", 90.0, 60.0),
                    run("run4", 80.0, 71.0), run("run5", 80.0, 70.0), run("run6", 0.0, 0.0)})) ==
        "run3 run4 run2 run5 run6 run1");
}

TEST_CASE("leaderboard: F1 is compared with every digit", "[reports]") {
  CHECK(ids(ranked({run("run1", 88.61239393038588), run("run2", 88.61239393038589)})) == "run2 run1");
}

TEST_CASE("leaderboard: the other orders", "[reports]") {
  auto a = run("run1", 80.0, 70.0), b = run("run2", 90.0, 60.0);
  a.name = "z";
  b.name = "y";
  b.state = RunState::kFailed;
  CHECK(ids(sorted({a, b}, RunSort::kId)) == "run1 run2");
  CHECK(ids(sorted({a, b}, RunSort::kF1)) == "run2 run1");
  CHECK(ids(sorted({a, b}, RunSort::kExactMatch)) == "run1 run2");
  CHECK(ids(sorted({b, a}, RunSort::kState)) == "run1 run2");
  CHECK(ids(sorted({a, b}, RunSort::kName)) == "run2 run1");
}

TEST_CASE("leaderboard: parameters of runs and ensembles as people write them", "[reports]") {
  auto r = run("run1", {});
  r.params = {{"learning_rate", 3e-5}, {"schedule", "cosine"}, {"batch_size", 12}};
  CHECK(params_text(r) == "learning_rate=3e-05 schedule=cosine batch_size=12 seed=42");
  auto e = run("ens1", {});
  e.spec = {{"members", {{{"id", "run3"}, {"weight", 1.0}}, {{"id", "run5"}, {"weight", 1.0}}}}};
  CHECK(params_text(e) == "run3 + run5");
  e.spec["members"][0]["weight"] = 2.5;
  CHECK(params_text(e) == "2.5 x run3 + 1.0 x run5");
}

TEST_CASE("leaderboard: the table and the JSON of a list", "[reports]") {
  auto failed = run("run2", {});
  failed.state = RunState::kFailed;
  failed.reason = FailReason::kTimedOut;
  auto good = run("run1", 73.6, 60.8);
  good.state = RunState::kSucceeded;
  good.name = failed.name = "lr";
  CHECK(runs_table({good, failed}) ==
        "id    state                   F1       EM  name  parameters\n"
        "run1  succeeded          73.6000  60.8000  lr    seed=42\n"
        "run2  failed: timed_out        -        -  lr    seed=42\n");
  const Json json = runs_json({good, failed});
  CHECK(json["schema_version"] == 1);
  CHECK(
      json_line(json["runs"][0]) ==
      R"({"id":"run1","state":"succeeded","reason":"","name":"lr","params":{},"seed":42,"f1":73.6,"exact_match":60.8})");
  CHECK(json["runs"][1]["f1"].is_null());
  CHECK(json["runs"][1]["reason"] == "timed_out");
}
