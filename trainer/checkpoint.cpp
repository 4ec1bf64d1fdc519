#include "trainer/checkpoint.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/run_paths.h"
#include "formats/bert_folder.h"
#include "formats/new_head.h"
#include "formats/stored_bert.h"
#include "trainer/pickled_weights.h"

namespace expctl {
namespace {

Parameters read_stored(const StoredBert& bert) {
  Parameters parameters;
  for (const auto& [name, stored] : bert.tensors) {
    auto tensor = torch::empty(stored.shape());
    stored.read({tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())});
    parameters[name] = tensor;
  }
  return parameters;
}

/// Tensors as a file's writer wants them.
struct Views {
  std::map<std::string, TensorView> by_name;
  std::vector<torch::Tensor> kept;  ///< the views point into these

  explicit Views(const Parameters& tensors) {
    for (const auto& [name, tensor] : tensors) {
      kept.push_back(tensor.detach().contiguous());
      const auto* bytes = static_cast<const std::byte*>(kept.back().data_ptr());
      by_name[name] = {DType::kF32, tensor.sizes().vec(), {bytes, kept.back().nbytes()}};
    }
  }
};

/// What is no number, or infinite, would come out of a bf16 product as anything.
void check_finite(const Parameters& parameters, const std::string& source) {
  for (const auto& [name, tensor] : parameters) {
    if (std::isfinite(tensor.sum().item<double>()) || at::isfinite(tensor).all().item<bool>()) continue;
    throw Error(fmt::format("{}: tensor '{}' holds values that are not finite", source, name),
                "the training that left it has diverged, or the file is damaged");
  }
}

torch::Tensor new_head_tensor(const TensorShape& wanted, uint64_t seed_init) {
  auto tensor = torch::empty(wanted.shape);
  std::ranges::copy(new_head_values(wanted, seed_init), tensor.data_ptr<float>());
  return tensor;
}

}  // namespace

Checkpoint load_checkpoint(const std::filesystem::path& folder, uint64_t seed_init, SpanHead new_head) {
  const StoredBert bert = open_stored_bert(folder);
  Checkpoint checkpoint;
  checkpoint.config = bert.config;
  checkpoint.vocabulary_text = bert.vocabulary_text;
  checkpoint.vocabulary = Vocabulary::parse(bert.vocabulary_text, CheckpointPaths{folder}.vocab().string());
  checkpoint.parameters =
      bert.is_pickled() ? read_pickled_weights(bert.weights_file, bert.config) : read_stored(bert);
  check_finite(checkpoint.parameters, folder.string());
  checkpoint.has_own_head = checkpoint.parameters.contains("qa_outputs.weight");
  if (!checkpoint.has_own_head) checkpoint.config.head = new_head;
  for (const auto& wanted : bert_tensors(checkpoint.config)) {
    if (!checkpoint.parameters.contains(wanted.name))
      checkpoint.parameters[wanted.name] = new_head_tensor(wanted, seed_init);
  }
  return checkpoint;
}

void save_tensors(const std::filesystem::path& path, const Parameters& tensors,
                  const std::map<std::string, std::string>& metadata) {
  const Views views(tensors);
  write_safetensors(path, views.by_name, metadata);
}

void save_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint) {
  const Views views(checkpoint.parameters);
  write_bert_folder(folder, checkpoint.config, checkpoint.vocabulary_text, views.by_name);
}

}  // namespace expctl
