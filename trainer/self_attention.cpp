#include "trainer/self_attention.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/tiles.h"
#include "trainer/buffer.h"
#include "trainer/kernels/kernels.h"

namespace expctl {
namespace {

/// f(head, first row, its index, scratch) for each head of each sequence.
template <typename T, typename F>
void for_each_head(const AttentionShape& shape, const T* qkv, const F& f) {
  const auto& lengths = shape.batch->lengths;
  std::vector<int64_t> first_rows(lengths.size());
  std::exclusive_scan(lengths.begin(), lengths.end(), first_rows.begin(), int64_t{0});
  const int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  const int64_t hidden = shape.heads * shape.head_size;
  const auto tiles = static_cast<int64_t>(lengths.size()) * shape.heads;
  for_each_tile(tiles, [&](int64_t tile, int64_t) {
    thread_local Buffer<std::byte> scratch;
    thread_local std::vector<uint64_t> row_keys;
    const auto sequence = static_cast<size_t>(tile / shape.heads);
    const int64_t index = tile % shape.heads, first = first_rows[sequence];
    row_keys.clear();
    AttentionHead<T> head;
    head.length = lengths[sequence];
    head.size = shape.head_size;
    head.query = qkv + first * 3 * hidden + index * head.size;
    head.key = head.query + hidden;
    head.value = head.key + hidden;
    head.ld = 3 * hidden;
    head.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(head.size)));
    if (shape.dropout > 0) {
      head.mask = dropout_mask(shape.dropout);
      for (int64_t p = 0; p < head.length; ++p)
        row_keys.push_back(
            dropout_row_key(shape.key, shape.batch->sequences[sequence], shape.first_site + index, p));
    }
    head.keys = row_keys.data();
    f(head, first, index,
      scratch.resize(static_cast<int64_t>(kernels<T>().attention_scratch_bytes(longest, head.size))));
  });
}

int64_t total_rows(const AttentionShape& shape) {
  return static_cast<int64_t>(shape.batch->input_ids.size());
}

}  // namespace

template <typename T>
void self_attention(const AttentionShape& shape, const T* qkv, T* context, float* log_sums) {
  const int64_t hidden = shape.heads * shape.head_size;
  for_each_head<T>(shape, qkv,
                   [&](const AttentionHead<T>& head, int64_t first, int64_t index, std::byte* scratch) {
                     kernels<T>().attention(head, context + first * hidden + index * head.size, hidden,
                                            log_sums + index * total_rows(shape) + first, scratch);
                   });
}

template <typename T>
void self_attention_gradient(const AttentionShape& shape, const T* qkv, const T* context,
                             const float* log_sums, const T* dcontext, T* dqkv) {
  const int64_t hidden = shape.heads * shape.head_size;
  for_each_head<T>(shape, qkv,
                   [&](const AttentionHead<T>& head, int64_t first, int64_t index, std::byte* scratch) {
                     const int64_t place = first * hidden + index * head.size;
                     AttentionGradient<T> gradient;
                     gradient.context = context + place;
                     gradient.dcontext = dcontext + place;
                     gradient.ld = hidden;
                     gradient.log_sums = log_sums + index * total_rows(shape) + first;
                     gradient.dquery = dqkv + (head.query - qkv);
                     gradient.dkey = gradient.dquery + hidden;
                     gradient.dvalue = gradient.dkey + hidden;
                     kernels<T>().attention_gradient(head, gradient, scratch);
                   });
}

#define EXPCTL_ATTENTION_OF(T)                                                                             \
  template void self_attention(const AttentionShape&, const T*, T*, float*);                               \
  template void self_attention_gradient(const AttentionShape&, const T*, const T*, const float*, const T*, \
                                        T*);
EXPCTL_ATTENTION_OF(float)
EXPCTL_ATTENTION_OF(Bf16)
EXPCTL_ATTENTION_OF(Fp16)
#undef EXPCTL_ATTENTION_OF

}  // namespace expctl
