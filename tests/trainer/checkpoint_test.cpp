#include "trainer/checkpoint.h"

#include "core/files.h"
#include "core/run_paths.h"
#include "formats/safetensors.h"
#include "tests/trainer/small_training.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// The small model's own file again, with every tensor in `type` (of which `dtype` is the stored name).
void store_as(const SmallTraining& small, torch::ScalarType type, DType dtype) {
  const Parameters parameters = small.model().parameters;
  std::map<std::string, TensorView> views;
  std::vector<torch::Tensor> kept;  // the views point into these
  for (const auto& [name, tensor] : parameters) {
    kept.push_back(tensor.to(type).contiguous());
    const auto* bytes = static_cast<const std::byte*>(kept.back().data_ptr());
    views[name] = {dtype, tensor.sizes().vec(), {bytes, kept.back().nbytes()}};
  }
  write_safetensors(CheckpointPaths{small.folder.path()}.weights(), views, {});
}

}  // namespace

TEST_CASE("checkpoint: what is saved is loaded again to the last bit, files and all", "[trainer]") {
  const SmallTraining small;
  const auto model = small.model();
  const TempDir dir;
  save_checkpoint(dir / "saved", model);
  const auto again = load_checkpoint(dir / "saved", 4);
  REQUIRE(again.parameters.size() == model.parameters.size());
  for (const auto& [name, tensor] : model.parameters) {
    INFO(name);
    CHECK(torch::equal(again.parameters.at(name), tensor));
    CHECK_FALSE(again.parameters.at(name).requires_grad());
  }
  CHECK(again.vocabulary_text == read_file(CheckpointPaths{small.folder.path()}.vocab()));
  CHECK(again.config.hidden_size == 32);
  CHECK(again.config.num_attention_heads == 2);
}

TEST_CASE("checkpoint: a model without a head gets one of its seed, small and with no bias", "[trainer]") {
  const SmallTraining small;
  const auto head = [&](uint64_t seed) {
    return load_checkpoint(small.folder.path(), seed).parameters.at("qa_outputs.weight");
  };
  CHECK(torch::equal(head(1), head(1)));
  CHECK_FALSE(torch::equal(head(1), head(2)));
  CHECK(head(1).std().item<double>() == Approx(0.02).epsilon(0.4));  // 64 values
  CHECK(small.model().parameters.at("qa_outputs.bias").abs().sum().item<double>() == 0);
  // Nothing else depends on the seed.
  CHECK(torch::equal(
      load_checkpoint(small.folder.path(), 1).parameters.at("bert.embeddings.word_embeddings.weight"),
      load_checkpoint(small.folder.path(), 2).parameters.at("bert.embeddings.word_embeddings.weight")));
}

TEST_CASE("checkpoint: weights that are no numbers are refused by name", "[trainer]") {
  const SmallTraining small;
  for (const float bad : {NAN, INFINITY}) {
    auto model = small.model();
    model.parameters.at("bert.encoder.layer.0.output.dense.weight")[1][2] = bad;
    const TempDir dir;
    save_checkpoint(dir / "saved", model);
    CHECK_THROWS_WITH(
        load_checkpoint(dir / "saved", 1),
        Catch::Contains("'bert.encoder.layer.0.output.dense.weight' holds values that are not finite"));
  }
}

TEST_CASE("checkpoint: half-precision weights are read as the fp32 numbers that they are", "[trainer]") {
  for (const auto& [type, dtype] :
       {std::pair(torch::kHalf, DType::kF16), std::pair(torch::kBFloat16, DType::kBF16)}) {
    const SmallTraining small;
    const auto before = small.model().parameters;
    store_as(small, type, dtype);
    for (const auto& [name, tensor] : small.model().parameters) {
      INFO(name << " as " << name_of(dtype));
      CHECK(tensor.scalar_type() == torch::kFloat);
      CHECK(torch::equal(tensor, before.at(name).to(type).to(torch::kFloat)));
    }
  }
}
