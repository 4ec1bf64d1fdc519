// A folder of BERT weights, looked into and checked, not yet loaded: Hugging Face's layout or Google's.
//
//   Hugging Face   config.json, model.safetensors or pytorch_model.bin
//   Google         bert_config.json, bert_model.ckpt.index (else the only *.index) and its data files
//
// Both have a vocab.txt. A folder with a config.json is Hugging Face's.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "formats/bert_config.h"
#include "formats/bert_names.h"
#include "formats/safetensors.h"

namespace expctl {

struct StoredTensor {
  TensorView view;          ///< F32, F16 or BF16, as it lies in the file
  bool transposed = false;  ///< the file has [columns, rows] of the canonical tensor

  std::vector<int64_t> shape() const;  ///< of the canonical tensor
  /// The canonical tensor as fp32 numbers, row by row, into `values` of just its size.
  void read(std::span<float> values) const;
};

struct StoredBert {
  std::filesystem::path config_file, weights_file;
  BertConfig config;
  std::string vocabulary_text;  ///< vocab.txt as it is
  /// Every tensor that a question-answering BERT has, by canonical name; the span head may be
  /// absent, for a model not fine-tuned yet has none. Empty where the weights are pickled.
  std::map<std::string, StoredTensor> tensors;
  std::shared_ptr<const void> owner;  ///< of the tensors' bytes

  /// Whether the weights are a pytorch_model.bin, which only the trainer reads (trainer/pickled_weights.h).
  bool is_pickled() const;
  bool has_head() const { return tensors.contains("qa_outputs.weight"); }
};

/// Whether a folder holds a model: one of the two configs is there.
bool is_stored_bert(const std::filesystem::path& folder);

/// Reads config, vocabulary and the weights' header, of Google's checkpoint also every byte that a
/// question-answering BERT needs (it has checksums). What else is in the files is left out: the pooler, heads
/// of pre-training, Adam's moments, global_step. Throws Error naming the file: missing or damaged, several
/// checkpoints, a vocabulary of another size than the config says, a tensor missing, of another shape, of a
/// type that no BERT is stored in, or of another head than the config says.
StoredBert open_stored_bert(const std::filesystem::path& folder);

}  // namespace expctl
