#include "formats/wanted_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/error.h"

namespace expctl {
namespace {

/// What a tensor is called in the file, whether it stands there transposed, and whether it is there at all.
struct Found {
  std::string name;
  bool transposed = false;
  bool is_there = false;
};

std::vector<WantedTensor> choose(const BertConfig& config, const WeightsSource& source,
                                 const std::function<Found(const std::string&)>& find) {
  std::vector<WantedTensor> chosen;
  std::vector<std::string> absent_of_head;
  for (auto& [canonical_name, shape] : bert_tensors(config)) {
    const Found found = find(canonical_name);
    if (found.is_there) {
      if (found.transposed) std::reverse(shape.begin(), shape.end());
      chosen.push_back({canonical_name, found.name, std::move(shape)});
    } else if (is_span_head(canonical_name)) {
      absent_of_head.push_back(found.name);
    } else {
      throw Error(fmt::format("{}: the tensor '{}' is missing", source.weights_file.string(), found.name),
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
    return found == by_canonical.end() ? Found{canonical} : Found{found->second, false, true};
  });
}

std::vector<WantedTensor> choose_google_tensors(const std::function<bool(const std::string&)>& has,
                                                const BertConfig& config, const WeightsSource& source) {
  return choose(config, source, [&](const std::string& canonical) {
    const auto [name, transposed] = google_bert_name(canonical);
    return Found{name, transposed, has(name)};
  });
}

void check_tensor(const WantedTensor& wanted, DType dtype, const std::vector<int64_t>& shape,
                  const WeightsSource& source) {
  if (shape != wanted.shape) {
    throw Error(fmt::format("{}: tensor '{}' has the shape [{}], {} asks for [{}]",
                            source.weights_file.string(), wanted.name, fmt::join(shape, ", "),
                            source.config_file.filename().string(), fmt::join(wanted.shape, ", ")));
  }
  if (dtype != DType::kF32 && dtype != DType::kF16 && dtype != DType::kBF16) {
    throw Error(fmt::format("{}: tensor '{}' is {}, not a floating-point type that BERT is stored in",
                            source.weights_file.string(), wanted.name, name_of(dtype)));
  }
}

}  // namespace expctl
