#include "trainer/word_attack.h"

#include <algorithm>
#include <cmath>

#include "trainer/norm.h"

namespace expctl {

WordAttack::WordAttack(const torch::Tensor& words, std::vector<int64_t> rows, std::vector<float> gradient)
    : words_(words.data_ptr<float>()),
      width_(words.size(1)),
      rows_(std::move(rows)),
      kept_(std::move(gradient)) {
  const double norm = std::sqrt(sum_of_squares({{kept_.data(), static_cast<int64_t>(kept_.size())}}));
  if (!(norm > 0 && std::isfinite(norm))) rows_.clear();
  float* next = kept_.data();
  for (size_t i = 0; i < rows_.size(); ++i) {
    float* word = row(i);
    for (int64_t j = 0; j < width_; ++j, ++next) {
      const float before = word[j];
      word[j] += static_cast<float>(*next / norm);
      *next = before;
    }
  }
}

WordAttack::~WordAttack() {
  const float* next = kept_.data();
  for (size_t i = 0; i < rows_.size(); ++i, next += width_) std::copy_n(next, width_, row(i));
}

}  // namespace expctl
