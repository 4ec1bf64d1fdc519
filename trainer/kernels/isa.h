// Which instruction set the kernels use: the best that the CPU has, or less where EXPCTL_ISA says so.
#pragma once

#include <string_view>

namespace expctl {

enum class Isa { kBasic, kAvx2, kAvx512, kAvx512Bf16, kAmx };
inline constexpr Isa kAllIsas[] = {Isa::kBasic, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16, Isa::kAmx};

std::string_view name_of(Isa isa);  ///< basic, avx2, avx512, avx512_bf16, amx

/// Whether this CPU has it, and the system lets it be used.
bool is_available(Isa isa);

/// Chosen at the first call. The environment variable EXPCTL_ISA names the best one allowed. Throws Error
/// where it names none.
Isa isa_in_use();

}  // namespace expctl
