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
  size_t of_head = 0;
  for (auto& [canonical_name, shape] : bert_tensors(config)) {
    of_head += is_span_head(canonical_name) ? 1 : 0;
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
  const bool may_lack_it = config.head == SpanHead::kLinear && absent_of_head.size() == of_head;
  if (!absent_of_head.empty() && !may_lack_it) {
    throw Error(fmt::format("{}: a part of the span head ({}) is missing: '{}'", source.weights_file.string(),
                            name_of(config.head), absent_of_head.front()),
                "a fine-tuned model has all of its head, another has none and says nothing of one");
  }
  return chosen;
}

/// A head that the config does not know of would be left out, and the model answer otherwise than it was
/// trained.
void refuse_other_head(const std::map<std::string, std::string>& by_canonical,
                       const std::vector<WantedTensor>& chosen, const BertConfig& config,
                       const WeightsSource& source) {
  for (const auto& entry : by_canonical) {
    const auto& [canonical, name] = entry;
    const auto is_it = [&](const WantedTensor& wanted) { return wanted.canonical_name == entry.first; };
    if (!is_span_head(canonical) || std::any_of(chosen.begin(), chosen.end(), is_it)) continue;
    throw Error(fmt::format("{}: the tensor '{}' is not of the span head that {} says ({})",
                            source.weights_file.string(), name, source.config_file.filename().string(),
                            name_of(config.head)),
                "its config.json and its weights are of different models");
  }
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
  auto chosen = choose(config, source, [&](const std::string& canonical) {
    const auto found = by_canonical.find(canonical);
    return found == by_canonical.end() ? Found{canonical} : Found{found->second, false, true};
  });
  refuse_other_head(by_canonical, chosen, config, source);
  return chosen;
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
