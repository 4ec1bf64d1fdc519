// The inner loops of the model on a CPU, compiled once for each instruction set: plain pointers, one thread,
// no allocation. Whatever calls them divides its work in tiles that do not depend on the number of threads,
// and each sum runs in one order, so that a result does not either.
//
// Matrices are row-major; `ld` is the distance of two rows in elements. T is what activations are kept in
// (trainer/kernels/types.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "trainer/kernels/mask.h"
#include "trainer/kernels/types.h"

namespace expctl {

/// Columns of a packed right-hand side that are computed at once.
inline constexpr int64_t kPanelColumns = 32;
/// The most columns of a packed left-hand side, which is used transposed: 12, or 32 where the CPU has tiles.
inline constexpr int64_t kMostBlockColumns = 32;
/// The most that Kernels::product_rows is.
inline constexpr int64_t kMostRowsAtOnce = 96;
/// Rows of c that product() may write: up to the next multiple.
inline constexpr int64_t kProductRows = 16;

/// One head of one sequence: query, key and value are [length, size]. `keys` has one key a query position.
template <typename T>
struct AttentionHead {
  int64_t length, size;  ///< tokens; width of a head
  const T *query, *key, *value;
  int64_t ld;  ///< of query, key and value
  float scale;
  const uint64_t* keys;
  Mask mask;
};

template <typename T>
struct AttentionGradient {
  const T *context, *dcontext;  ///< [length, size]: the result, and the gradient by it
  int64_t ld;                   ///< of both
  const float* log_sums;        ///< [length], as attention() has left them
  T *dquery, *dkey, *dvalue;    ///< out; their ld is the head's
};

template <typename T>
struct Kernels {
  // ---- Products: C[m, n] = sum over k of A[m, k] B[k, n], B packed in panels of kPanelColumns columns.

  int64_t product_rows;   ///< that product() is best given at once: they stay in the first cache
  int64_t block_columns;  ///< of a packed left-hand side

  /// Around products, in their thread: see ProductsInUse.
  void (*begin_products)();
  void (*end_products)();

  size_t (*panel_bytes)(int64_t k);
  /// One panel of B[k, n <= kPanelColumns], whose element (i, j) is b[i * row_stride + j * column_stride];
  /// one of the strides is 1. Columns that are not there are zeros.
  void (*pack_panel)(const T* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t n,
                     std::byte* panel);
  void (*pack_panel_fp32)(const float* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t n,
                          std::byte* panel);
  /// A block of block_columns columns of a[k, m <= block_columns], for products of its transpose.
  size_t (*block_bytes)(int64_t k);
  void (*pack_block)(const T* a, int64_t ld, int64_t k, int64_t m, std::byte* block);

  /// c[rows, kPanelColumns] of a[rows, k] and a panel. c has room for the next multiple of kProductRows.
  void (*product)(const T* a, int64_t ld, int64_t rows, int64_t k, const std::byte* panel, float* c);
  /// c[block_columns, kPanelColumns] of a block and a panel; c += where `add`.
  void (*block_product)(const std::byte* block, int64_t k, const std::byte* panel, bool add, float* c);

  // ---- What becomes of c[rows, n <= kPanelColumns], whose rows are kPanelColumns apart.

  void (*store)(const float* c, int64_t rows, int64_t n, const float* bias, T* out, int64_t ld);
  /// pre = c + bias; out = gelu(pre), of the rounded pre. A null pre is not kept.
  void (*store_gelu)(const float* c, int64_t rows, int64_t n, const float* bias, T* pre, T* out, int64_t ld);
  /// out = c gelu'(pre)
  void (*store_gelu_gradient)(const float* c, int64_t rows, int64_t n, const T* pre, T* out, int64_t ld);
  /// out = c, or out += c; returns the sum of the squares of `out`.
  double (*store_fp32)(const float* c, int64_t rows, int64_t n, bool add, float* out, int64_t ld);

  // ---- Rows of `width` elements.

  /// sum = mask(x) + residual (x alone where residual is null, with no mask); out = LayerNorm of the rounded
  /// sum, masked by `out_mask`; mean and 1/deviation of each row into stats[rows, 2].
  void (*add_norm)(const T* x, const T* residual, const uint64_t* keys, Mask mask, const float* gamma,
                   const float* beta, float epsilon, int64_t rows, int64_t width, T* sum, float* stats,
                   T* out);
  /// Of the gradient of `out`, which is gradient + more (`more` may be null): that of `sum` into dsum, that
  /// of x (dsum, masked) into dx, the rows' sums of those of gamma and beta into partial[2, width].
  void (*add_norm_gradient)(const T* gradient, const T* more, const T* sum, const float* stats,
                            const uint64_t* keys, Mask mask, const float* gamma, int64_t rows, int64_t width,
                            T* dsum, T* dx, float* partial);
  /// x masked, in place.
  void (*mask_rows)(T* x, const uint64_t* keys, Mask mask, int64_t rows, int64_t width);
  /// out[width] = sums over the rows.
  void (*column_sums)(const T* x, int64_t ld, int64_t rows, int64_t width, float* out);

  // ---- Attention

  size_t (*attention_scratch_bytes)(int64_t length, int64_t size);
  /// context[length, size]; log_sums[length] are the logs of the softmax's denominators.
  void (*attention)(const AttentionHead<T>& head, T* context, int64_t ld, float* log_sums,
                    std::byte* scratch);
  void (*attention_gradient)(const AttentionHead<T>& head, const AttentionGradient<T>& gradient,
                             std::byte* scratch);

  // ---- Types

  void (*from_fp32)(const float* from, int64_t count, T* to);
  void (*to_fp32)(const T* from, int64_t count, float* to);
};

/// Those of the instruction set in use (isa_in_use()); T is float, Bf16 or Fp16.
template <typename T>
const Kernels<T>& kernels();

/// What product() and block_product() need of the CPU is the calling thread's while one of these lives; not
/// two at once, and no attention meanwhile.
template <typename T>
class ProductsInUse {
 public:
  explicit ProductsInUse(const Kernels<T>& kernels) : kernels_(kernels) { kernels_.begin_products(); }
  ~ProductsInUse() { kernels_.end_products(); }
  ProductsInUse(const ProductsInUse&) = delete;
  ProductsInUse& operator=(const ProductsInUse&) = delete;

 private:
  const Kernels<T>& kernels_;
};

}  // namespace expctl
