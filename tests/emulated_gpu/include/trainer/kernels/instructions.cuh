// trainer/kernels/instructions.cuh in plain C++.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "tests/emulated_gpu/block.h"

namespace expctl::cuda {

inline float fast_exp2(float x) {
  return std::exp2(x);
}
inline float fast_reciprocal(float x) {
  return 1 / x;
}

/// The two numbers of a word, low first.
template <typename T>
float2 numbers_of(uint32_t word) {
  if constexpr (std::is_same_v<T, __nv_bfloat16>) {
    return {std::bit_cast<float>(word << 16), std::bit_cast<float>(word & 0xffff0000u)};
  } else {
    __half2 halves;
    std::memcpy(&halves, &word, sizeof word);
    return __half22float2(halves);
  }
}

template <typename T>
void multiply_add(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  struct Given {
    float2 a[4], b[2];
  };
  Given own;
  for (int i = 0; i < 4; ++i) own.a[i] = numbers_of<T>(a[i]);
  own.b[0] = numbers_of<T>(b0);
  own.b[1] = numbers_of<T>(b1);
  const emulated_gpu::FromLanes given(own);
  const unsigned row = emulated_gpu::lane / 4, column = emulated_gpu::lane % 4 * 2;
  for (unsigned k = 0; k < 4; ++k) {  // lanes that have columns 2 k and 2 k + 1 of a, and 8 further
    const Given of_row = given[row * 4 + k];
    for (unsigned n = 0; n < 2; ++n) {
      const Given of_column = given[(column + n) * 4 + k];
      for (unsigned half = 0; half < 2; ++half) {
        const float2 b = of_column.b[half];
        for (unsigned r = 0; r < 2; ++r) {
          const float2 x = of_row.a[2 * half + r];
          c[2 * r + n] += x.x * b.x + x.y * b.y;
        }
      }
    }
  }
}

/// A row of an 8 x 8 matrix.
struct MatrixRow {
  uint16_t numbers[8];
};

inline emulated_gpu::FromLanes<MatrixRow> exchange_rows(const void* row) {
  return emulated_gpu::FromLanes(*static_cast<const MatrixRow*>(__builtin_assume_aligned(row, 16)));
}

inline void load_matrices(uint32_t (&r)[4], const void* row) {
  const auto rows = exchange_rows(row);
  const unsigned lane = emulated_gpu::lane;
  for (unsigned i = 0; i < 4; ++i) {
    const MatrixRow own = rows[i * 8 + lane / 4];
    r[i] = own.numbers[lane % 4 * 2] | uint32_t{own.numbers[lane % 4 * 2 + 1]} << 16;
  }
}

inline void load_matrices_transposed(uint32_t (&r)[4], const void* row) {
  const auto rows = exchange_rows(row);
  const unsigned lane = emulated_gpu::lane;
  for (unsigned i = 0; i < 4; ++i) {
    const auto number = [&](unsigned of) { return uint32_t{rows[i * 8 + of].numbers[lane / 4]}; };
    r[i] = number(lane % 4 * 2) | number(lane % 4 * 2 + 1) << 16;
  }
}

inline void copy_async(void* to, const void* from, bool is_there) {
  emulated_gpu::begin_copy(to, is_there ? from : nullptr);
}
inline void end_of_copies() {
  emulated_gpu::end_group_of_copies();
}
template <int kPending>
void wait_for_copies() {
  emulated_gpu::finish_copies(kPending);
}

}  // namespace expctl::cuda
