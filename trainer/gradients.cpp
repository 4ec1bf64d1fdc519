#include "trainer/gradients.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "formats/bert_names.h"
#include "trainer/norm.h"

namespace expctl {
namespace {

constexpr int64_t kHead = std::numeric_limits<int64_t>::max();
constexpr int64_t kNoLayer = -1;

/// The layer that a parameter belongs to.
int64_t layer_of(const std::string& name) {
  return is_span_head(name) ? kHead : encoder_layer_of(name).value_or(kNoLayer);
}

}  // namespace

Gradients::Gradients(const Parameters& parameters) {
  constexpr int64_t kAlignment = 16;  // floats: a cache line
  std::vector<std::pair<int64_t, std::string>> order;
  for (const auto& [name, parameter] : parameters) {
    if (name != kWordEmbeddings) order.emplace_back(layer_of(name), name);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::map<std::string, int64_t> begins;
  int64_t end = 0;
  for (const auto& [layer, name] : order) {
    begins[name] = end;
    end += (parameters.at(name).numel() + kAlignment - 1) / kAlignment * kAlignment;
    complete_after_[layer] = end;
  }
  dense_ = torch::zeros({end});
  for (const auto& [name, parameter] : parameters) {
    values_[name] = name == kWordEmbeddings
                        ? torch::zeros_like(parameter)
                        : dense_.narrow(0, begins.at(name), parameter.numel()).view(parameter.sizes());
  }
}

void Gradients::set_zero() {
  clear();
  dense_.zero_();
  is_empty_ = false;
}

void Gradients::clear() {
  is_empty_ = true;
  forget_squares();
  if (word_rows_.empty()) return;
  auto& words = values_.at(kWordEmbeddings);
  const int64_t width = words.size(1);
  for (const int64_t row : word_rows_) std::fill_n(words.data_ptr<float>() + row * width, width, 0.0f);
  word_rows_.clear();
}

void Gradients::mark_added(const std::vector<int64_t>& word_rows) {
  is_empty_ = false;
  word_rows_.insert(word_rows_.end(), word_rows.begin(), word_rows.end());
  std::sort(word_rows_.begin(), word_rows_.end());
  word_rows_.erase(std::unique(word_rows_.begin(), word_rows_.end()), word_rows_.end());
}

std::optional<double> Gradients::squares_of(const float* values) const {
  const auto found = squares_.find(values);
  return found == squares_.end() ? std::nullopt : std::optional(found->second);
}

double gradient_norm(const Gradients& gradients) {
  std::vector<FloatSpan> spans;
  double known = 0;
  for (const auto& [name, gradient] : gradients.values()) {
    const float* values = gradient.data_ptr<float>();
    if (const auto squares = gradients.squares_of(values)) {
      known += *squares;
      continue;
    }
    if (name != kWordEmbeddings) {
      spans.push_back({values, gradient.numel()});
      continue;
    }
    const int64_t width = gradient.size(1);
    for (const int64_t row : gradients.word_rows()) spans.push_back({values + row * width, width});
  }
  return std::sqrt(known + sum_of_squares(spans));
}

double clip_scale(double norm, double max_norm) {
  return max_norm > 0 ? std::min(1.0, max_norm / (norm + 1e-6)) : 1.0;
}

}  // namespace expctl
