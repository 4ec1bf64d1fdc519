// What products and activations are computed in. Parameters, moments and the logits are fp32 in each.
#pragma once

#include <string>
#include <string_view>

namespace expctl {

enum class Precision {
  kFp32,
  kBf16,
  kFp16  ///< on CUDA; its gradients need a loss scale (trainer/loss_scale.h)
};

std::string_view name_of(Precision precision);  ///< as `precision` of a sweep file names it

/// The inverse of name_of(). Throws Error.
Precision precision_from(const std::string& name);

}  // namespace expctl
