#include "trainer/cuda/flat_layout.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "formats/bert_names.h"
#include "trainer/layer_rates.h"

namespace expctl::cuda {
namespace {

constexpr int64_t kAlignment = 128;  ///< 256 bytes of bf16: cuBLAS takes that for granted

int64_t aligned(int64_t offset) {
  return (offset + kAlignment - 1) / kAlignment * kAlignment;
}

/// Whether a tensor follows the one before it without a gap.
bool goes_on(const std::string& name) {
  return name.find(".self.key.") != std::string::npos || name.find(".self.value.") != std::string::npos;
}

}  // namespace

FlatLayout::FlatLayout(const BertConfig& config) : layers_(config.num_hidden_layers) {
  // Names are listed layer by layer, weight and bias of each part: query, key, value.
  const auto all = bert_tensors(config);
  for (const bool with_decay : {true, false}) {
    for (const auto& [name, shape] : all) {
      if (is_bias_or_norm(name) == with_decay) continue;
      const int64_t count = std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
      const int64_t offset = goes_on(name) ? count_ : aligned(count_);
      tensors_[name] = {offset, count, shape};
      count_ = offset + count;
    }
    count_ = aligned(count_);
    if (with_decay) decayed_ = count_;
  }
  int64_t end = decayed_;
  for (int64_t layer = config.num_hidden_layers; layer-- > 0;) {
    const int64_t begin = offset_of(fmt::format("bert.encoder.layer.{}.attention.self.query.weight", layer));
    stretches_.push_back({begin, end});
    end = begin;
  }
  stretches_.push_back({decayed_, count_});
  stretches_.push_back({0, end});
}

std::vector<FlatLayout::Group> FlatLayout::groups(double layerwise_lr_decay) const {
  std::map<int64_t, std::string> in_order;
  for (const auto& [name, place] : tensors_) in_order[place.offset] = name;
  std::vector<Group> groups;
  for (const auto& [offset, name] : in_order) {
    const Group next{offset, count_, offset < decayed_, rate_factor(name, layers_, layerwise_lr_decay)};
    if (!groups.empty()) groups.back().end = offset;
    if (groups.empty() || groups.back().has_decay != next.has_decay || groups.back().rate != next.rate)
      groups.push_back(next);
  }
  groups.back().end = count_;
  return groups;
}

std::vector<float> FlatLayout::flatten(const Parameters& tensors) const {
  std::vector<float> flat(static_cast<size_t>(count_), 0.0f);
  for (const auto& [name, place] : tensors_)
    std::copy_n(tensors.at(name).data_ptr<float>(), place.count, flat.data() + place.offset);
  return flat;
}

void FlatLayout::unflatten(const std::vector<float>& flat, Parameters& tensors) const {
  for (const auto& [name, place] : tensors_)
    std::copy_n(flat.data() + place.offset, place.count, tensors.at(name).data_ptr<float>());
}

Parameters FlatLayout::unflatten(const std::vector<float>& flat) const {
  Parameters tensors;
  for (const auto& [name, place] : tensors_) tensors[name] = torch::empty(place.shape);
  unflatten(flat, tensors);
  return tensors;
}

}  // namespace expctl::cuda
