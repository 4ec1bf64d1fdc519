// What follows a backward pass: the step's numbers, the optimizer over all parameters at once and their
// average, the attack on the words.
#include "trainer/kernels/rows.cuh"

namespace expctl::cuda {
namespace {

__global__ void __launch_bounds__(kThreads)
    add_losses_kernel(const float* losses, int64_t count, const float* part, bool adds,
                      StepNumbers* numbers) {
  double total = 0;
  for (int64_t i = threadIdx.x; i < count; i += kThreads) total += losses[i];
  total = block_sum(total) * *part;
  if (threadIdx.x == 0) numbers->loss = adds ? numbers->loss + total : total;
}

__global__ void __launch_bounds__(kThreads)
    squares_kernel(const float* gradients, int64_t count, double* partial) {
  float total[4] = {};
  for (int64_t i = (blockIdx.x * int64_t{kThreads} + threadIdx.x) * 4; i < count;
       i += int64_t{gridDim.x} * kThreads * 4) {
    const float4 g = load4(gradients + i);
    total[0] += g.x * g.x;
    total[1] += g.y * g.y;
    total[2] += g.z * g.z;
    total[3] += g.w * g.w;
  }
  const double sum = block_sum((double{total[0]} + total[1]) + (double{total[2]} + total[3]));
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

__global__ void __launch_bounds__(kThreads)
    finish_kernel(const double* partial, double max_norm, double loss_scale, StepNumbers* numbers) {
  double total = 0;
  for (int64_t i = threadIdx.x; i < kNormBlocks; i += kThreads) total += partial[i];
  total = block_sum(total);
  if (threadIdx.x != 0) return;
  const double norm = sqrt(total) / loss_scale;
  const double clip = max_norm > 0 ? fmin(1.0, max_norm / (norm + 1e-6)) : 1.0;  // as clip_scale()
  numbers->grad_norm = norm;
  numbers->gradient_scale = static_cast<float>(clip / loss_scale);
  numbers->is_finite = isfinite(norm) && isfinite(numbers->loss);
}

struct Moved {
  float parameter, mean, variance;
};

/// As adam() of trainer/kernels/optimizer.inc.
__device__ inline Moved adam(float p, float gradient, float m, float v, const UpdateCoefficients& c) {
  const float g = gradient + c.coupled_decay * p;
  m = c.beta1 * m + c.rest1 * g;
  v = c.beta2 * v + c.rest2 * g * g;
  const float step = m * c.mean_correction / (sqrtf(v) * c.root_correction + c.epsilon);
  return {p * c.kept - c.learning_rate * step, m, v};
}

template <typename T>
__global__ void adam_kernel(UpdateElements e, int64_t count, UpdateCoefficients c, const StepNumbers* numbers,
                            T* rounded) {
  if (!numbers->is_finite) return;
  const float scale = numbers->gradient_scale;
  for (int64_t i = (blockIdx.x * int64_t{kThreads} + threadIdx.x) * 4; i < count;
       i += int64_t{gridDim.x} * kThreads * 4) {
    const float4 p = load4(e.parameter + i), g = load4(e.gradient + i), m = load4(e.mean + i),
                 v = load4(e.variance + i);
    const Moved x = adam(p.x, scale * g.x, m.x, v.x, c), y = adam(p.y, scale * g.y, m.y, v.y, c),
                z = adam(p.z, scale * g.z, m.z, v.z, c), w = adam(p.w, scale * g.w, m.w, v.w, c);
    const float4 moved = {x.parameter, y.parameter, z.parameter, w.parameter};
    store4(e.parameter + i, moved);
    store4(e.mean + i, {x.mean, y.mean, z.mean, w.mean});
    store4(e.variance + i, {x.variance, y.variance, z.variance, w.variance});
    if (rounded != nullptr) store4(rounded + i, moved);
  }
}

template <typename T>
__global__ void sgd_kernel(UpdateElements e, int64_t count, UpdateCoefficients c, const StepNumbers* numbers,
                           T* rounded) {
  if (!numbers->is_finite) return;
  const float scale = numbers->gradient_scale;
  for (int64_t i = (blockIdx.x * int64_t{kThreads} + threadIdx.x) * 4; i < count;
       i += int64_t{gridDim.x} * kThreads * 4) {
    const float4 p = load4(e.parameter + i), g = load4(e.gradient + i);
    const auto moved = [&](float value, float gradient) {
      return value - c.learning_rate * (scale * gradient + c.coupled_decay * value);
    };
    const float4 to = {moved(p.x, g.x), moved(p.y, g.y), moved(p.z, g.z), moved(p.w, g.w)};
    store4(e.parameter + i, to);
    if (rounded != nullptr) store4(rounded + i, to);
  }
}

__global__ void average_kernel(float* average, const float* parameters, int64_t count, float rest,
                               const StepNumbers* numbers) {
  if (!numbers->is_finite) return;
  for (int64_t i = (blockIdx.x * int64_t{kThreads} + threadIdx.x) * 4; i < count;
       i += int64_t{gridDim.x} * kThreads * 4) {
    const float4 a = load4(average + i), p = load4(parameters + i);
    store4(average + i, {a.x - rest * (a.x - p.x), a.y - rest * (a.y - p.y), a.z - rest * (a.z - p.z),
                         a.w - rest * (a.w - p.w)});
  }
}

__global__ void __launch_bounds__(kThreads)
    attack_kernel(const float* words, const float* gradient, int64_t count, const double* partial,
                  float* moved) {
  double total = 0;
  for (int64_t i = threadIdx.x; i < kNormBlocks; i += kThreads) total += partial[i];
  const double norm = sqrt(block_sum(total));
  const float part = norm > 0 && isfinite(norm) ? static_cast<float>(1 / norm) : 0.0f;
  for (int64_t i = (blockIdx.x * int64_t{kThreads} + threadIdx.x) * 4; i < count;
       i += int64_t{gridDim.x} * kThreads * 4) {
    float4 w = load4(words + i);
    const float4 g = load4(gradient + i);
    if (part > 0) w = {w.x + part * g.x, w.y + part * g.y, w.z + part * g.z, w.w + part * g.w};
    store4(moved + i, w);
  }
}

template <typename T>
__global__ void round_kernel(const float* from, int64_t count, T* to) {
  const int64_t i = (blockIdx.x * int64_t{kThreads} + threadIdx.x) * 4;
  if (i < count) store4(to + i, load4(from + i));
}

}  // namespace

void add_losses(const float* losses, int64_t count, const float* part, bool add, StepNumbers* numbers,
                cudaStream_t stream) {
  launch(add_losses_kernel, 1, kThreads, stream, losses, count, part, add, numbers);
}

void finish_gradients(const float* gradients, int64_t count, double max_norm, double loss_scale,
                      double* partial, StepNumbers* numbers, cudaStream_t stream) {
  launch(squares_kernel, kNormBlocks, kThreads, stream, gradients, count, partial);
  launch(finish_kernel, 1, kThreads, stream, partial, max_norm, loss_scale, numbers);
}

template <typename T>
void update(UpdateRule rule, const UpdateElements& elements, int64_t count, const UpdateCoefficients& c,
            const StepNumbers* numbers, T* rounded, cudaStream_t stream) {
  if (count == 0) return;
  const unsigned blocks = std::min(4096u, blocks_for(count, kThreads * 4));
  if (rule == UpdateRule::kAdam)
    launch(adam_kernel<T>, blocks, kThreads, stream, elements, count, c, numbers, rounded);
  else
    launch(sgd_kernel<T>, blocks, kThreads, stream, elements, count, c, numbers, rounded);
}

void move_average(float* average, const float* parameters, int64_t count, float rest,
                  const StepNumbers* numbers, cudaStream_t stream) {
  launch(average_kernel, std::min(4096u, blocks_for(count, kThreads * 4)), kThreads, stream, average,
         parameters, count, rest, numbers);
}

void attack_words(const float* words, const float* gradient, int64_t count, double* partial, float* moved,
                  cudaStream_t stream) {
  launch(squares_kernel, kNormBlocks, kThreads, stream, gradient, count, partial);
  launch(attack_kernel, std::min(4096u, blocks_for(count, kThreads * 4)), kThreads, stream, words, gradient,
         count, partial, moved);
}

template <typename T>
void round_to(const float* from, int64_t count, T* to, cudaStream_t stream) {
  launch(round_kernel<T>, blocks_for(count, kThreads * 4), kThreads, stream, from, count, to);
}

#define EXPCTL_UPDATE_OF(T)                                                                   \
  template void update(UpdateRule, const UpdateElements&, int64_t, const UpdateCoefficients&, \
                       const StepNumbers*, T*, cudaStream_t);                                 \
  template void round_to(const float*, int64_t, T*, cudaStream_t);
EXPCTL_UPDATE_OF(float)
EXPCTL_UPDATE_OF(__nv_bfloat16)
EXPCTL_UPDATE_OF(__half)
#undef EXPCTL_UPDATE_OF

}  // namespace expctl::cuda
