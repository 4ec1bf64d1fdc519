#include "experiments/trials.h"

#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "core/error.h"

using namespace expctl;

namespace {

SweepSpec search(const std::string& method, const std::string& space, int64_t trials = 30,
                 const std::string& more = "") {
  return parse_sweep(
      fmt::format("[data]\ndev = \"d.json\"\n[command]\nargv = [\"true\"]\n[sweep]\nmethod = \"{}\"\ntrials "
                  "= {}\n{}[sweep.space]\n{}",
                  method, trials, more, space),
      "s.toml", "/");
}

const std::string kTwo = "x = { min = -1, max = 2 }\ny = { min = 1e-4, max = 1.0, scale = \"log\" }\n";

/// A peak at x = 0.5, y = 0.01.
std::optional<TrialResult> peak(int64_t, const Trial& trial) {
  const Json& params = trial.runs.front().params;
  const double x = params["x"], y = std::log10(params["y"].get<double>());
  return TrialResult{90 - 20 * (x - 0.5) * (x - 0.5) - 5 * (y + 2) * (y + 2)};
}

std::vector<Trial> all_trials(const SweepSpec& sweep, const TrialResults& results = peak) {
  std::vector<Trial> trials;
  extend_trials(sweep, trials, results);
  return trials;
}

std::vector<std::string> params_of(const std::vector<Trial>& trials) {
  std::vector<std::string> texts;
  for (const auto& trial : trials) texts.push_back(trial.runs.front().params.dump());
  return texts;
}

}  // namespace

TEST_CASE("trials: random ones are a function of the file, the first ones whatever their number",
          "[experiments]") {
  const auto twenty = params_of(first_trials(search("random", kTwo, 20)));
  CHECK(twenty.size() == 20);
  CHECK(params_of(first_trials(search("random", kTwo, 20))) == twenty);
  CHECK(params_of(first_trials(search("random", kTwo, 5))) ==
        std::vector<std::string>(twenty.begin(), twenty.begin() + 5));
  const auto other = params_of(first_trials(search("random", kTwo, 20, "sampler_seed = 1\n")));
  for (const auto& params : other) CHECK(std::find(twenty.begin(), twenty.end(), params) == twenty.end());
  // tpe begins as random does.
  CHECK(params_of(first_trials(search("tpe", kTwo, 20, "lag = 10\n"))) ==
        std::vector<std::string>(twenty.begin(), twenty.begin() + 10));
}

TEST_CASE("trials: each has a run for every seed", "[experiments]") {
  const auto sweep = search("random", kTwo, 3, "seeds = [4, 9]\n");
  const auto runs = expand(sweep);
  REQUIRE(runs.size() == 6);
  CHECK(runs[0].train.seed == 4);
  CHECK(runs[1].train.seed == 9);
  CHECK(runs[0].params == runs[1].params);
  CHECK(runs[0].params != runs[2].params);
}

TEST_CASE("trials: of tpe those are known whose inputs are", "[experiments]") {
  for (const int64_t lag : {1, 4, 7}) {
    const auto sweep = search("tpe", kTwo, 30, fmt::format("lag = {}\n", lag));
    CHECK(static_cast<int64_t>(first_trials(sweep).size()) == lag);
    std::vector<Trial> trials;
    // Of the first 12 trials but number 9 the results are there.
    extend_trials(sweep, trials, [](int64_t number, const Trial& trial) {
      return number == 9 || number >= 12 ? std::nullopt : peak(number, trial);
    });
    CHECK(static_cast<int64_t>(trials.size()) == 9 + lag);
    extend_trials(sweep, trials, peak);
    CHECK(trials.size() == 30);
    CHECK(params_of(trials) == params_of(all_trials(sweep)));  // however they came
  }
}

TEST_CASE("trials: results after t - lag do not change trial t, that of t - lag does", "[experiments]") {
  const auto sweep = search("tpe", kTwo, 40, "lag = 4\n");
  const auto trials = params_of(all_trials(sweep));
  for (const int64_t changed : {15, 22, 30}) {
    double best = 0;  // of those before
    const auto others = params_of(all_trials(sweep, [&](int64_t number, const Trial& trial) {
      auto result = peak(number, trial);
      // To the first of the good ones, or from there to the last of the others.
      if (number == changed) result->score = *result->score > best ? 0 : 100;
      best = std::max(best, *result->score);
      return result;
    }));
    const auto first_other =
        std::mismatch(trials.begin(), trials.end(), others.begin()).first - trials.begin();
    CHECK(first_other == changed + sweep.lag);
  }
}

TEST_CASE("trials: tpe concentrates where the scores are", "[experiments]") {
  double best_of_tpe = 0, best_of_random = 0;
  for (int seed = 0; seed < 10; ++seed) {
    const auto best = [&](const std::string& method) {
      double score = 0;
      for (const auto& trial : all_trials(search(method, kTwo, 40, fmt::format("sampler_seed = {}\n", seed))))
        score = std::max(score, *trial.result->score);
      return score;
    };
    best_of_tpe += best("tpe") / 10;
    best_of_random += best("random") / 10;
  }
  CHECK(90 - best_of_tpe < (90 - best_of_random) / 3);
}

TEST_CASE("trials: no config is tried twice while there are others", "[experiments]") {
  for (const std::string method : {"random", "tpe"}) {
    const auto sweep = search(method, "x = [-1, 0, 1, 2]\ny = { min = 1, max = 3, type = \"int\" }\n", 20);
    const auto params = params_of(all_trials(sweep));
    CHECK(params.size() == 20);
    CHECK(std::set<std::string>(params.begin(), params.begin() + 12).size() == 12);
    CHECK(std::set<std::string>(params.begin(), params.end()).size() == 12);
    CHECK(runs_of(all_trials(sweep)).size() == 12);
  }
}

