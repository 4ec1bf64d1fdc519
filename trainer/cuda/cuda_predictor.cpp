#include "trainer/cuda/cuda_predictor.h"

#include <algorithm>
#include <optional>

#include "trainer/cuda/device_bert.h"
#include "trainer/cuda/stream.h"

namespace expctl::cuda {
namespace {

template <typename T>
class CudaPredictor : public Predictor {
 public:
  explicit CudaPredictor(const BertConfig& config) : config_(config), layout_(config) {}

  void set_parameters(const Parameters& parameters) override {
    exact_ = DeviceBuffer<float>(layout_.flatten(parameters));
    if constexpr (!std::is_same_v<T, float>) {
      rounded_ = DeviceBuffer<T>(layout_.count());
      round_to(exact_.data(), layout_.count(), rounded_.data(), stream_);
    }
    model_.reset();  // it reads the parameters where they were
  }

  const std::vector<float>& forward(const PackedBatch& batch, const ForwardOptions& options) override {
    const RowsOnDevice rows = copy(batch, options.dropout);
    if (!model_ || model_->most_rows() < rows.rows) {
      model_.reset();  // its memory first
      model_.emplace(config_, layout_, exact_.data(), rounded(), rows.rows, false, stream_);
    }
    const float* logits = model_->forward(rows, {options.hidden_dropout, options.attention_dropout});
    logits_.resize(static_cast<size_t>(2 * rows.rows));
    check(cudaMemcpyAsync(logits_.data(), logits, logits_.size() * sizeof(float), cudaMemcpyDeviceToHost,
                          stream_));
    check(cudaStreamSynchronize(stream_));
    return logits_;
  }

 private:
  const T* rounded() const {
    if constexpr (std::is_same_v<T, float>)
      return exact_.data();
    else
      return rounded_.data();
  }

  RowsOnDevice copy(const PackedBatch& batch, const DropoutKey& key) {
    std::vector<int32_t> first_rows{0}, sequence_of;
    std::vector<uint64_t> keys;
    for (size_t s = 0; s < batch.lengths.size(); ++s) {
      first_rows.push_back(first_rows.back() + static_cast<int32_t>(batch.lengths[s]));
      sequence_of.insert(sequence_of.end(), static_cast<size_t>(batch.lengths[s]), static_cast<int32_t>(s));
      keys.push_back(dropout_sequence_key(key, batch.sequences[s]));
    }
    const auto numbers = [](const std::vector<int64_t>& of) {
      return DeviceBuffer<int32_t>(std::vector<int32_t>(of.begin(), of.end()));
    };
    word_ids_ = numbers(batch.input_ids);
    type_ids_ = numbers(batch.token_types);
    positions_ = numbers(batch.positions);
    sequence_of_ = DeviceBuffer<int32_t>(sequence_of);
    first_rows_ = DeviceBuffer<int32_t>(first_rows);
    keys_ = DeviceBuffer<uint64_t>(keys);
    RowsOnDevice rows;
    rows.rows = static_cast<int64_t>(batch.input_ids.size());
    rows.sequences = static_cast<int64_t>(batch.lengths.size());
    rows.longest = *std::max_element(batch.lengths.begin(), batch.lengths.end());
    rows.first_rows = first_rows_.data();
    rows.sequence_keys = keys_.data();
    rows.word_ids = word_ids_.data();
    rows.type_ids = type_ids_.data();
    rows.positions = positions_.data();
    rows.sequence_of = sequence_of_.data();
    return rows;
  }

  const BertConfig config_;
  Stream stream_;
  FlatLayout layout_;
  DeviceBuffer<float> exact_;
  DeviceBuffer<T> rounded_;
  std::optional<DeviceBert<T>> model_;
  DeviceBuffer<int32_t> word_ids_, type_ids_, positions_, sequence_of_, first_rows_;
  DeviceBuffer<uint64_t> keys_;
  std::vector<float> logits_;
};

}  // namespace

std::unique_ptr<Predictor> make_predictor(const BertConfig& config, Precision precision) {
  check_computable(config);
  switch (precision) {
    case Precision::kFp32:
      return std::make_unique<CudaPredictor<float>>(config);
    case Precision::kBf16:
      return std::make_unique<CudaPredictor<__nv_bfloat16>>(config);
    case Precision::kFp16:
      return std::make_unique<CudaPredictor<__half>>(config);
  }
  throw std::logic_error("no such precision");
}

}  // namespace expctl::cuda
