#include "formats/wanted_tensors.h"

#include <fmt/format.h>

#include <map>

#include "core/error.h"

namespace expctl {

namespace {

/// `find` gives what a tensor is called, and whether it is in the file.
std::vector<WantedTensor> choose(
    const BertConfig& config, const WeightsSource& source,
    const std::function<std::pair<std::string, bool>(const std::string&)>& find) {
  std::vector<WantedTensor> chosen;
  std::vector<std::string> absent_of_head;
  for (const auto& wanted : bert_tensors(config)) {
    const auto [name, is_there] = find(wanted.name);
    if (is_there) {
      chosen.push_back({wanted, name});
    } else if (is_span_head(wanted.name)) {
      absent_of_head.push_back(name);
    } else {
      throw Error(fmt::format("{}: the tensor '{}' is missing", source.weights_file.string(), name),
                  fmt::format("is it a BERT of {}'s size?", source.config_file.filename().string()));
    }
  }
  if (absent_of_head.size() == 1) {
    throw Error(fmt::format("{}: half of the span head is missing: '{}'", source.weights_file.string(),
                            absent_of_head.front()),
                "a fine-tuned model has both its weight and its bias, another has neither");
  }
  return chosen;
}

}  // namespace

std::vector<WantedTensor> choose_tensors(const std::vector<std::string>& file_names, const BertConfig& config,
                                         const WeightsSource& source) {
  std::map<std::string, std::string> by_canonical;
  for (const auto& name : file_names) {
    const std::string canonical = canonical_bert_name(name);
    if (canonical.empty()) continue;
    if (const auto [known, is_new] = by_canonical.emplace(canonical, name); !is_new) {
      throw Error(fmt::format("{}: tensors '{}' and '{}' are one and the same of BERT",
                              source.weights_file.string(), known->second, name),
                  "leave one of them in the file");
    }
  }
  return choose(config, source, [&](const std::string& canonical) {
    const auto found = by_canonical.find(canonical);
    return found == by_canonical.end() ? std::pair(canonical, false) : std::pair(found->second, true);
  });
}

std::vector<WantedTensor> choose_google_tensors(const std::function<bool(const std::string&)>& has,
                                                const BertConfig& config, const WeightsSource& source) {
  return choose(config, source, [&](const std::string& canonical) {
    const std::string name = google_bert_name(canonical).name;
    return std::pair(name, has(name));
  });
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
