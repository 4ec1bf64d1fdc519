// What the tests of kernels, and of what is made of them, share.
#pragma once

#include <torch/torch.h>

#include <type_traits>

#include "tests/support/support.h"
#include "tests/trainer/emulated_kernels.h"

namespace expctl {

template <typename T>
const Kernels<T>& kernels_of(const IsaTables& tables) {
  if constexpr (std::is_same_v<T, float>)
    return tables.fp32;
  else if constexpr (std::is_same_v<T, Bf16>)
    return tables.bf16;
  else
    return tables.fp16;
}

template <typename T>
constexpr torch::ScalarType kTypeOf = std::is_same_v<T, float>  ? torch::kFloat
                                      : std::is_same_v<T, Bf16> ? torch::kBFloat16
                                                                : torch::kHalf;

template <typename T>
T* data(const torch::Tensor& tensor) {
  return static_cast<T*>(tensor.data_ptr());
}

/// How far a result may be off that is rounded to T, relative to the largest of its kind.
template <typename T>
constexpr double kTolerance = std::is_same_v<T, float>  ? 3e-6
                              : std::is_same_v<T, Bf16> ? 1e-2
                                                        : 2e-3;

inline double largest(const torch::Tensor& tensor) {
  return tensor.abs().max().to(torch::kDouble).item<double>();
}

template <typename T>
void check_close(const torch::Tensor& got, const torch::Tensor& wanted) {
  CHECK(largest(got.to(torch::kDouble) - wanted.to(torch::kDouble)) <= kTolerance<T> * largest(wanted));
}

/// Those of every instruction set that this CPU has.
template <typename F>
void for_each_isa(const F& f) {
  const auto call = [&](std::string_view name, const IsaTables& tables) {
    INFO(name);
    torch::manual_seed(7);
    f(tables);
  };
  for (const Isa isa : kAllIsas) {
    if (is_available(isa)) call(name_of(isa), tables_of(isa));
  }
  if (is_available(Isa::kAvx512Bf16)) call("amx, emulated", kEmulatedAmxKernels);
}

/// kernels() are those of a table while one of these lives.
class UsedTables {
 public:
  explicit UsedTables(const IsaTables& tables) { use_tables(&tables); }
  ~UsedTables() { use_tables(nullptr); }
  UsedTables(const UsedTables&) = delete;
  UsedTables& operator=(const UsedTables&) = delete;
};

}  // namespace expctl
