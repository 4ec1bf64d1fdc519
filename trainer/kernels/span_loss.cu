// The loss of span prediction, a block a sequence, in fp32.
#include "trainer/kernels/rows.cuh"

namespace expctl::cuda {
namespace {

__device__ inline float block_max(float v) {
  __shared__ float of_warps[kWarpsPerBlock];
  v = warp_max(v);
  __syncthreads();
  if (threadIdx.x % kWarp == 0) of_warps[threadIdx.x / kWarp] = v;
  __syncthreads();
  float largest = of_warps[0];
  for (int w = 1; w < kWarpsPerBlock; ++w) largest = fmaxf(largest, of_warps[w]);
  return largest;
}

/// The softmax of `length` numbers, every `stride`-th from `logits` on; its members are the same in every
/// thread.
struct Softmax {
  const float* logits;
  int32_t stride;
  float largest, total;

  __device__ Softmax(const float* from, int32_t every, int32_t length)
      : logits(from), stride(every), largest(-INFINITY), total(0) {
    for (int32_t i = threadIdx.x; i < length; i += kThreads) largest = fmaxf(largest, logits[stride * i]);
    largest = block_max(largest);
    for (int32_t i = threadIdx.x; i < length; i += kThreads) total += expf(logits[stride * i] - largest);
    total = block_sum(total);
  }

  __device__ float below_largest(int32_t i) const { return logits[stride * i] - largest; }
  __device__ float probability(int32_t i) const { return expf(below_largest(i)) / total; }
  /// In fp64: two of them, each far below zero, are compared.
  __device__ double log_probability(int32_t i) const {
    return double{logits[stride * i]} - largest - log(double{total});
  }
};

/// What one end of a sequence is compared with: how much of it is where.
struct Target {
  int32_t label;
  float at_label, everywhere, of_teacher;

  __device__ Target(int32_t given_label, int32_t length, bool has_teacher, const TargetsOnDevice& targets)
      : label(max(0, given_label)), of_teacher(has_teacher && length > 0 ? targets.distillation : 0) {
    const float part = label < length ? 1 - of_teacher : 0;
    at_label = part * (1 - targets.smoothing);
    everywhere = part * targets.smoothing / static_cast<float>(length);
    mass = part + of_teacher;
  }

  float mass;
};

/// Half of the cross-entropy of the logits; its gradient, every other number from `gradient` on, likewise.
/// `teacher` may be null.
__device__ float half_cross_entropy(const float* logits, const float* teacher, int32_t length,
                                    const Target& target, float scale, float* gradient) {
  if (target.mass == 0) {
    for (int32_t i = threadIdx.x; i < length; i += kThreads) gradient[2 * i] = 0;
    return 0;
  }
  const Softmax of_logits(logits, 2, length);
  const Softmax of_teacher = teacher == nullptr ? of_logits : Softmax(teacher, 1, length);
  float expected = 0;
  for (int32_t i = threadIdx.x; i < length; i += kThreads) {
    float wanted = target.everywhere + (i == target.label ? target.at_label : 0.0f);
    if (teacher != nullptr) wanted += target.of_teacher * of_teacher.probability(i);
    gradient[2 * i] = scale * 0.5f * (target.mass * of_logits.probability(i) - wanted);
    if (wanted > 0) expected -= wanted * of_logits.below_largest(i);
  }
  return 0.5f * (target.mass * logf(of_logits.total) + block_sum(expected));
}

__global__ void __launch_bounds__(kThreads)
    span_loss_kernel(const float* logits, RowsOnDevice rows, int64_t real_sequences, TargetsOnDevice targets,
                     const float* scale, float* losses, float* dlogits) {
  const int32_t s = static_cast<int32_t>(blockIdx.x);
  const int32_t first = rows.first_rows[s], length = rows.first_rows[s + 1] - first;
  if (s >= real_sequences) {
    for (int32_t i = threadIdx.x; i < 2 * length; i += kThreads) dlogits[2 * first + i] = 0;
    return;
  }
  const bool has_teacher = targets.teacher_starts != nullptr;
  const int64_t token = has_teacher ? targets.first_tokens[targets.chosen[s]] : 0;
  const float start = half_cross_entropy(
      logits + 2 * first, has_teacher ? targets.teacher_starts + token : nullptr, length,
      Target(targets.starts[s], length, has_teacher, targets), *scale, dlogits + 2 * first);
  const float end = half_cross_entropy(
      logits + 2 * first + 1, has_teacher ? targets.teacher_ends + token : nullptr, length,
      Target(targets.ends[s], length, has_teacher, targets), *scale, dlogits + 2 * first + 1);
  if (threadIdx.x == 0) losses[s] = start + end;
}

/// KL(p || q) + KL(q || p) of two passes' logits; `scale` times its gradient is added to both gradients.
__device__ float divergence(const float* one, const float* two, int32_t length, float scale, float* to_one,
                            float* to_two) {
  const Softmax p(one, 2, length), q(two, 2, length);
  double from_p = 0, from_q = 0, all_of_p = 0, all_of_q = 0;
  for (int32_t i = threadIdx.x; i < length; i += kThreads) {
    const double apart = p.log_probability(i) - q.log_probability(i);
    from_p += p.probability(i) * apart;
    from_q -= q.probability(i) * apart;
    all_of_p += p.probability(i);
    all_of_q += q.probability(i);
  }
  // Probabilities in fp32 do not quite add up to 1, and what is far from 0 is subtracted from its mean below.
  from_p = block_sum(from_p) / block_sum(all_of_p);
  from_q = block_sum(from_q) / block_sum(all_of_q);
  for (int32_t i = threadIdx.x; i < length; i += kThreads) {
    const double apart = p.log_probability(i) - q.log_probability(i);
    const float of_p = p.probability(i), of_q = q.probability(i);
    to_one[2 * i] += static_cast<float>(scale * (of_p * (apart - from_p) + of_p - of_q));
    to_two[2 * i] += static_cast<float>(scale * (of_q * (-apart - from_q) + of_q - of_p));
  }
  return static_cast<float>(from_p + from_q);
}

__global__ void __launch_bounds__(kThreads)
    rdrop_kernel(const float* logits, RowsOnDevice rows, int64_t pairs, float weight, const float* scale,
                 float* losses, float* dlogits) {
  const int64_t s = blockIdx.x;
  const int64_t first = 2 * rows.first_rows[s], second = 2 * rows.first_rows[s + pairs];
  const int32_t length = rows.first_rows[s + 1] - rows.first_rows[s];
  float total = 0;
  for (int64_t end = 0; end < 2; ++end)
    total += divergence(logits + first + end, logits + second + end, length, weight * *scale / 2,
                        dlogits + first + end, dlogits + second + end);
  if (threadIdx.x == 0) losses[s] += weight / 2 * total;
}

}  // namespace

void span_loss(const float* logits, const RowsOnDevice& rows, int64_t real_sequences,
               const TargetsOnDevice& targets, const float* scale, float* losses, float* dlogits,
               cudaStream_t stream) {
  launch(span_loss_kernel, static_cast<unsigned>(rows.sequences), kThreads, stream, logits, rows,
         real_sequences, targets, scale, losses, dlogits);
}

void add_divergence(const float* logits, const RowsOnDevice& rows, int64_t pairs, float weight,
                    const float* scale, float* losses, float* dlogits, cudaStream_t stream) {
  launch(rdrop_kernel, static_cast<unsigned>(pairs), kThreads, stream, logits, rows, pairs, weight, scale,
         losses, dlogits);
}

}  // namespace expctl::cuda
