#include "trainer/pickled_weights.h"

#include "core/error.h"
#include "core/files.h"
#include "core/run_paths.h"
#include "tests/trainer/small_training.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

/// pytorch_model.bin in place of model.safetensors, by a line of Python that sees the tensors as `state` (an
/// OrderedDict) and the file's path as `path`.
void pickle(const SmallTraining& small, const std::string& python_line) {
  const CheckpointPaths paths{small.folder.path()};
  const std::string script =
      "import sys, collections, torch; from safetensors.torch import load_file\n"
      "state = collections.OrderedDict(load_file(sys.argv[1])); path = sys.argv[2]\n" +
      python_line;
  const auto made = run_program(
      {python().string(), "-c", script, paths.weights().string(), paths.pickled_weights().string()});
  INFO(made.err);
  REQUIRE(made.exit_code == 0);
  fs::remove(paths.weights());
}

std::string refusal(const SmallTraining& small) {
  try {
    small.model();
  } catch (const Error& e) {
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("pickled weights: a state_dict() of Python is read to the last bit", "[trainer]") {
  SKIP_UNLESS(!python().empty(), "no Python with torch");
  for (const std::string& line :
       {std::string("state._metadata = {'': {'version': 1}}; torch.save(state, path)"),
        std::string("torch.save({k: torch.nn.Parameter(v) for k, v in state.items()}, path)"),
        // Views: of more rows than there are, and with the strides of a transposed matrix.
        std::string("torch.save({k: torch.cat([v, v])[len(v):] if v.dim() == 1 else v.t().contiguous().t()"
                    " for k, v in state.items()}, path)"),
        std::string("state['bert.embeddings.position_ids'] = torch.arange(5)\n"
                    "torch.save({k.removeprefix('bert.'): v for k, v in state.items()}, path)")}) {
    const SmallTraining small;
    const auto before = small.model();
    pickle(small, line);
    const auto after = small.model();
    INFO(line);
    CHECK_FALSE(after.has_own_head);
    for (const auto& [name, tensor] : before.parameters) {
      INFO(name);
      CHECK(torch::equal(after.parameters.at(name), tensor));
      CHECK(after.parameters.at(name).is_contiguous());
    }
  }
}

TEST_CASE("pickled weights: half precision, and a head", "[trainer]") {
  SKIP_UNLESS(!python().empty(), "no Python with torch");
  const SmallTraining small;
  const auto before = small.model().parameters;
  pickle(small,
         "state['qa_outputs.weight'] = torch.ones(2, 32); state['qa_outputs.bias'] = torch.zeros(2)\n"
         "torch.save({k: v.half() for k, v in state.items()}, path)");
  const auto after = small.model();
  CHECK(after.has_own_head);
  CHECK(torch::equal(after.parameters.at("qa_outputs.weight"), torch::ones({2, 32})));
  const std::string name = "bert.embeddings.word_embeddings.weight";
  CHECK(torch::equal(after.parameters.at(name), before.at(name).to(torch::kHalf).to(torch::kFloat)));
}

TEST_CASE("pickled weights: what cannot be used is refused, naming the file", "[trainer]") {
  SKIP_UNLESS(!python().empty(), "no Python with torch");
  const std::vector<std::pair<std::string, std::string>> cases{
      {"torch.save(state, path, _use_new_zipfile_serialization=False)", "not a zip file"},
      {"torch.save({'model': state}, path)", "there are no tensors in its dictionary"},
      {"class C: pass\ntorch.save({'c': C(), **state}, path)", "it is more than a state_dict()"},
      {"del state['bert.embeddings.LayerNorm.weight']; torch.save(state, path)",
       "'bert.embeddings.LayerNorm.weight' is missing"},
      {"k = 'bert.embeddings.LayerNorm.weight'; state[k] = state[k].double(); torch.save(state, path)",
       "is F64, not a floating-point type"},
      {"k = 'bert.embeddings.LayerNorm.weight'; state[k] = state[k][:3]; torch.save(state, path)",
       "has the shape [3], config.json asks for [32]"}};
  for (const auto& [line, message] : cases) {
    const SmallTraining small;
    pickle(small, line);
    INFO(line);
    CHECK_THAT(refusal(small), Contains("pytorch_model.bin: ") && Contains(message));
  }
  const SmallTraining small;
  pickle(small, "torch.save(state, path)");
  const fs::path file = CheckpointPaths{small.folder.path()}.pickled_weights();
  fs::resize_file(file, fs::file_size(file) / 2);
  CHECK_THAT(refusal(small), Contains("pytorch_model.bin: "));
  fs::remove(file);
  CHECK_THAT(refusal(small), Contains("model.safetensors"));
}
