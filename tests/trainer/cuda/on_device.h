// What the tests of the CUDA path share: whether there is a GPU, copies to it and from it, ragged rows,
// comparisons. References are computed on the CPU, in fp64, of the inputs as T has rounded them.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string_view>

#include "tests/support/support.h"
#include "trainer/cuda/device_memory.h"
#include "trainer/dropout.h"
#include "trainer/kernels/cuda_kernels.h"

#define SKIP_WITHOUT_GPU() SKIP_UNLESS(expctl::test::has_gpu(), "no GPU")

namespace expctl::test {

inline bool has_gpu() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}

/// Whether the CPU plays it (tests/emulated_gpu), so slowly that tests of quadratic cost take less.
inline bool is_emulated_gpu() {
  static const bool is_it = [] {
    cudaDeviceProp properties{};
    cuda::check(cudaGetDeviceProperties(&properties, 0));
    return std::string_view(properties.name) == "emulated GPU";
  }();
  return is_it;
}

// ---- Copies

template <typename T>
constexpr at::ScalarType type_on_host() {
  if constexpr (std::is_same_v<T, __nv_bfloat16>)
    return at::kBFloat16;
  else if constexpr (std::is_same_v<T, __half>)
    return at::kHalf;
  else
    return c10::CppTypeToScalarType<T>::value;
}

/// Rounded to T.
template <typename T>
cuda::DeviceBuffer<T> on_device(const at::Tensor& values) {
  const auto rounded = values.detach().to(type_on_host<T>()).contiguous();
  cuda::DeviceBuffer<T> buffer(rounded.numel());
  cuda::check(cudaMemcpy(buffer.data(), rounded.data_ptr(), buffer.bytes(), cudaMemcpyHostToDevice));
  return buffer;
}

/// NaN everywhere (integers: -1), so that what a kernel does not write is seen.
template <typename T>
cuda::DeviceBuffer<T> poisoned(int64_t count) {
  cuda::DeviceBuffer<T> buffer(count);
  cuda::check(cudaMemset(buffer.data(), 0xff, buffer.bytes()));
  return buffer;
}

/// As it is kept on the device. Waits for the kernels before it.
template <typename T>
at::Tensor from_device(const cuda::DeviceBuffer<T>& buffer, at::IntArrayRef shape) {
  auto values = at::empty(shape, type_on_host<T>());
  REQUIRE(values.numel() == buffer.count());
  cuda::check(cudaMemcpy(values.data_ptr(), buffer.data(), buffer.bytes(), cudaMemcpyDeviceToHost));
  return values;
}

/// The one element of a buffer.
template <typename T>
T value_from_device(const cuda::DeviceBuffer<T>& buffer) {
  T value;
  cuda::check(cudaMemcpy(&value, buffer.data(), sizeof value, cudaMemcpyDeviceToHost));
  return value;
}

/// Of a kernel's partial sums, [parts, of each].
inline at::Tensor sum_of_parts(const cuda::DeviceBuffer<float>& partial, int64_t parts) {
  return from_device(partial, {parts, partial.count() / parts}).to(at::kDouble).sum(0);
}

/// Normal, as T has them, in fp64.
template <typename T>
at::Tensor random_values(at::IntArrayRef shape) {
  return at::randn(shape).to(type_on_host<T>()).to(at::kDouble);
}

/// Those with a gradient.
template <typename T>
at::Tensor random_leaf(at::IntArrayRef shape) {
  return random_values<T>(shape).requires_grad_();
}

// ---- Comparisons

inline constexpr double kFp32Tolerance = 1e-5;

/// Of results in T: about two roundings of each element.
template <typename T>
constexpr double tolerance() {
  if constexpr (std::is_same_v<T, float>)
    return kFp32Tolerance;
  else
    return std::is_same_v<T, __nv_bfloat16> ? 8e-3 : 1e-3;
}

/// By the norm of the difference. A NaN in `got` is not close. `absolute` is for what may come to nearly
/// nothing, as a sum of terms that cancel: what their rounding leaves.
inline void check_close(const at::Tensor& got, const at::Tensor& wanted, double relative,
                        double absolute = 0) {
  REQUIRE(got.sizes() == wanted.sizes());
  const auto exact = wanted.detach().to(at::kDouble);
  const double difference = (got.to(at::kDouble) - exact).norm().item<double>();
  const double size = exact.norm().item<double>();
  INFO("norm of the difference " << difference << ", of the reference " << size);
  CHECK(difference <= relative * size + absolute);
}

inline bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && a.dtype() == b.dtype() && a.is_contiguous() && b.is_contiguous() &&
         std::memcmp(a.data_ptr(), b.data_ptr(), a.nbytes()) == 0;
}

/// The tensors that `compute` returns; it must return the same bits once more.
template <typename F>
std::vector<at::Tensor> same_twice(const F& compute) {
  const std::vector<at::Tensor> first = compute(), second = compute();
  REQUIRE(first.size() == second.size());
  for (size_t i = 0; i < first.size(); ++i) {
    INFO("result " << i << " of two equal calls");
    CHECK(same_bits(first[i], second[i]));
  }
  return first;
}

