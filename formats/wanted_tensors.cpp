#include "formats/wanted_tensors.h"

#include <fmt/format.h>

#include "core/error.h"

namespace expctl {

std::map<std::string, std::string> names_by_canonical(const std::vector<std::string>& names) {
  std::map<std::string, std::string> by_canonical;
  for (const auto& name : names) {
    const std::string canonical = canonical_bert_name(name);
    if (!canonical.empty()) by_canonical[canonical] = name;
  }
  return by_canonical;
}

bool is_absent(bool found, const TensorShape& wanted, const std::string& name, const WeightsSource& source) {
  if (found) return false;
  if (wanted.name.starts_with("qa_outputs.")) return true;
  throw Error(fmt::format("{}: the tensor '{}' is missing", source.weights_file.string(), name),
              fmt::format("is it a BERT of {}'s size?", source.config_file.filename().string()));
}

void check_tensor(const std::string& name, DType dtype, const std::vector<int64_t>& file_shape,
                  const std::vector<int64_t>& canonical_shape, const TensorShape& wanted,
                  const WeightsSource& source) {
  if (canonical_shape != wanted.shape) {
    throw Error(fmt::format("{}: tensor '{}' has the shape [{}], {} asks for [{}]",
                            source.weights_file.string(), name, fmt::join(file_shape, ", "),
                            source.config_file.filename().string(), fmt::join(wanted.shape, ", ")));
  }
  if (dtype != DType::kF32 && dtype != DType::kF16 && dtype != DType::kBF16) {
    throw Error(fmt::format("{}: tensor '{}' is {}, not a floating-point type that BERT is stored in",
                            source.weights_file.string(), name, name_of(dtype)));
  }
}

}  // namespace expctl
