#include "reports/leaderboard.h"

#include <catch2/catch.hpp>

#include "core/text.h"
#include "reports/config_stats.h"
#include "reports/runs_csv.h"

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

TEST_CASE("leaderboard: seeds of a config side by side, with the sample's standard deviation", "[reports]") {
  auto a = run("run1", 80.0), b = run("run2", 90.0), c = run("run3", {}), d = run("run4", 86.0),
       e = run("ens1", 99.0);
  a.config_hash = b.config_hash = c.config_hash = "x";
  d.config_hash = "y";
  a.params = {{"learning_rate", 3e-5}};
  const auto configs = config_stats({a, b, c, d, e});
  REQUIRE(configs.size() == 2);
  CHECK(configs[0].ids == std::vector<std::string>{"run4"});
  CHECK(configs[1].ids == std::vector<std::string>{"run2", "run1", "run3"});
  CHECK(configs[1].scored == 2);
  CHECK(configs[1].mean_f1 == 85.0);
  CHECK(configs[1].sd_f1 == Approx(7.0710678118654755));  // numpy.std([80, 90], ddof=1)
  CHECK(config_table(configs) ==
        "mean F1      sd  scored  best  name  parameters\n"
        "86.0000       -  1 of 1  run4\n"
        "85.0000  7.0711  2 of 3  run2        learning_rate=3e-05\n");
}

TEST_CASE("leaderboard: CSV has every digit, and quotes what has to be quoted", "[reports]") {
  auto a = run("run1", 88.61239393038588, 81.0), b = run("run2", {});
  a.name = "say \"x\", y";
  a.params = {{"learning_rate", 3e-5}};
  b.params = {{"epochs", 2}};
  CHECK(runs_csv({a, b}) ==
        "id,state,reason,name,seed,f1,exact_match,learning_rate,epochs\n"
        "run1,queued,,\"say \"\"x\"\", y\",42,88.61239393038588,81.0,3e-05,\n"
        "run2,queued,,,42,,,,2\n");
}

TEST_CASE("leaderboard: CSV of everything has sweep, times, tags and unswept parameters", "[reports]") {
  auto a = run("run1", 88.5, 81.0), b = run("ens1", {});
  a.sweep_id = "sweep1";
  a.created = 1000.5;
  a.attempts = 2;
  a.tags = {"best", "first"};
  a.params = {{"learning_rate", 3e-5}};
  a.spec = {{"train", {{"epochs", 2.0}, {"learning_rate", 3e-5}, {"seed", 42}}}};
  b.spec = {{"method", "logits"}, {"members", {{{"id", "run3"}, {"weight", 1.0}}}}};
  CHECK(all_csv({a, b}) ==
        "id,sweep,state,reason,name,seed,f1,exact_match,attempts,created,started,ended,tags,config_mean_f1,"
        "config_sd_f1,config_scored,config_gap_low,config_gap_high,epochs,learning_rate,method,members\n"
        "run1,sweep1,queued,,,42,88.5,81.0,2,1000.5,,,best first,,,,,,2.0,3e-05,,\n"
        "ens1,,queued,,,42,,,0,,,,,,,,,,,,logits,run3\n");
}

TEST_CASE("leaderboard: CSV of everything has what is known of a run's config", "[reports]") {
  auto a = run("run1", 90, 80), b = run("run2", 91, 80), c = run("run3", 80, 70), d = run("run4", 81, 70);
  for (auto* one : {&a, &b, &c, &d}) one->spec = to_json(RunSpec{});
  for (auto* one : {&a, &b}) one->config_hash = "first";
  for (auto* one : {&c, &d}) one->config_hash = "second";
  b.seed = d.seed = 43;
  const std::string text = all_csv({a, b, c, d});
  // Both differ by the seed as much, so nothing is unsure.
  CHECK_THAT(text, Catch::Contains("42,90.0,80.0,0,,,,,90.5,0.7071067811865476,2,0.0,10.0\n"));
  CHECK_THAT(text, Catch::Contains("43,81.0,70.0,0,,,,,80.5,0.7071067811865476,2,-10.0,0.0\n"));
}

TEST_CASE("leaderboard: parameters of runs and ensembles as people write them", "[reports]") {
  auto r = run("run1", {});
  r.params = {{"learning_rate", 3e-5}, {"schedule", "cosine"}, {"batch_size", 12}};
  r.sweep_id = "sweep1";
  CHECK(params_text(r) == "learning_rate=3e-05 schedule=cosine batch_size=12 seed=42");
  auto e = run("ens1", {});
  e.spec = {{"members", {{{"id", "run3"}, {"weight", 1.0}}, {{"id", "run5"}, {"weight", 1.0}}}}};
  CHECK(params_text(e) == "run3 + run5");
  e.spec["members"][0]["weight"] = 2.5;
  CHECK(params_text(e) == "2.5 x run3 + run5");
  auto i = run("run2", {});
  i.spec = {{"config_folder", "/results/theirs"}};
  CHECK(params_text(i) == "imported from /results/theirs");
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
  auto running = run("run3", {});
  running.state = RunState::kRunning;
  CHECK(runs_table({good, running}, {}, [](const RunRecord& r) { return r.id + " trains"; }) ==
        "id    state                      F1       EM  name  parameters\n"
        "run1  succeeded             73.6000  60.8000  lr    seed=42\n"
        "run3  running, run3 trains        -        -        seed=42\n");
  const Json json = runs_json({good, failed});
  CHECK(json["schema_version"] == 1);
  CHECK(
      json_line(json["runs"][0]) ==
      R"({"id":"run1","state":"succeeded","reason":"","name":"lr","params":{},"seed":42,"f1":73.6,"exact_match":60.8})");
  CHECK(json["runs"][1]["f1"].is_null());
  CHECK(json["runs"][1]["reason"] == "timed_out");
}
