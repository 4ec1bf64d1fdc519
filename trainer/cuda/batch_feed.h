// Batches for the GPU: the data set lies there, so that a batch is a few numbers, copied without waiting.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <vector>

#include "trainer/cuda/device_memory.h"
#include "trainer/cuda/stream.h"
#include "trainer/dropout.h"
#include "trainer/kernels/cuda_kernels.h"
#include "trainer/training_data.h"

namespace expctl::cuda {

/// Rows are filled up to a multiple of this: as many graphs serve all batches.
inline constexpr int64_t kRowBucket = 128;

/// A micro-batch as the host knows it.
struct FeedOrder {
  std::vector<int64_t> chosen;     ///< features
  std::vector<int64_t> sequences;  ///< what each is to its masks (sequence_in_pass)
  DropoutKey dropout;
  double loss_scale = 1;  ///< over the step's features: what the sum of losses is multiplied by
  double part = 1;        ///< of the step that a feature is
};

class BatchFeed {
 public:
  /// For up to `most_chosen` features at once, each up to `times` times. All work is on `stream`.
  BatchFeed(const TrainingData& data, int64_t most_chosen, int64_t times, cudaStream_t stream);
  BatchFeed(const BatchFeed&) = delete;
  BatchFeed& operator=(const BatchFeed&) = delete;

  /// Rows of any batch, filled up.
  int64_t most_rows() const { return most_rows_; }
  /// The rows of a batch, filled up.
  int64_t rows_of(const std::vector<int64_t>& chosen) const;

  /// Copies what a batch is. What gather() launches afterwards, captured in a graph or not, reads it.
  void copy(const FeedOrder& order);
  /// Launches the making of a batch of so many features, filled up to `rows` by one sequence more.
  RowsOnDevice gather(int64_t chosen_count, int64_t rows);

  /// The labels, and the teacher's logits where there is one.
  TargetsOnDevice targets() const;
  const float* loss_scale() const { return reinterpret_cast<const float*>(header_.data()); }
  const float* part() const { return loss_scale() + 1; }

 private:
  /// A header that is on its way; it may be written again when `copied` has happened.
  struct Slot {
    PinnedBuffer<std::byte> bytes;
    Event copied;
  };
  int64_t keys_at() const { return 16; }
  int64_t chosen_at() const { return keys_at() + (most_chosen_ + 1) * 8; }
  int64_t first_rows_at() const { return chosen_at() + most_chosen_ * 4; }
  int64_t header_bytes() const { return first_rows_at() + (most_chosen_ + 2) * 4; }

  const std::vector<Feature>& features_;
  const int64_t most_chosen_;  ///< each time that one is counts
  cudaStream_t stream_;
  int64_t longest_ = 0, most_rows_ = 0;
  DeviceBuffer<int32_t> word_ids_, context_begins_, start_labels_, end_labels_;
  DeviceBuffer<int64_t> first_tokens_;
  DeviceBuffer<float> teacher_starts_, teacher_ends_;
  DeviceBuffer<std::byte> header_;
  DeviceBuffer<int32_t> rows_, starts_, ends_;
  std::vector<Slot> slots_;
  size_t next_slot_ = 0;
};

}  // namespace expctl::cuda
