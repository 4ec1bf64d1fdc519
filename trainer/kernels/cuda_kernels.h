// The kernels of the model on a GPU; products are cuBLAS's (trainer/cuda/products.h). Rows are those of
// packed sequences, matrices row-major, and every sum has one order, so that a result is the same from run to
// run. T is what activations are kept in: float, __nv_bfloat16 or __half; arithmetic is fp32.
//
// Widths are multiples of 8, hidden states at most kMostHidden wide. All pointers are the device's.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime_api.h>

#include <cstdint>

#include "trainer/kernels/mask.h"
#include "trainer/kernels/optimizer_kernels.h"

namespace expctl::cuda {

inline constexpr int64_t kMostHidden = 1024;

/// Sequences one after the other. The last ones may be there to fill the rows up: no loss is of them.
struct RowsOnDevice {
  int64_t rows = 0;
  int64_t sequences = 0;
  int64_t longest = 0;                      ///< no sequence has more rows
  const int32_t* first_rows = nullptr;      ///< [sequences + 1]
  const uint64_t* sequence_keys = nullptr;  ///< [sequences], of dropout (dropout_sequence_key)
  int32_t* word_ids = nullptr;              ///< [rows]
  int32_t* type_ids = nullptr;              ///< [rows]
  int32_t* positions = nullptr;             ///< [rows], in the sequence
  int32_t* sequence_of = nullptr;           ///< [rows]
};

/// Dropout at one place of the model.
struct DropoutSite {
  int64_t site = 0;
  Mask mask;
};

// ---- Batches

/// Every feature of a data set, one after the other.
struct FeaturesOnDevice {
  const int32_t* word_ids;        ///< [tokens]
  const int64_t* first_tokens;    ///< [features + 1]
  const int32_t* context_begins;  ///< [features]
  const int32_t* starts;          ///< [features], labels
  const int32_t* ends;
};

/// Fills word_ids, type_ids, positions and sequence_of with the features `chosen` [chosen_count]; rows of
/// sequences after them are words 0. starts and ends [chosen_count] are the labels.
void gather_rows(const FeaturesOnDevice& features, const int32_t* chosen, int64_t chosen_count,
                 const RowsOnDevice& rows, int32_t* starts, int32_t* ends, cudaStream_t stream);

// ---- Sums over rows

/// Rows of partial sums, [parts, pitch], of which `count` columns become one row.
struct PartialSums {
  const float* partial = nullptr;
  int32_t parts = 0, pitch = 0, count = 0;
  float* to = nullptr;
};
inline constexpr int kMostPartialSums = 12;

/// Each `to` is the sum of its parts, or is added to.
void sum_partials(const PartialSums* sums, int count, bool add, cudaStream_t stream);

/// How many parts a kernel makes of the sums of rows of this width, at most kMostParts.
inline constexpr int32_t kMostParts = 264;
int32_t norm_parts();
int32_t column_parts(int64_t width);

// ---- Embeddings

struct EmbeddingTables {
  const float *words, *types, *positions;  ///< [words | types | positions, width]
  const float *gamma, *beta;
  float epsilon;
};

/// out = dropout(LayerNorm(word + type + position)); sum [rows, width] and stats [rows, 2] are for the
/// gradient.
template <typename T>
void embed(const RowsOnDevice& rows, const EmbeddingTables& tables, const DropoutSite& dropout, int64_t width,
           float* sum, float* stats, T* out, cudaStream_t stream);

/// Of the gradient of `out`, gradient + more: dsum [rows, width], and partial [norm_parts(), 2, width] of
/// those of gamma and beta.
template <typename T>
void embed_gradient(const T* gradient, const T* more, const RowsOnDevice& rows, const float* sum,
                    const float* stats, const DropoutSite& dropout, const float* gamma, int64_t width,
                    float* dsum, float* partial, cudaStream_t stream);

/// Memory to sort up to `rows` words by.
size_t sort_bytes(int64_t rows);

/// Gradients of the tables: those of rows' words are added to dwords (zero before the first micro-batch),
/// dtypes and dpositions are written, or added to. `real_sequences` come first; rows of the others have a
/// dsum of zero. `sorting` has sort_bytes(), partial room for [column_parts(width), 2, width].
void table_gradients(const float* dsum, const RowsOnDevice& rows, int64_t real_sequences, int64_t word_count,
                     int64_t position_count, int64_t width, bool add, float* dwords, float* dtypes,
                     float* dpositions, void* sorting, float* partial, cudaStream_t stream);

// ---- Dropout, residuals and LayerNorm

/// sum = dropout(x + bias) + residual; out = LayerNorm(sum); stats [rows, 2] are mean and 1 / deviation.
template <typename T>
void add_norm(const T* x, const float* bias, const T* residual, const RowsOnDevice& rows,
              const DropoutSite& dropout, const float* gamma, const float* beta, float epsilon, int64_t width,
              T* sum, float* stats, T* out, cudaStream_t stream);

/// Of the gradient of `out`, gradient + more (which may be null): dsum, that of the residual; dx, that of x;
/// partial [norm_parts(), 3, width] of those of gamma, beta and bias.
template <typename T>
void add_norm_gradient(const T* gradient, const T* more, const T* sum, const float* stats,
                       const RowsOnDevice& rows, const DropoutSite& dropout, const float* gamma,
                       int64_t width, T* dsum, T* dx, float* partial, cudaStream_t stream);

// ---- Wide layers

/// out = gelu(x + bias), exact.
template <typename T>
void bias_gelu(const T* x, const float* bias, int64_t rows, int64_t width, T* out, cudaStream_t stream);

/// gradient, of `out`, becomes that of x in place; partial [column_parts(width), width] of the bias's.
template <typename T>
void bias_gelu_gradient(T* gradient, const T* x, const float* bias, int64_t rows, int64_t width,
                        float* partial, cudaStream_t stream);

/// partial [column_parts(width), width] of the sums over rows.
template <typename T>
void column_sums(const T* x, int64_t rows, int64_t width, float* partial, cudaStream_t stream);

// ---- The span head

/// logits [rows, 2] = hidden weight' + bias; weight is [2, width].
template <typename T>
void span_logits(const T* hidden, const float* weight, const float* bias, int64_t rows, int64_t width,
                 float* logits, cudaStream_t stream);

/// dhidden; partial [norm_parts(), 2 width + 2] of the gradients of weight and bias.
template <typename T>
void span_logits_gradient(const float* dlogits, const T* hidden, const float* weight, int64_t rows,
                          int64_t width, T* dhidden, float* partial, cudaStream_t stream);

/// What logits are compared with, as trainer/span_loss.h has it.
struct TargetsOnDevice {
  const int32_t *starts, *ends;  ///< labels [real_sequences]
  float smoothing = 0, distillation = 0;
  // The teacher's logits of every token of the data set, and where a sequence finds its own; null: none.
  const float *teacher_starts = nullptr, *teacher_ends = nullptr;
  const int32_t* chosen = nullptr;        ///< features [real_sequences]
  const int64_t* first_tokens = nullptr;  ///< [features]
};

/// losses [real_sequences] as trainer/span_loss.h has them; dlogits [rows, 2] is the gradient of *scale times
/// their sum, zero in the rows of other sequences.
void span_loss(const float* logits, const RowsOnDevice& rows, int64_t real_sequences,
               const TargetsOnDevice& targets, const float* scale, float* losses, float* dlogits,
               cudaStream_t stream);

/// Where sequence s + pairs is s in a second pass (trainer/rdrop.h), and each of the two counts half: to
/// losses[s] is added weight / 2 (KL(p || q) + KL(q || p)), summed over start and end, and to dlogits its
/// gradient times *scale.
void add_divergence(const float* logits, const RowsOnDevice& rows, int64_t pairs, float weight,
                    const float* scale, float* losses, float* dlogits, cudaStream_t stream);

// ---- Attention, without its scores in memory (FlashAttention, Dao et al. 2022). Its masks are the CPU's.

struct AttentionSizes {
  int64_t heads, head_size;  ///< head_size is a multiple of 8, at most 128
  int64_t first_site;        ///< of the dropout of head 0
  Mask mask;
};

/// qkv [rows, 3, heads, head_size]; context [rows, heads, head_size]; log_sums [heads, rows].
template <typename T>
void attention(const T* qkv, const RowsOnDevice& rows, const AttentionSizes& sizes, T* context,
               float* log_sums, cudaStream_t stream);

/// dqkv as qkv; along [heads, rows] is room.
template <typename T>
void attention_gradient(const T* dcontext, const T* qkv, const T* context, const float* log_sums,
                        const RowsOnDevice& rows, const AttentionSizes& sizes, float* along, T* dqkv,
                        cudaStream_t stream);

// ---- The optimizer

/// What a step has come to.
struct StepNumbers {
  double loss = 0;           ///< mean over the batch so far
  double grad_norm = 0;      ///< of the gradients without the loss scale
  float gradient_scale = 0;  ///< what gradients are multiplied by to be clipped and without the loss scale
  int32_t is_finite = 0;     ///< whether loss and norm are numbers: else nothing moves
};

/// numbers->loss = the sum of losses times *part, or is added to.
void add_losses(const float* losses, int64_t count, const float* part, bool add, StepNumbers* numbers,
                cudaStream_t stream);

inline constexpr int64_t kNormBlocks = 1024;

/// Norm and scale of `count` gradients (a multiple of 4); partial has kNormBlocks numbers. max_norm 0: not
/// clipped.
void finish_gradients(const float* gradients, int64_t count, double max_norm, double loss_scale,
                      double* partial, StepNumbers* numbers, cudaStream_t stream);

/// Which rule moves the parameters (trainer/optimizer.h).
enum class UpdateRule { kAdam, kSgd };

/// One update of `count` parameters (a multiple of 4), where numbers->is_finite; `rounded`, their copy in T,
/// is written where it is not null.
template <typename T>
void update(UpdateRule rule, const UpdateElements& elements, int64_t count, const UpdateCoefficients& c,
            const StepNumbers* numbers, T* rounded, cudaStream_t stream);

/// average -= rest (average - parameters), of `count` (a multiple of 4), where numbers->is_finite.
void move_average(float* average, const float* parameters, int64_t count, float rest,
                  const StepNumbers* numbers, cudaStream_t stream);

/// moved = words + gradient / its norm, of `count` (a multiple of 4), or words where that norm is 0 or no
/// finite number; `moved` may be `gradient`; partial has kNormBlocks numbers.
void attack_words(const float* words, const float* gradient, int64_t count, double* partial, float* moved,
                  cudaStream_t stream);

/// to = from, rounded; count is a multiple of 4.
template <typename T>
void round_to(const float* from, int64_t count, T* to, cudaStream_t stream);

}  // namespace expctl::cuda
