#include "trainer/cuda/flash_attention.h"

#include <ATen/cuda/CUDAGeneratorImpl.h>
#include <ATen/ops/_flash_attention_backward.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/from_blob.h>
#include <c10/cuda/CUDAFunctions.h>

#include <cmath>

#include "core/counter_random.h"

namespace expctl::cuda {
namespace {

constexpr int64_t kNumbersPerHead = 32;  ///< by which the kernels' counters of two heads are apart

template <typename T>
at::TensorOptions options() {
  const auto type = std::is_same_v<T, __half> ? at::kHalf : at::kBFloat16;
  return at::TensorOptions().device(at::kCUDA).dtype(type);
}

/// Memory of ours as a tensor. The device is told: LibTorch would ask for it, which a capture may forbid.
at::Tensor view(void* data, at::IntArrayRef sizes, at::IntArrayRef strides,
                const at::TensorOptions& options) {
  return at::for_blob(data, sizes)
      .strides(strides)
      .options(options)
      .target_device(at::Device(at::kCUDA, c10::cuda::current_device()))
      .make_tensor();
}

/// A third of qkv, where it is.
template <typename T>
at::Tensor part_of(const T* qkv, int64_t part, int64_t rows, int64_t heads, int64_t head_size) {
  const int64_t hidden = heads * head_size;
  return view(const_cast<T*>(qkv) + part * hidden, {rows, heads, head_size}, {3 * hidden, head_size, 1},
              options<T>());
}

at::Tensor first_rows_of(const RowsOnDevice& rows) {
  return view(const_cast<int32_t*>(rows.first_rows), {rows.sequences + 1}, {1},
              at::TensorOptions().device(at::kCUDA).dtype(at::kInt));
}

at::CUDAGeneratorImpl& generator() {
  return *at::check_generator<at::CUDAGeneratorImpl>(at::cuda::detail::getDefaultCUDAGenerator());
}

}  // namespace

void seed_flash_masks(uint64_t seed, int64_t step, int64_t first_sequence, int64_t heads) {
  generator().set_current_seed(mix64(mix64(seed) ^ static_cast<uint64_t>(step)));
  generator().set_philox_offset_per_thread(static_cast<uint64_t>(first_sequence * heads * kNumbersPerHead));
}

template <typename T>
FlashState flash_attention(const T* qkv, const RowsOnDevice& rows, int64_t heads, int64_t head_size,
                           double dropout) {
  const at::Tensor first_rows = first_rows_of(rows);
  auto [context, log_sums, random_state, unused, mask] = at::_flash_attention_forward(
      part_of(qkv, 0, rows.rows, heads, head_size), part_of(qkv, 1, rows.rows, heads, head_size),
      part_of(qkv, 2, rows.rows, heads, head_size), first_rows, first_rows, rows.longest, rows.longest,
      dropout, false, false, 1.0 / std::sqrt(static_cast<double>(head_size)));
  // The kernels have taken numbers for as many heads as there are; the next layer's begin where this one's
  // could have ended at most, whatever the batch.
  if (dropout > 0) {
    generator().philox_cuda_state(
        static_cast<uint64_t>((kMostSequences - rows.sequences) * heads * kNumbersPerHead));
  }
  return {context, log_sums, random_state, unused};
}

template <typename T>
FlashGradient flash_attention_gradient(const T* dcontext, const T* qkv, const FlashState& state,
                                       const RowsOnDevice& rows, int64_t heads, int64_t head_size,
                                       double dropout) {
  const at::Tensor first_rows = first_rows_of(rows);
  const at::Tensor gradient = view(const_cast<T*>(dcontext), {rows.rows, heads, head_size},
                                   {heads * head_size, head_size, 1}, options<T>());
  auto [query, key, value] = at::_flash_attention_backward(
      gradient, part_of(qkv, 0, rows.rows, heads, head_size), part_of(qkv, 1, rows.rows, heads, head_size),
      part_of(qkv, 2, rows.rows, heads, head_size), state.context, state.log_sums, first_rows, first_rows,
      rows.longest, rows.longest, dropout, false, state.random_state, state.unused,
      1.0 / std::sqrt(static_cast<double>(head_size)));
  return {query, key, value};
}

#define EXPCTL_FLASH_OF(T)                                                                      \
  template FlashState flash_attention(const T*, const RowsOnDevice&, int64_t, int64_t, double); \
  template FlashGradient flash_attention_gradient(const T*, const T*, const FlashState&,        \
                                                  const RowsOnDevice&, int64_t, int64_t, double);
EXPCTL_FLASH_OF(__nv_bfloat16)
EXPCTL_FLASH_OF(__half)
#undef EXPCTL_FLASH_OF

}  // namespace expctl::cuda
