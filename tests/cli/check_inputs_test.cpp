#include "cli/check_inputs.h"

#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "tests/support/one_question.h"
#include "tests/support/support.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Contains;

namespace {

/// A command's run on one question, under rules that prescribe data of their own.
struct Inputs {
  TempDir dir;
  RunSpec spec;

  Inputs() {
    write_file(dir / "train.json",
               R"({"version":"1.1","data":[{"title":"t","paragraphs":[{"context":"a b","qas":[)"
               R"({"id":"x1","question":"a?","answers":[{"text":"a","answer_start":0}]}]}]}]})");
    write_file(dir / "dev.json", kOneQuestion);
    spec.command.argv = {"true"};
    spec.train_data.path = dir / "train.json";
    spec.dev_data.path = dir / "dev.json";
    write_rules("", "");
  }

  void write_rules(const std::string& train, const std::string& dev) {
    write_file(dir / "rules.json",
               json_text({{"name", "own"},
                          {"train_data", {{"file", "their-train.json"}, {"sha256", train}}},
                          {"dev_data", {{"file", "their-dev.json"}, {"sha256", dev}}},
                          {"dev_data_kept_out", true}}));
    spec.rules = dir / "rules.json";
  }
};

}  // namespace

TEST_CASE("check_inputs: data that the rules do not prescribe is said before anything is trained", "[cli]") {
  Inputs inputs;
  CHECK(check_inputs({inputs.spec}).empty());
  const auto hash = [&](const char* file) { return sha256_file(inputs.dir / file); };
  inputs.write_rules(hash("train.json"), hash("dev.json"));
  CHECK(check_inputs({inputs.spec}).empty());
  inputs.write_rules(hash("dev.json"), hash("train.json"));
  const auto warnings = check_inputs({inputs.spec});
  REQUIRE(warnings.size() == 2);
  CHECK_THAT(warnings[0],
             Contains("train.json: it is not the their-train.json that the rules own prescribe"));
  CHECK_THAT(warnings[1], Contains("dev.json: it is not the their-dev.json"));
}

TEST_CASE(
    "check_inputs: dev data in the training data is an error under rules that forbid it, else a warning",
    "[cli]") {
  Inputs inputs;
  inputs.spec.train_data.path = inputs.spec.dev_data.path;
  CHECK_THROWS_WITH(check_inputs({inputs.spec}), Contains("share 1 question and 1 context ("));
  inputs.spec.rules = "none";
  const auto warnings = check_inputs({inputs.spec});
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], Contains("the dev scores will say little"));
}

TEST_CASE("check_inputs: dev data without answers is an error where scores decide, else a warning", "[cli]") {
  Inputs inputs;
  write_file(inputs.dir / "dev.json",
             R"({"version":"1.1","data":[{"title":"d","paragraphs":[{"context":"c d","qas":[)"
             R"({"id":"d1","question":"c?","answers":[]}]}]}]})");
  inputs.spec.rules = "none";
  const auto warnings = check_inputs({inputs.spec});
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], Contains("no run will be scored"));
  CHECK_THROWS_WITH(check_inputs({inputs.spec}, true), Contains("no run could be scored"));
  inputs.spec.early_stop.method = "asha";
  CHECK_THROWS_WITH(check_inputs({inputs.spec}), Contains("no run could be scored"));
}

TEST_CASE("check_inputs: a parameter that the command does not name is said", "[cli]") {
  Inputs inputs;
  inputs.spec.command.argv = {"train", "--lr={learning_rate}", "--epochs", "2"};
  inputs.spec.params = {{"epochs", 3}, {"gpus", 1}, {"learning_rate", 3e-5}};
  const auto warnings = check_inputs({inputs.spec});
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], Contains("no argument of the command has {epochs}"));
}
