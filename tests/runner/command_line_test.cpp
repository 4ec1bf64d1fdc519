#include "runner/command_line.h"

#include "core/error.h"
#include "tests/support/support.h"

using namespace expctl;

TEST_CASE("placeholders of a command are filled in", "[runner]") {
  RunSpec spec;
  spec.params = {{"learning_rate", 3e-5}, {"epochs", 2}, {"fp16", true}, {"mode", "a b"}};
  spec.train.seed = 7;
  spec.config_folder = "/sweeps";
  spec.dev_data.path = "/data/dev.json";
  const auto values = command_values(spec, "run3", "/w/run3");
  struct Row {
    std::string argument, filled;
  };
  const std::vector<Row> rows = {
      {"plain", "plain"},
      {"{learning_rate}", "3e-05"},
      {"--epochs={epochs}", "--epochs=2"},
      {"{fp16}", "true"},
      {"{mode}", "a b"},
      {"{run_dir}/{run_id}/{seed}", "/w/run3/run3/7"},
      {"{{\"e\": {epochs}}", "{\"e\": 2}"},
      {"a}b", "a}b"},
      {"{sweep_dir}/train.py", "/sweeps/train.py"},
      {"--dev={dev_file}", "--dev=/data/dev.json"},
      {"", ""},
  };
  for (const auto& row : rows)
    CHECK(fill_command({row.argument}, values) == std::vector<std::string>{row.filled});
}

TEST_CASE("a command that cannot be filled in is refused", "[runner]") {
  RunSpec spec;
  spec.params = {{"learning_rate", 3e-5}};
  const auto values = command_values(spec, "run1", "/w/run1");
  CHECK_THROWS_WITH(fill_command({"{lerning_rate}"}, values),
                    Catch::Contains("did you mean 'learning_rate'"));
  CHECK_THROWS_AS(fill_command({"{}"}, values), Error);
  // Not an empty word in the place of a file that the sweep does not name.
  CHECK_THROWS_WITH(fill_command({"--train={train_file}"}, values),
                    "command argument '--train={train_file}': the sweep file names no [data] train");
  CHECK_THROWS_WITH(fill_command({"a{seed"}, values), Catch::Contains("without"));
}
