#include "trainer/rows.h"

#include <algorithm>

#include "core/tiles.h"
#include "trainer/kernels/kernels.h"

namespace expctl {
namespace {

constexpr int64_t kRowTile = 64;
constexpr int64_t kElementTile = 32768;

const uint64_t* keys_from(const RowDropout& dropout, int64_t row) {
  return dropout.keys.empty() ? nullptr : dropout.keys.data() + row;
}

}  // namespace

RowDropout row_dropout(const PackedBatch& batch, const DropoutKey& key, int64_t site, double rate) {
  RowDropout dropout;
  if (rate == 0) return dropout;
  dropout.mask = dropout_mask(rate);
  dropout.keys.reserve(batch.input_ids.size());
  for (size_t s = 0; s < batch.lengths.size(); ++s) {
    for (int64_t p = 0; p < batch.lengths[s]; ++p)
      dropout.keys.push_back(dropout_row_key(key, batch.sequences[s], site, p));
  }
  return dropout;
}

template <typename T>
void add_norm(const T* x, const T* residual, const RowDropout& dropout, const NormParameters& p, int64_t rows,
              NormActivations<T>& a) {
  T* sum = a.sum.resize(rows * p.width);
  float* stats = a.stats.resize(rows * 2);
  T* out = a.out.resize(rows * p.width);
  for_each_range(rows, kRowTile, [&](int64_t begin, int64_t end, int64_t) {
    const int64_t at = begin * p.width;
    kernels<T>().add_norm(x + at, residual == nullptr ? nullptr : residual + at, keys_from(dropout, begin),
                          dropout.mask, p.gamma, p.beta, p.epsilon, end - begin, p.width, sum + at,
                          stats + 2 * begin, out + at);
  });
}

template <typename T>
void add_norm_gradient(const T* gradient, const T* more, const NormActivations<T>& a,
                       const RowDropout& dropout, const NormParameters& p, int64_t rows, bool add, T* dsum,
                       T* dx, float* dgamma, float* dbeta, std::vector<float>& partial) {
  const int64_t tiles = (rows + kRowTile - 1) / kRowTile;
  partial.resize(static_cast<size_t>(tiles * 2 * p.width));
  for_each_range(rows, kRowTile, [&](int64_t begin, int64_t end, int64_t) {
    const int64_t at = begin * p.width;
    kernels<T>().add_norm_gradient(gradient + at, more == nullptr ? nullptr : more + at, a.sum.data() + at,
                                   a.stats.data() + 2 * begin, keys_from(dropout, begin), dropout.mask,
                                   p.gamma, end - begin, p.width, dsum + at, dx + at,
                                   partial.data() + begin / kRowTile * 2 * p.width);
  });
  for (int64_t i = 0; i < 2 * p.width; ++i) {
    float total = 0;
    for (int64_t tile = 0; tile < tiles; ++tile)
      total += partial[static_cast<size_t>(tile * 2 * p.width + i)];
    float& to = i < p.width ? dgamma[i] : dbeta[i - p.width];
    to = add ? to + total : total;
  }
}

void apply_dropout(float* x, const RowDropout& dropout, int64_t width) {
  for_each_range(static_cast<int64_t>(dropout.keys.size()), kRowTile,
                 [&](int64_t begin, int64_t end, int64_t) {
                   kernels<float>().mask_rows(x + begin * width, keys_from(dropout, begin), dropout.mask,
                                              end - begin, width);
                 });
}

template <typename From, typename To>
void convert_rows(const From* from, To* to, int64_t count) {
  for_each_range(count, kElementTile, [&](int64_t begin, int64_t end, int64_t) {
    if constexpr (std::is_same_v<From, float>)
      kernels<To>().from_fp32(from + begin, end - begin, to + begin);
    else
      kernels<From>().to_fp32(from + begin, end - begin, to + begin);
  });
}

#define EXPCTL_ROWS_OF(T)                                                                           \
  template void add_norm(const T*, const T*, const RowDropout&, const NormParameters&, int64_t,     \
                         NormActivations<T>&);                                                      \
  template void add_norm_gradient(const T*, const T*, const NormActivations<T>&, const RowDropout&, \
                                  const NormParameters&, int64_t, bool, T*, T*, float*, float*,     \
                                  std::vector<float>&);                                             \
  template void convert_rows(const float*, T*, int64_t);
EXPCTL_ROWS_OF(float)
EXPCTL_ROWS_OF(Bf16)
EXPCTL_ROWS_OF(Fp16)
#undef EXPCTL_ROWS_OF
template void convert_rows(const Bf16*, float*, int64_t);
template void convert_rows(const Fp16*, float*, int64_t);

}  // namespace expctl
