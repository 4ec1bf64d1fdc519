#include "trainer/gradient_sum.h"

#include <algorithm>

namespace expctl {

GradientSum::GradientSum(Ranks& ranks, Gradients& gradients, int64_t layers, int64_t bucket_floats)
    : ranks_(ranks), gradients_(gradients), layers_(layers), bucket_floats_(bucket_floats) {}

void GradientSum::after_layer(int64_t layer) {
  if (ranks_.size() == 1) return;
  const int64_t complete = gradients_.complete_after(layer);
  if (complete - begun_ >= bucket_floats_) begin_until(complete);
}

void GradientSum::begin_until(int64_t end) {
  ranks_.begin_sum(gradients_.dense() + begun_, end - begun_);
  begun_ = end;
}

std::vector<float> GradientSum::sum_of_words(const std::vector<int64_t>& word_rows) {
  const int64_t width = gradients_.values().at(kWordEmbeddings).size(1);
  const float* words = gradients_.data(kWordEmbeddings);
  std::vector<float> sums(word_rows.size() * static_cast<size_t>(width));
  float* next = sums.data();
  for (const int64_t row : word_rows) next = std::copy_n(words + row * width, width, next);
  if (ranks_.size() == 1) return sums;
  ranks_.begin_sum(sums.data(), static_cast<int64_t>(sums.size()));
  ranks_.finish_sums();
  return sums;
}

void GradientSum::finish(const std::vector<int64_t>& word_rows) {
  if (ranks_.size() == 1) return;
  // One whose share of the batch is empty has seen no layer; for the others this begins nothing more.
  for (int64_t layer = layers_; layer-- > 0;) after_layer(layer);
  begin_until(gradients_.dense_count());
  begun_ = 0;
  const std::vector<float> sums = sum_of_words(word_rows);
  const int64_t width = gradients_.values().at(kWordEmbeddings).size(1);
  float* words = gradients_.data(kWordEmbeddings);
  const float* sum = sums.data();
  for (const int64_t row : word_rows) {
    std::copy_n(sum, width, words + row * width);
    sum += width;
  }
  gradients_.forget_squares();
  gradients_.mark_added(word_rows);
}

}  // namespace expctl
