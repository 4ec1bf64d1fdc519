// Which of a weights file's tensors a question-answering BERT takes, and whether each is fit, whatever the
// file's format.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "formats/bert_names.h"
#include "formats/safetensors.h"

namespace expctl {

/// Where tensors and sizes come from, for complaints.
struct WeightsSource {
  std::filesystem::path weights_file, config_file;
};

/// Of names as transformers writes them: the file's name by canonical name.
std::map<std::string, std::string> names_by_canonical(const std::vector<std::string>& names);

/// Whether a tensor that may be absent is: the span head. Throws Error where another is missing; `name` is
/// what it would be called in the file.
bool is_absent(bool found, const TensorShape& wanted, const std::string& name, const WeightsSource& source);

/// Throws Error where a tensor, called `name` in the file and of `file_shape` there, is not of the wanted
/// shape once it is `canonical_shape`, or of a type that no BERT is stored in (F32, F16, BF16 are).
void check_tensor(const std::string& name, DType dtype, const std::vector<int64_t>& file_shape,
                  const std::vector<int64_t>& canonical_shape, const TensorShape& wanted,
                  const WeightsSource& source);

}  // namespace expctl
