// Which of a weights file's tensors a question-answering BERT takes, and whether each is fit, whatever the
// file's format.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "formats/bert_names.h"
#include "formats/safetensors.h"

namespace expctl {

/// Where tensors and sizes come from, for complaints.
struct WeightsSource {
  std::filesystem::path weights_file, config_file;
};

/// A tensor of the model, and how it should stand in the file.
struct WantedTensor {
  std::string canonical_name;
  std::string name;            ///< in the file
  std::vector<int64_t> shape;  ///< in the file: transposed, where the file has it so
};

/// Of a file with names as transformers writes them. The span head may be absent, as a whole, where the
/// config says of no other than the linear one. Throws Error where another tensor is missing, or the file has
/// one under two names, or one of another head than the config says.
std::vector<WantedTensor> choose_tensors(const std::vector<std::string>& file_names, const BertConfig& config,
                                         const WeightsSource& source);

/// Of a file with Google's names; `has` tells which of them there are. Throws Error likewise.
std::vector<WantedTensor> choose_google_tensors(const std::function<bool(const std::string&)>& has,
                                                const BertConfig& config, const WeightsSource& source);

/// Throws Error where the file's tensor is of another shape, or of a type that no BERT is stored in (F32, F16
/// and BF16 are).
void check_tensor(const WantedTensor& wanted, DType dtype, const std::vector<int64_t>& shape,
                  const WeightsSource& source);

}  // namespace expctl
