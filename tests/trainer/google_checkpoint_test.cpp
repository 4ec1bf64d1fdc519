// Google's checkpoint through the model: the logits of tests/data/tf-checkpoint/expected.json, which the real
// BERT code computed.
#include "core/json.h"
#include "tests/support/support.h"
#include "trainer/checkpoint.h"
#include "trainer/model.h"

using namespace expctl;
using namespace expctl::test;

TEST_CASE("Google's checkpoint gives the logits that its expected.json holds", "[trainer]") {
  const auto folder = source_dir() / "tests/data/tf-checkpoint";
  const auto checkpoint = load_checkpoint(folder, 0);
  REQUIRE(checkpoint.has_own_head);
  const Json expected = read_json(folder / "expected.json");
  const auto tolerance = expected["tolerance"].get<double>();
  REQUIRE(tolerance == 2e-5);
  const auto model = make_cpu_model(checkpoint.config, Precision::kFp32);
  model->set_parameters(checkpoint.parameters);
  for (const auto& example : expected["cases"]) {
    const auto types = example["token_type_ids"].get<std::vector<int32_t>>();
    Feature feature;
    feature.input_ids = example["input_ids"].get<std::vector<int32_t>>();
    feature.context_begin = static_cast<int32_t>(std::count(types.begin(), types.end(), 0));
    const auto logits = torch::tensor(model->forward(pack({feature}, {0}, 0), {})).view({-1, 2});
    for (const auto& [column, name] : {std::pair(0, "start_logits"), std::pair(1, "end_logits")}) {
      const auto wanted = torch::tensor(example[name].get<std::vector<float>>());
      CHECK((logits.select(1, column) - wanted).abs().max().item<double>() <= tolerance);
    }
  }
}
