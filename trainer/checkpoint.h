// A model's folder, to and from tensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "formats/bert_config.h"
#include "squad/tokenizer.h"
#include "trainer/parameters.h"

namespace expctl {

struct Checkpoint {
  BertConfig config;
  std::string vocabulary_text;  ///< vocab.txt as it is
  Vocabulary vocabulary;
  Parameters parameters;     ///< fp32, contiguous
  bool has_own_head = true;  ///< false where load_checkpoint() has made one
};

/// Reads a folder in one of the layouts of formats/stored_bert.h, pytorch_model.bin too (F32, F16 or BF16;
/// names with or without "bert."). Where there is no head, it gets a new one of the kind `new_head`, a
/// function of `seed_init` alone (formats/new_head.h). Throws Error: a file missing or damaged, a vocabulary
/// of another size than the config says, a tensor missing or of another shape.
Checkpoint load_checkpoint(const std::filesystem::path& folder, uint64_t seed_init,
                           SpanHead new_head = SpanHead::kLinear);

/// Writes a folder in Hugging Face's layout (formats/bert_folder.h). Throws Error.
void save_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint);

/// fp32 tensors as a safetensors file, written atomically. Throws Error.
void save_tensors(const std::filesystem::path& path, const Parameters& tensors,
                  const std::map<std::string, std::string>& metadata);

}  // namespace expctl
