// Embeddings and the gradients of their tables. No sum is left to the order of atomic additions.
#include <cub/device/device_radix_sort.cuh>

#include "trainer/kernels/norm.cuh"

namespace expctl::cuda {
namespace {

template <typename T, typename Shape, bool kDropout>
__global__ void __launch_bounds__(kThreads)
    embed_kernel(RowsOnDevice rows, EmbeddingTables tables, DropoutSite dropout, int64_t width, float* sum,
                 float* stats, T* out) {
  const int64_t row = blockIdx.x * int64_t{kWarpsPerBlock} + threadIdx.x / kWarp;
  if (row >= rows.rows) return;
  const uint64_t key = row_key<kDropout>(rows, dropout, row);
  const float* word = tables.words + rows.word_ids[row] * width;
  const float* type = tables.types + rows.type_ids[row] * width;
  const float* position = tables.positions + rows.positions[row] * width;
  float4 values[Shape::kVectors];
  for (int v = 0; v < Shape::kVectors; ++v) {
    const int64_t c = column_of(v);
    values[v] = {0, 0, 0, 0};
    if (!Shape::has(c, width)) continue;
    values[v] = add(add(load4(word + c), load4(type + c)), load4(position + c));
    store4(sum + row * width + c, values[v]);
  }
  normalize<Shape>(values, tables.gamma, tables.beta, tables.epsilon, width, stats + 2 * row,
                   [&](int64_t c, float4 normal) {
                     if (kDropout)
                       normal = multiply(normal, mask4(key, dropout.mask, static_cast<uint32_t>(c)));
                     store4(out + row * width + c, normal);
                   });
}

template <typename T, typename Shape, bool kDropout>
__global__ void __launch_bounds__(kThreads)
    embed_gradient_kernel(const T* gradient, const T* more, RowsOnDevice rows, const float* sum,
                          const float* stats, DropoutSite dropout, const float* gamma, int64_t width,
                          float* dsum, float* partial) {
  float4 sums[2][Shape::kVectors] = {};
  for (int64_t row = blockIdx.x * int64_t{kWarpsPerBlock} + threadIdx.x / kWarp; row < rows.rows;
       row += int64_t{gridDim.x} * kWarpsPerBlock) {
    const uint64_t key = row_key<kDropout>(rows, dropout, row);
    float4 g[Shape::kVectors], normal[Shape::kVectors];
    for (int v = 0; v < Shape::kVectors; ++v) {
      const int64_t c = column_of(v);
      g[v] = normal[v] = {0, 0, 0, 0};
      if (!Shape::has(c, width)) continue;
      g[v] = add(load4(gradient + row * width + c), load4(more + row * width + c));
      if (kDropout) g[v] = multiply(g[v], mask4(key, dropout.mask, static_cast<uint32_t>(c)));
      normal[v] = load4(sum + row * width + c);
    }
    norm_gradient<Shape>(g, normal, stats + 2 * row, gamma, width, sums[0], sums[1]);
    for (int v = 0; v < Shape::kVectors; ++v) {
      const int64_t c = column_of(v);
      if (Shape::has(c, width)) store4(dsum + row * width + c, g[v]);
    }
  }
  sum_over_warps<2, Shape::kVectors>(sums, width, partial + blockIdx.x * 2 * width);
}

/// Rows in the order of their words, those without a gradient last.
struct Sorting {
  int32_t *keys, *rows, *sorted_keys, *sorted_rows;
  void* temporary;
  size_t temporary_bytes;
};

size_t temporary_bytes(int64_t rows) {
  size_t bytes = 0;
  check(cub::DeviceRadixSort::SortPairs(nullptr, bytes, static_cast<const int32_t*>(nullptr),
                                        static_cast<int32_t*>(nullptr), static_cast<const int32_t*>(nullptr),
                                        static_cast<int32_t*>(nullptr), rows));
  return bytes;
}

Sorting sorting_in(void* memory, int64_t rows) {
  auto* numbers = static_cast<int32_t*>(memory);
  const int64_t room = (rows + 63) / 64 * 64;  // what follows stays aligned
  return {numbers,
          numbers + room,
          numbers + 2 * room,
          numbers + 3 * room,
          numbers + 4 * room,
          temporary_bytes(rows)};
}

__global__ void sort_keys_kernel(RowsOnDevice rows, int64_t real_sequences, int32_t word_count, int32_t* keys,
                                 int32_t* numbers) {
  const int64_t row = blockIdx.x * int64_t{kThreads} + threadIdx.x;
  if (row >= rows.rows) return;
  keys[row] = rows.sequence_of[row] < real_sequences ? rows.word_ids[row] : word_count;
  numbers[row] = static_cast<int32_t>(row);
}

constexpr int kRowLanes = 4;
constexpr int kMostColumnLanes = static_cast<int>(kMostHidden / 4);

/// A block a row of the sorted ones; the first of each word sums all of its rows, every kRowLanes-th by other
/// threads: "the" and "," have hundreds.
__global__ void word_gradient_kernel(const float* dsum, const int32_t* keys, const int32_t* numbers,
                                     int64_t rows, int32_t word_count, int64_t width, float* dwords) {
  const int64_t first = blockIdx.x;
  const int32_t word = keys[first];
  if (word == word_count || (first > 0 && keys[first - 1] == word)) return;
  int64_t last = first + 1;
  while (last < rows && keys[last] == word) ++last;
  const int64_t c = threadIdx.x * int64_t{4};
  float4 total = {0, 0, 0, 0};
#pragma unroll 8
  for (int64_t i = first + threadIdx.y; i < last; i += kRowLanes)
    total = add(total, load4(dsum + numbers[i] * width + c));
  __shared__ float4 of_lanes[kRowLanes][kMostColumnLanes];
  of_lanes[threadIdx.y][threadIdx.x] = total;
  __syncthreads();
  if (threadIdx.y != 0) return;
  for (int lane = 1; lane < kRowLanes; ++lane) total = add(total, of_lanes[lane][threadIdx.x]);
  store4(dwords + word * width + c, add(load4(dwords + word * width + c), total));
}

__global__ void position_gradient_kernel(const float* dsum, RowsOnDevice rows, int64_t real_sequences,
                                         int64_t width, bool adds, float* dpositions) {
  const int64_t position = blockIdx.x;
  for (int64_t c = threadIdx.x * 4; c < width; c += int64_t{blockDim.x} * 4) {
    float* to = dpositions + position * width + c;
    float4 total = adds ? load4(to) : float4{0, 0, 0, 0};
    for (int64_t s = 0; s < real_sequences; ++s) {
      const int64_t row = rows.first_rows[s] + position;
      if (row < rows.first_rows[s + 1]) total = add(total, load4(dsum + row * width + c));
    }
    store4(to, total);
  }
}

/// Sums of the rows of type 0 and of type 1: partial [gridDim.y, 2, width].
__global__ void type_gradient_kernel(const float* dsum, RowsOnDevice rows, int64_t width, float* partial) {
  const int64_t c = (blockIdx.x * int64_t{blockDim.x} + threadIdx.x) * 4;
  if (c >= width) return;
  float4 sums[2] = {};
  for (int64_t row = blockIdx.y; row < rows.rows; row += gridDim.y) {
    const float4 value = load4(dsum + row * width + c);  // zero where there is no gradient
    const bool second = rows.type_ids[row] != 0;
    sums[0] = add(sums[0], second ? float4{0, 0, 0, 0} : value);
    sums[1] = add(sums[1], second ? value : float4{0, 0, 0, 0});
  }
  store4(partial + (blockIdx.y * int64_t{2} + 0) * width + c, sums[0]);
  store4(partial + (blockIdx.y * int64_t{2} + 1) * width + c, sums[1]);
}

}  // namespace

template <typename T>
void embed(const RowsOnDevice& rows, const EmbeddingTables& tables, const DropoutSite& dropout, int64_t width,
           float* sum, float* stats, T* out, cudaStream_t stream) {
  for_row_shape(width, [&]<typename Shape>() {
    for_dropout(dropout.mask, [&]<bool kDropout>() {
      launch(embed_kernel<T, Shape, kDropout>, blocks_for(rows.rows, kWarpsPerBlock), kThreads, stream, rows,
             tables, dropout, width, sum, stats, out);
    });
  });
}

template <typename T>
void embed_gradient(const T* gradient, const T* more, const RowsOnDevice& rows, const float* sum,
                    const float* stats, const DropoutSite& dropout, const float* gamma, int64_t width,
                    float* dsum, float* partial, cudaStream_t stream) {
  for_row_shape(width, [&]<typename Shape>() {
    for_dropout(dropout.mask, [&]<bool kDropout>() {
      launch(embed_gradient_kernel<T, Shape, kDropout>, kMostParts, kThreads, stream, gradient, more, rows,
             sum, stats, dropout, gamma, width, dsum, partial);
    });
  });
}

size_t sort_bytes(int64_t rows) {
  return static_cast<size_t>((rows + 63) / 64 * 64) * 4 * sizeof(int32_t) + temporary_bytes(rows);
}

void table_gradients(const float* dsum, const RowsOnDevice& rows, int64_t real_sequences, int64_t word_count,
                     int64_t position_count, int64_t width, bool add, float* dwords, float* dtypes,
                     float* dpositions, void* memory, float* partial, cudaStream_t stream) {
  const Sorting sorting = sorting_in(memory, rows.rows);
  const auto words = static_cast<int32_t>(word_count);
  launch(sort_keys_kernel, blocks_for(rows.rows, kThreads), kThreads, stream, rows, real_sequences, words,
         sorting.keys, sorting.rows);
  int bits = 1;
  while ((int64_t{1} << bits) <= word_count) ++bits;
  size_t bytes = sorting.temporary_bytes;
  check(cub::DeviceRadixSort::SortPairs(sorting.temporary, bytes, sorting.keys, sorting.sorted_keys,
                                        sorting.rows, sorting.sorted_rows, rows.rows, 0, bits, stream));
  const unsigned threads = std::min<unsigned>(kThreads, blocks_for(width, 4 * kWarp) * kWarp);
  launch(word_gradient_kernel, static_cast<unsigned>(rows.rows),
         dim3(static_cast<unsigned>(width / 4), kRowLanes), stream, dsum, sorting.sorted_keys,
         sorting.sorted_rows, rows.rows, words, width, dwords);
  launch(position_gradient_kernel, static_cast<unsigned>(position_count), threads, stream, dsum, rows,
         real_sequences, width, add, dpositions);
  const auto parts = static_cast<unsigned>(column_parts(width));
  launch(type_gradient_kernel, dim3(blocks_for(width, int64_t{threads} * 4), parts), threads, stream, dsum,
         rows, width, partial);
  const auto pitch = static_cast<int32_t>(2 * width);
  const PartialSums sums{partial, static_cast<int32_t>(parts), pitch, pitch, dtypes};
  sum_partials(&sums, 1, add, stream);
}

#define EXPCTL_EMBEDDINGS_OF(T)                                                                         \
  template void embed(const RowsOnDevice&, const EmbeddingTables&, const DropoutSite&, int64_t, float*, \
                      float*, T*, cudaStream_t);                                                        \
  template void embed_gradient(const T*, const T*, const RowsOnDevice&, const float*, const float*,     \
                               const DropoutSite&, const float*, int64_t, float*, float*, cudaStream_t);
EXPCTL_EMBEDDINGS_OF(float)
EXPCTL_EMBEDDINGS_OF(__nv_bfloat16)
EXPCTL_EMBEDDINGS_OF(__half)
#undef EXPCTL_EMBEDDINGS_OF

}  // namespace expctl::cuda