// ---- Ragged rows

/// Sequences of these lengths, of which those after the first `real` fill the rows up.
struct Lengths {
  std::vector<int64_t> of;
  int64_t real;
};

inline const std::vector<Lengths>& ragged_lengths() {
  static const std::vector<Lengths> lengths = {
      {{1}, 1},
      {{31, 1, 0, 384, 32, 2, 33, 29}, 7},
      {{384, 33, 95}, 3},                           // no row is left to fill
      {{2, 0, 62, 0}, 3},                           // likewise, with a filling sequence
      {{384, 384, 384, 384, 0, 384, 384, 33}, 7}};  // more rows than a kernel has warps
  return lengths;
}

inline const std::vector<int64_t>& hidden_widths() {
  static const std::vector<int64_t> widths = {8, 32, 48, 384, 768, 1024};
  return widths;
}

/// A batch on the device, and on the host what it is made of.
struct RaggedBatch {
  Lengths lengths;
  std::vector<int64_t> first_rows;  ///< [sequences + 1]
  std::vector<uint64_t> sequence_keys;
  at::Tensor words, types, positions, sequence_of;  ///< [rows]
  cuda::RowsOnDevice rows;
  int64_t real_rows = 0;

  explicit RaggedBatch(const Lengths& given, int64_t word_count = 100) : lengths(given), first_rows{0} {
    std::vector<at::Tensor> of_types{}, of_positions{}, of_sequences{};
    for (size_t s = 0; s < lengths.of.size(); ++s) {
      const int64_t length = lengths.of[s];
      first_rows.push_back(first_rows.back() + length);
      sequence_keys.push_back(dropout_sequence_key({.seed = 7, .step = 3}, static_cast<int64_t>(s) + 5));
      of_positions.push_back(at::arange(length));
      of_types.push_back((at::arange(length) >= length / 3).to(at::kLong));
      of_sequences.push_back(at::full({length}, static_cast<int64_t>(s), at::kLong));
    }
    types = at::cat(of_types);
    positions = at::cat(of_positions);
    sequence_of = at::cat(of_sequences);
    words = at::randint(word_count, {first_rows.back()}, at::kLong);
    real_rows = first_rows[static_cast<size_t>(lengths.real)];
    words.slice(0, real_rows).zero_();
    first_rows_ = on_device<int32_t>(at::tensor(first_rows));
    keys_ = cuda::DeviceBuffer<uint64_t>(sequence_keys);
    words_ = on_device<int32_t>(words);
    types_ = on_device<int32_t>(types);
    positions_ = on_device<int32_t>(positions);
    sequence_of_ = on_device<int32_t>(sequence_of);
    rows = {first_rows.back(),  static_cast<int64_t>(lengths.of.size()),
            longest(),          first_rows_.data(),
            keys_.data(),       words_.data(),
            types_.data(),      positions_.data(),
            sequence_of_.data()};
  }

  int64_t longest() const { return *std::max_element(lengths.of.begin(), lengths.of.end()); }

  /// A gradient, which filling rows do not have.
  at::Tensor without_filling(const at::Tensor& values) const {
    auto real = values.clone();
    real.slice(0, real_rows).zero_();
    return real;
  }

  void check_filling_is_zero(const at::Tensor& values) const {
    CHECK((values.slice(0, real_rows) == 0).all().item<bool>());
  }

  /// What elements of [rows, width] are multiplied by.
  at::Tensor mask(const cuda::DropoutSite& dropout, int64_t width) const {
    auto factors = at::ones({rows.rows, width}, at::kDouble);
    if (dropout.mask.threshold == 0) return factors;
    auto* to = factors.data_ptr<double>();
    for (int64_t row = 0; row < rows.rows; ++row) {
      const auto sequence = static_cast<size_t>(sequence_of.data_ptr<int64_t>()[row]);
      const uint64_t key =
          mask_row_key(sequence_keys[sequence], dropout.site, positions.data_ptr<int64_t>()[row]);
      for (int64_t i = 0; i < width; ++i)
        to[row * width + i] = mask_factor(key, dropout.mask, static_cast<uint32_t>(i));
    }
    return factors;
  }

 private:
  cuda::DeviceBuffer<int32_t> first_rows_, words_, types_, positions_, sequence_of_;
  cuda::DeviceBuffer<uint64_t> keys_;
};

/// f(batch, mask) for all lengths, with dropout and without.
template <typename F>
void for_each_batch(const F& f) {
  for (const Lengths& lengths : ragged_lengths()) {
    const RaggedBatch batch(lengths);
    for (const double rate : {0.0, 0.1}) {
      if (is_emulated_gpu() && rate == 0 && batch.rows.rows > 600) continue;
      INFO("lengths " << Catch::Detail::stringify(lengths.of) << ", " << lengths.real << " real, dropout "
                      << rate);
      f(batch, dropout_mask(rate));
    }
  }
}

}  // namespace expctl::test
