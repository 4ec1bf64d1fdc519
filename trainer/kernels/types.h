// The types that activations are kept in. All arithmetic is fp32.
#pragma once

#include <cstdint>

namespace expctl {

/// The upper half of an fp32 number, which C++20 has no type for.
enum class Bf16 : uint16_t {};

__extension__ using Fp16 = _Float16;

}  // namespace expctl
