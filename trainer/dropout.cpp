#include "trainer/dropout.h"

#include <ATen/Parallel.h>

#include <bit>

#include "core/counter_random.h"
#include "trainer/clones.h"

namespace expctl {
namespace {

__extension__ using Fp16 = _Float16;

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
inline float to_float(Fp16 value) {
  return static_cast<float>(value);
}

template <typename T>
inline T from_float(float value) {
  if constexpr (std::is_same_v<T, uint16_t>) {
    const auto bits = std::bit_cast<uint32_t>(value);  // to the nearest, ties to even
    return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
  } else {
    return static_cast<T>(value);
  }
}

/// What all rows of one mask share.
struct Mask {
  uint32_t threshold;  ///< an element whose bits are below it is zeroed
  float scale;         ///< of the others
};

template <typename T, bool kAdd>
inline void mask_elements(const T* x, const T* residual, T* out, uint32_t count, uint64_t key, Mask mask) {
  const auto low = static_cast<uint32_t>(key);
  const auto high = static_cast<uint32_t>(key >> 32);
  for (uint32_t i = 0; i < count; ++i) {
    const float kept = element_bits(low, high, i) >= mask.threshold ? mask.scale : 0.0f;
    float value = to_float(x[i]) * kept;
    if constexpr (kAdd) value += to_float(residual[i]);
    out[i] = from_float<T>(value);
  }
}

/// `residual` may be null.
template <typename T>
inline void mask_row(const T* x, const T* residual, T* out, uint32_t count, uint64_t key, Mask mask) {
  if (residual == nullptr)
    mask_elements<T, false>(x, nullptr, out, count, key, mask);
  else
    mask_elements<T, true>(x, residual, out, count, key, mask);
}

EXPCTL_CLONES void mask_fp32(const float* x, const float* residual, float* out, uint32_t count, uint64_t key,
                             Mask mask) {
  mask_row(x, residual, out, count, key, mask);
}
/// Elements are bf16, which C++20 has no type for.
EXPCTL_CLONES void mask_bf16(const uint16_t* x, const uint16_t* residual, uint16_t* out, uint32_t count,
                             uint64_t key, Mask mask) {
  mask_row(x, residual, out, count, key, mask);
}
EXPCTL_CLONES void mask_fp16(const Fp16* x, const Fp16* residual, Fp16* out, uint32_t count, uint64_t key,
                             Mask mask) {
  mask_row(x, residual, out, count, key, mask);
}

template <typename T>
void mask_rows(void (*one_row)(const T*, const T*, T*, uint32_t, uint64_t, Mask), const torch::Tensor& x,
               const torch::Tensor& residual, torch::Tensor& out, const std::vector<uint64_t>& keys,
               Mask mask) {
  const int64_t width = x.size(-1);
  const auto* from = static_cast<const T*>(x.const_data_ptr());
  const auto* add = residual.defined() ? static_cast<const T*>(residual.const_data_ptr()) : nullptr;
  auto* to = static_cast<T*>(out.mutable_data_ptr());
  at::parallel_for(0, static_cast<int64_t>(keys.size()), 32768 / width + 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      one_row(from + row * width, add == nullptr ? nullptr : add + row * width, to + row * width,
              static_cast<uint32_t>(width), keys[static_cast<size_t>(row)], mask);
    }
  });
}

/// `residual` may be undefined.
torch::Tensor masked(const torch::Tensor& given, const torch::Tensor& given_residual,
                     const std::vector<uint64_t>& keys, double rate) {
  const auto x = given.contiguous();
  const auto residual = given_residual.defined() ? given_residual.contiguous() : given_residual;
  TORCH_CHECK(x.numel() == x.size(-1) * static_cast<int64_t>(keys.size()), "dropout: one key a row");
  auto out = torch::empty_like(x);
  const Mask mask{static_cast<uint32_t>(rate * 4294967296.0), static_cast<float>(1.0 / (1.0 - rate))};
  switch (x.scalar_type()) {
    case torch::kFloat:
      mask_rows(mask_fp32, x, residual, out, keys, mask);
      break;
    case torch::kBFloat16:
      mask_rows(mask_bf16, x, residual, out, keys, mask);
      break;
    case torch::kHalf:
      mask_rows(mask_fp16, x, residual, out, keys, mask);
      break;
    default:
      TORCH_CHECK(false, "dropout: of no type that BERT is computed in");
  }
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