TEST_CASE("trials: impossible combinations are not proposed, and a space of nothing else is an error",
          "[experiments]") {
  const auto native = [](const std::string& lengths) {
    return parse_sweep(
        "[data]\ntrain = \"t\"\ndev = \"d\"\n[model]\ninit = \"m\"\n[sweep]\nmethod = "
        "\"random\"\ntrials = 20\n[sweep.space]\nepochs = { min = 1, max = 3 }\n"
        "max_seq_length = " +
            lengths + "\n",
        "s.toml", "/");
  };
  for (const auto& run : expand(native("[64, 384, 100]"))) CHECK(run.train.max_seq_length == 384);
  CHECK_THROWS_WITH(expand(native("[64, 100]")), Catch::StartsWith("s.toml: doc_stride = 128"));
}

TEST_CASE("trials: the score is the mean of the runs that have one, of failed ones nothing is learnt",
          "[experiments]") {
  const std::optional<RunResult> open, failed = RunResult{}, good = RunResult{80.0}, better = RunResult{90.0};
  CHECK_FALSE(trial_result({good, open}));
  CHECK(trial_result({good, better})->score == 85.0);
  CHECK(trial_result({failed, better})->score == 90.0);
  CHECK(trial_result({failed, failed}));
  CHECK_FALSE(trial_result({failed, failed})->score);
  // They do not count among the ten that the model begins with: it begins where ten are scored.
  const auto first_fail = [](int64_t number, const Trial& trial) {
    return number < 9 ? std::optional<TrialResult>(TrialResult{}) : peak(number, trial);
  };
  const auto random = params_of(all_trials(search("random", kTwo)));
  const auto late = params_of(all_trials(search("tpe", kTwo, 30, "lag = 1\n"), first_fail));
  CHECK(std::mismatch(late.begin(), late.end(), random.begin()).first - late.begin() == 19);
  // With all failed there is nothing to go by: the trials are random ones.
  const auto none = [](int64_t, const Trial&) { return std::optional<TrialResult>(TrialResult{}); };
  CHECK(params_of(all_trials(search("tpe", kTwo), none)) == params_of(all_trials(search("random", kTwo))));
}

TEST_CASE("trials: what was proposed stays so, whatever the results have become since", "[experiments]") {
  const auto sweep = search("tpe", kTwo + "n = { min = 1, max = 9, type = \"int\" }\nk = [true, \"a\"]\n", 20,
                            "lag = 2\nseeds = [1, 2]\n");
  const auto fails_at_5 = [](int64_t number, const Trial& trial) {
    return number == 5 ? std::optional<TrialResult>(TrialResult{}) : peak(number, trial);
  };
  std::vector<Trial> trials;
  extend_trials(sweep, trials, [&](int64_t number, const Trial& trial) {
    return number < 14 ? fails_at_5(number, trial) : std::nullopt;
  });
  REQUIRE(trials.size() == 16);
  std::vector<Json> lines;
  for (size_t i = 0; i < trials.size(); ++i)
    lines.push_back(Json::parse(trial_line(static_cast<int64_t>(i), trials[i], {"run1", "run2"}).dump()));
  CHECK(lines[5].dump().starts_with(R"({"trial":5,"seen":4,"params":{"x":)"));
  CHECK(lines[5].dump().ends_with(R"("runs":["run1","run2"],"ended":true,"f1":null})"));
  CHECK(lines[15].dump().ends_with(R"("ended":false,"f1":null})"));
  auto again = trials_from_lines(sweep, lines, "trials.jsonl");
  REQUIRE(again.size() == 16);
  for (size_t i = 0; i < 16; ++i) {
    CHECK(again[i].config_hash == trials[i].config_hash);
    CHECK(again[i].runs.size() == 2);
    CHECK(again[i].seen == trials[i].seen);
    CHECK_FALSE(again[i].result);
    for (size_t axis = 0; axis < 4; ++axis) CHECK(again[i].point[axis] == Approx(trials[i].point[axis]));
  }
  // Number 5 has a score now: the first 16 are as they were, though others would be proposed.
  extend_trials(sweep, again, peak);
  const auto params = params_of(again);
  CHECK(params.size() == 20);
  CHECK(std::vector<std::string>(params.begin(), params.begin() + 16) == params_of(trials));
  CHECK(params != params_of(all_trials(sweep)));
}

TEST_CASE("trials: lines that are none of the sweep are refused", "[experiments]") {
  const auto sweep = search("tpe", "x = { min = 1, max = 9, type = \"int\" }\nk = [true, \"a\"]\n", 2);
  const auto refusal = [&](const std::string& text) -> std::string {
    try {
      trials_from_lines(sweep, {Json::parse(text, nullptr, false)}, "t.jsonl");
    } catch (const Error& e) {
      return e.what();
    }
    return "accepted";
  };
  const auto line = [](const std::string& params, int number = 0) {
    return fmt::format(R"({{"trial": {}, "seen": 0, "params": {}}})", number, params);
  };
  CHECK(refusal(line(R"({"x": 3, "k": "a"})")) == "accepted");
  for (const std::string params : {R"({"x": 3})", R"({"x": 3, "k": "b"})", R"({"x": 3.5, "k": "a"})",
                                   R"({"x": 10, "k": "a"})", R"({"x": 3, "y": "a"})", "[3]"})
    CHECK(refusal(line(params)) == "t.jsonl:1: not trial 0 of this sweep");
  CHECK(refusal(line(R"({"x": 3, "k": "a"})", 1)) == "t.jsonl:1: not trial 0 of this sweep");
  CHECK_THAT(refusal("{}"), Catch::StartsWith("t.jsonl: "));
  CHECK_THAT(refusal("{"), Catch::StartsWith("t.jsonl: "));
}
