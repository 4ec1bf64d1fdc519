#include "trainer/cuda/batch_feed.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>

namespace expctl::cuda {
namespace {

constexpr int kSlots = 16;

int64_t length_of(const Feature& feature) {
  return static_cast<int64_t>(feature.input_ids.size());
}

int64_t filled_up(int64_t rows) {
  return (rows + kRowBucket - 1) / kRowBucket * kRowBucket;
}

}  // namespace

BatchFeed::BatchFeed(const TrainingData& data, int64_t most_chosen, int64_t times, cudaStream_t stream)
    : features_(data.features), most_chosen_(times * most_chosen), stream_(stream) {
  std::vector<int32_t> words, context_begins, starts, ends;
  std::vector<int64_t> first_tokens{0}, lengths;
  for (const Feature& feature : features_) {
    words.insert(words.end(), feature.input_ids.begin(), feature.input_ids.end());
    first_tokens.push_back(static_cast<int64_t>(words.size()));
    context_begins.push_back(feature.context_begin);
    starts.push_back(feature.start_position);
    ends.push_back(feature.end_position);
    lengths.push_back(length_of(feature));
  }
  std::sort(lengths.begin(), lengths.end(), std::greater<>());
  longest_ = std::max(lengths.front(), kRowBucket);  // what fills a batch up is at most a bucket
  lengths.resize(static_cast<size_t>(std::min(most_chosen, static_cast<int64_t>(lengths.size()))));
  most_rows_ = filled_up(times * std::accumulate(lengths.begin(), lengths.end(), int64_t{0}));
  word_ids_ = DeviceBuffer<int32_t>(words);
  first_tokens_ = DeviceBuffer<int64_t>(first_tokens);
  context_begins_ = DeviceBuffer<int32_t>(context_begins);
  start_labels_ = DeviceBuffer<int32_t>(starts);
  end_labels_ = DeviceBuffer<int32_t>(ends);
  header_ = DeviceBuffer<std::byte>(header_bytes());
  rows_ = DeviceBuffer<int32_t>(4 * most_rows_);
  starts_ = DeviceBuffer<int32_t>(most_chosen_);
  ends_ = DeviceBuffer<int32_t>(most_chosen_);
  if (data.teacher != nullptr) {
    teacher_starts_ = DeviceBuffer<float>(data.teacher->start);
    teacher_ends_ = DeviceBuffer<float>(data.teacher->end);
  }
  for (int i = 0; i < kSlots; ++i) slots_.push_back({PinnedBuffer<std::byte>(header_bytes()), Event()});
}

int64_t BatchFeed::rows_of(const std::vector<int64_t>& chosen) const {
  int64_t rows = 0;
  for (const int64_t i : chosen) rows += length_of(features_[static_cast<size_t>(i)]);
  return filled_up(rows);
}

void BatchFeed::copy(const FeedOrder& order) {
  Slot& slot = slots_[next_slot_];
  next_slot_ = (next_slot_ + 1) % slots_.size();
  slot.copied.wait();
  std::byte* bytes = slot.bytes.data();
  const float scales[] = {static_cast<float>(order.loss_scale), static_cast<float>(order.part)};
  std::memcpy(bytes, scales, sizeof scales);
  auto* keys = reinterpret_cast<uint64_t*>(bytes + keys_at());
  auto* chosen = reinterpret_cast<int32_t*>(bytes + chosen_at());
  auto* first_rows = reinterpret_cast<int32_t*>(bytes + first_rows_at());
  int64_t row = 0;
  size_t count = 0;
  for (const int64_t i : order.chosen) {
    keys[count] = dropout_sequence_key(order.dropout, order.sequences[count]);
    chosen[count] = static_cast<int32_t>(i);
    first_rows[count++] = static_cast<int32_t>(row);
    row += length_of(features_[static_cast<size_t>(i)]);
  }
  keys[count] = 0;
  first_rows[count] = static_cast<int32_t>(row);
  first_rows[count + 1] = static_cast<int32_t>(filled_up(row));
  check(cudaMemcpyAsync(header_.data(), bytes, header_.bytes(), cudaMemcpyHostToDevice, stream_));
  slot.copied.record(stream_);
}

TargetsOnDevice BatchFeed::targets() const {
  TargetsOnDevice targets{starts_.data(), ends_.data()};
  targets.teacher_starts = teacher_starts_.data();
  targets.teacher_ends = teacher_ends_.data();
  targets.chosen = reinterpret_cast<const int32_t*>(header_.data() + chosen_at());
  targets.first_tokens = first_tokens_.data();
  return targets;
}

RowsOnDevice BatchFeed::gather(int64_t chosen_count, int64_t rows) {
  const auto* chosen = reinterpret_cast<const int32_t*>(header_.data() + chosen_at());
  RowsOnDevice batch;
  batch.rows = rows;
  batch.sequences = chosen_count + 1;
  batch.longest = longest_;
  batch.first_rows = reinterpret_cast<const int32_t*>(header_.data() + first_rows_at());
  batch.sequence_keys = reinterpret_cast<const uint64_t*>(header_.data() + keys_at());
  batch.word_ids = rows_.data();
  batch.type_ids = batch.word_ids + most_rows_;
  batch.positions = batch.type_ids + most_rows_;
  batch.sequence_of = batch.positions + most_rows_;
  gather_rows({word_ids_.data(), first_tokens_.data(), context_begins_.data(), start_labels_.data(),
               end_labels_.data()},
              chosen, chosen_count, batch, starts_.data(), ends_.data(), stream_);
  return batch;
}

}  // namespace expctl::cuda
