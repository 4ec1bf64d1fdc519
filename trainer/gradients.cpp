#include "trainer/gradients.h"

#include <algorithm>

#include "trainer/norm.h"

namespace expctl {
Gradients::Gradients(const Parameters& parameters) {
  for (const auto& [name, parameter] : parameters) values_[name] = torch::zeros_like(parameter);
}

void Gradients::clear() {
  is_empty_ = true;
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

double gradient_norm(const Gradients& gradients) {
  std::vector<FloatSpan> spans;
  for (const auto& [name, gradient] : gradients.values()) {
    const float* values = gradient.data_ptr<float>();
    if (name != kWordEmbeddings) {
      spans.push_back({values, gradient.numel()});
      continue;
    }
    const int64_t width = gradient.size(1);
    for (const int64_t row : gradients.word_rows()) spans.push_back({values + row * width, width});
  }
  return norm_of(spans);
}

double clip_scale(double norm, double max_norm) {
  return max_norm > 0 ? std::min(1.0, max_norm / (norm + 1e-6)) : 1.0;
}

}  // namespace expctl
