// A folder of BERT weights in Hugging Face's layout, looked into and checked, not yet loaded.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "formats/bert_config.h"
#include "formats/bert_names.h"
#include "formats/safetensors.h"

namespace expctl {

struct StoredBert {
  BertConfig config;
  std::string vocabulary_text;  ///< vocab.txt as it is
  SafeTensors weights;
  std::map<std::string, std::string>
      names;  ///< of every tensor that a question-answering BERT has: canonical name to the file's; the
              ///< span head (qa_outputs.*) may be absent, for a model not fine-tuned yet has none

  const TensorView& tensor(const std::string& canonical) const { return weights.at(names.at(canonical)); }
};

/// Reads config.json, vocab.txt and the header of model.safetensors. Throws Error naming the file: missing or
/// damaged, a vocabulary of another size than the config says, a tensor missing, of another shape, or of a
/// type that no BERT is stored in (F32, F16, BF16).
StoredBert open_stored_bert(const std::filesystem::path& folder);

}  // namespace expctl
