#include "trainer/dropout.h"

#include <ATen/Parallel.h>

#include <bit>

#include "core/counter_random.h"

namespace expctl {
namespace {

// GCC makes one version for each instruction set; they compute the same bits.
#define EXPCTL_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))

struct Keys : torch::CustomClassHolder {
  std::vector<uint64_t> rows;
};

inline uint32_t element_bits(uint32_t low, uint32_t high, uint32_t element) {
  uint32_t h = low + element * 0x9e3779b9u;  // then the finaliser "lowbias32" by C. Wellons
  h ^= h >> 16;
  h *= 0x7feb352du;
  h ^= h >> 15;
  h *= 0x846ca68bu;
  return h ^ (h >> 16) ^ high;
}

inline float to_float(uint16_t value) {
  return std::bit_cast<float>(static_cast<uint32_t>(value) << 16);
}
inline float to_float(float value) {
  return value;
}

template <typename T>
inline T from_float(float value) {
  if constexpr (std::is_same_v<T, float>) {
    return value;
  } else {
    const auto bits = std::bit_cast<uint32_t>(value);  // to the nearest, ties to even
    return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
  }
}

template <typename T, bool kAdd>
inline void mask_row(const T* x, const T* residual, T* out, uint32_t count, uint64_t key, uint32_t threshold,
                     float scale) {
  const auto low = static_cast<uint32_t>(key);
  const auto high = static_cast<uint32_t>(key >> 32);
  for (uint32_t i = 0; i < count; ++i) {
    const float kept = element_bits(low, high, i) >= threshold ? scale : 0.0f;
    float value = to_float(x[i]) * kept;
    if constexpr (kAdd) value += to_float(residual[i]);
    out[i] = from_float<T>(value);
  }
}

EXPCTL_CLONES void mask_fp32(const float* x, float* out, uint32_t n, uint64_t key, uint32_t threshold,
                             float scale) {
  mask_row<float, false>(x, nullptr, out, n, key, threshold, scale);
}
EXPCTL_CLONES void mask_bf16(const uint16_t* x, uint16_t* out, uint32_t n, uint64_t key, uint32_t threshold,
                             float scale) {
  mask_row<uint16_t, false>(x, nullptr, out, n, key, threshold, scale);
}
EXPCTL_CLONES void mask_add_fp32(const float* x, const float* residual, float* out, uint32_t n, uint64_t key,
                                 uint32_t threshold, float scale) {
  mask_row<float, true>(x, residual, out, n, key, threshold, scale);
}
EXPCTL_CLONES void mask_add_bf16(const uint16_t* x, const uint16_t* residual, uint16_t* out, uint32_t n,
                                 uint64_t key, uint32_t threshold, float scale) {
  mask_row<uint16_t, true>(x, residual, out, n, key, threshold, scale);
}

/// `residual` may be undefined.
torch::Tensor masked(const torch::Tensor& given, const torch::Tensor& given_residual,
                     const std::vector<uint64_t>& keys, double rate) {
  const auto x = given.contiguous();
  const auto residual = given_residual.defined() ? given_residual.contiguous() : given_residual;
  const int64_t width = x.size(-1);
  TORCH_CHECK(x.numel() == width * static_cast<int64_t>(keys.size()), "dropout: one key a row");
  auto out = torch::empty_like(x);
  const auto threshold = static_cast<uint32_t>(rate * 4294967296.0);
  const auto scale = static_cast<float>(1.0 / (1.0 - rate));
  const bool wide = x.scalar_type() == torch::kFloat;
  const auto* in = static_cast<const char*>(x.const_data_ptr());
  const auto* add = residual.defined() ? static_cast<const char*>(residual.const_data_ptr()) : nullptr;
  auto* to = static_cast<char*>(out.mutable_data_ptr());
  const int64_t row_bytes = width * x.element_size();
  const auto n = static_cast<uint32_t>(width);
  at::parallel_for(0, static_cast<int64_t>(keys.size()), 32768 / width + 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const auto key = keys[static_cast<size_t>(row)];
      const auto* a = in + row * row_bytes;
      const auto* b = add == nullptr ? nullptr : add + row * row_bytes;
      auto* o = to + row * row_bytes;
      using F = float;
      using B = uint16_t;
      if (wide && b == nullptr)
        mask_fp32(reinterpret_cast<const F*>(a), reinterpret_cast<F*>(o), n, key, threshold, scale);
      if (!wide && b == nullptr)
        mask_bf16(reinterpret_cast<const B*>(a), reinterpret_cast<B*>(o), n, key, threshold, scale);
      if (wide && b != nullptr) {
        mask_add_fp32(reinterpret_cast<const F*>(a), reinterpret_cast<const F*>(b), reinterpret_cast<F*>(o),
                      n, key, threshold, scale);
      }
      if (!wide && b != nullptr) {
        mask_add_bf16(reinterpret_cast<const B*>(a), reinterpret_cast<const B*>(b), reinterpret_cast<B*>(o),
                      n, key, threshold, scale);
      }
    }
  });
  return out;
}

struct DropoutFunction : torch::autograd::Function<DropoutFunction> {
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                               const std::optional<torch::Tensor>& residual,
                               const c10::intrusive_ptr<Keys>& keys, double rate) {
    context->saved_data["keys"] = torch::IValue::make_capsule(keys);
    context->saved_data["rate"] = rate;
    context->saved_data["adds"] = residual.has_value();
    return masked(x, residual.value_or(torch::Tensor()), keys->rows, rate);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto keys = c10::static_intrusive_pointer_cast<Keys>(context->saved_data["keys"].toCapsule());
    const auto gradient = masked(gradients[0], {}, keys->rows, context->saved_data["rate"].toDouble());
    return {gradient, context->saved_data["adds"].toBool() ? gradients[0] : torch::Tensor(), torch::Tensor(),
            torch::Tensor()};
  }
};

}  // namespace

uint64_t dropout_row_key(const DropoutKey& key, int64_t sequence, int64_t site, int64_t position) {
  uint64_t value = mix64(key.seed);
  for (const int64_t part : {key.step, sequence, site, position})
    value = mix64(value ^ static_cast<uint64_t>(part));
  return value;
}

torch::Tensor dropout(const torch::Tensor& x, std::vector<uint64_t> row_keys, double rate) {
  if (rate == 0) return x;
  auto keys = c10::make_intrusive<Keys>();
  keys->rows = std::move(row_keys);
  return DropoutFunction::apply(x, std::optional<torch::Tensor>(), keys, rate);
}

torch::Tensor dropout_add(const torch::Tensor& x, const torch::Tensor& residual,
                          std::vector<uint64_t> row_keys, double rate) {
  if (rate == 0) return x + residual;
  auto keys = c10::make_intrusive<Keys>();
  keys->rows = std::move(row_keys);
  return DropoutFunction::apply(x, std::optional<torch::Tensor>(residual), keys, rate);
}

}  // namespace expctl
