#include "trainer/checkpoint.h"

#include <cstring>

#include "core/counter_random.h"
#include "core/files.h"
#include "core/run_paths.h"
#include "formats/stored_bert.h"

namespace expctl {
namespace {

/// A stored tensor as fp32 of its own memory.
torch::Tensor to_tensor(const TensorView& view) {
  const torch::ScalarType type = view.dtype == DType::kF16    ? torch::kHalf
                                 : view.dtype == DType::kBF16 ? torch::kBFloat16
                                                              : torch::kFloat;
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

}  // namespace

Checkpoint load_checkpoint(const std::filesystem::path& folder, uint64_t seed_init) {
  const StoredBert bert = open_stored_bert(folder);
  Checkpoint checkpoint;
  checkpoint.config = bert.config;
  checkpoint.vocabulary_text = bert.vocabulary_text;
  checkpoint.vocabulary = Vocabulary::parse(bert.vocabulary_text, CheckpointPaths{folder}.vocab().string());
  for (const auto& wanted : bert_tensors(bert.config)) {
    checkpoint.parameters[wanted.name] =
        bert.names.contains(wanted.name) ? to_tensor(bert.tensor(wanted.name)) : new_head(wanted, seed_init);
  }
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
