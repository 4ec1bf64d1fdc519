#include "trainer/checkpoint.h"

#include <fmt/format.h>

#include <cstring>

#include "core/counter_random.h"
#include "core/error.h"
#include "core/files.h"
#include "core/run_paths.h"
#include "formats/bert_names.h"
#include "formats/safetensors.h"

namespace expctl {
namespace {

/// A stored tensor as fp32 of its own memory.
torch::Tensor to_tensor(const std::string& name, const TensorView& view, const std::string& source) {
  torch::ScalarType type = torch::kFloat;
  if (view.dtype == DType::kF16) type = torch::kHalf;
  else if (view.dtype == DType::kBF16) type = torch::kBFloat16;
  else if (view.dtype != DType::kF32) {
    throw Error(fmt::format("{}: tensor '{}' is {}, not a floating-point type that BERT is stored in", source, name, name_of(view.dtype)));
  }
  auto tensor = torch::empty(view.shape, type);
  std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
  return tensor.to(torch::kFloat);
}

torch::Tensor new_head(const TensorShape& wanted, uint64_t seed_init) {
  constexpr double kDeviation = 0.02;
  auto tensor = torch::zeros(wanted.shape);
  if (is_bias_or_norm(wanted.name)) return tensor;
  CounterRandom random(seed_init);
  auto* values = tensor.data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i) values[i] = static_cast<float>(kDeviation * random.normal());
  return tensor;
}

Parameters load_parameters(const std::filesystem::path& path, const BertConfig& config, uint64_t seed_init) {
  const SafeTensors file = SafeTensors::read(path);
  std::map<std::string, std::string> stored;
  for (const auto& [name, view] : file.tensors()) {
    const std::string canonical = canonical_bert_name(name);
    if (!canonical.empty()) stored[canonical] = name;
  }
  Parameters parameters;
  for (const auto& wanted : bert_tensors(config)) {
    const auto found = stored.find(wanted.name);
    if (found == stored.end()) {
      if (!wanted.name.starts_with("qa_outputs.")) {
        throw Error(fmt::format("{}: the tensor '{}' is missing", path.string(), wanted.name), "is it a BERT of config.json's size?");
      }
      parameters[wanted.name] = new_head(wanted, seed_init);
      continue;
    }
    const TensorView& view = file.at(found->second);
    if (view.shape != wanted.shape) {
      throw Error(fmt::format("{}: tensor '{}' has the shape [{}], config.json asks for [{}]", path.string(), found->second,
                              fmt::join(view.shape, ", "), fmt::join(wanted.shape, ", ")));
    }
    parameters[wanted.name] = to_tensor(wanted.name, view, path.string());
  }
  return parameters;
}

}  // namespace

Checkpoint load_checkpoint(const std::filesystem::path& folder, uint64_t seed_init) {
  const CheckpointPaths paths{folder};
  Checkpoint checkpoint;
  checkpoint.config = read_bert_config(paths.config());
  checkpoint.vocabulary_text = read_file(paths.vocab());
  checkpoint.vocabulary = Vocabulary::parse(checkpoint.vocabulary_text, paths.vocab().string());
  if (checkpoint.vocabulary.size() != checkpoint.config.vocab_size) {
    throw Error(fmt::format("{}: {} pieces, but {} says vocab_size {}", paths.vocab().string(), checkpoint.vocabulary.size(),
                            paths.config().string(), checkpoint.config.vocab_size),
                "the vocabulary must be the one that the model was trained with");
  }
  checkpoint.parameters = load_parameters(paths.weights(), checkpoint.config, seed_init);
  return checkpoint;
}

void save_tensors(const std::filesystem::path& path, const Parameters& tensors,
                  const std::map<std::string, std::string>& metadata) {
  std::map<std::string, TensorView> views;
  std::vector<torch::Tensor> kept;  // the views point into these
  for (const auto& [name, tensor] : tensors) {
    kept.push_back(tensor.detach().contiguous());
    const auto* bytes = static_cast<const std::byte*>(kept.back().data_ptr());
    views[name] = {DType::kF32, tensor.sizes().vec(), {bytes, kept.back().nbytes()}};
  }
  write_safetensors(path, views, metadata);
}

void save_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint) {
  const CheckpointPaths paths{folder};
  make_folder(folder);
  write_bert_config(paths.config(), checkpoint.config);
  write_tokenizer_config(paths.tokenizer_config(), checkpoint.config);
  write_file(paths.vocab(), checkpoint.vocabulary_text);
  save_tensors(paths.weights(), checkpoint.parameters, {{"format", "pt"}});
}

}  // namespace expctl
