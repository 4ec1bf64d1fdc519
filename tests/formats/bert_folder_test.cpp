#include "formats/bert_folder.h"

#include "core/files.h"
#include "core/json.h"
#include "core/run_paths.h"
#include "tests/support/support.h"

using namespace expctl;
using namespace expctl::test;

TEST_CASE("bert_folder: four files, and a model with a span head is a BertForQuestionAnswering",
          "[formats]") {
  const TempDir dir;
  const std::vector<float> values{1, 2};
  write_bert_folder(dir / "with", {}, "a\nb\n", {{"qa_outputs.weight", view_of(values, {2})}});
  write_bert_folder(dir / "without", {}, "a\nb\n", {{"x", view_of(values, {2})}});
  const CheckpointPaths with{dir / "with"};
  CHECK(read_json(with.config())["architectures"][0] == "BertForQuestionAnswering");
  CHECK(read_json(with.config())["model_type"] == "bert");
  CHECK(read_json(CheckpointPaths{dir / "without"}.config())["architectures"][0] == "BertModel");
  CHECK(read_file(with.vocab()) == "a\nb\n");
  CHECK(read_json(with.tokenizer_config())["do_lower_case"] == true);
  const auto weights = SafeTensors::read(with.weights());
  CHECK(weights.at("qa_outputs.weight").copy_as<float>() == values);
  CHECK(weights.metadata().at("format") == "pt");
}
