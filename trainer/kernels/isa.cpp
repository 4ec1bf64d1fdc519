#include "trainer/kernels/isa.h"

#include <fmt/core.h>

#include <cstdlib>
#include <string>

#include "core/error.h"
#include "trainer/kernels/isa_tables.h"

namespace expctl {
namespace {

Isa best_allowed() {
  const char* set = std::getenv("EXPCTL_ISA");
  if (set == nullptr || *set == '\0') return Isa::kAvx512Bf16;
  for (const Isa isa : kAllIsas) {
    if (name_of(isa) == set) return isa;
  }
  throw Error(fmt::format("EXPCTL_ISA={}: there is no such instruction set here", set),
              "it is one of basic, avx2, avx512, avx512_bf16");
}

Isa choose() {
  Isa chosen = Isa::kBasic;
  for (const Isa isa : kAllIsas) {
    if (isa <= best_allowed() && is_available(isa)) chosen = isa;
  }
  return chosen;
}

}  // namespace

bool is_available(Isa isa) {
  switch (isa) {
    case Isa::kBasic:
      return true;
    case Isa::kAvx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
             __builtin_cpu_supports("f16c");
    case Isa::kAvx512:
      return __builtin_cpu_supports("x86-64-v4");
    case Isa::kAvx512Bf16:
      return is_available(Isa::kAvx512) && __builtin_cpu_supports("avx512bf16");
  }
  return false;
}

const IsaTables& tables_of(Isa isa) {
  switch (isa) {
    case Isa::kAvx2:
      return kAvx2Kernels;
    case Isa::kAvx512:
      return kAvx512Kernels;
    case Isa::kAvx512Bf16:
      return kAvx512Bf16Kernels;
    case Isa::kBasic:
      break;
  }
  return kBasicKernels;
}

std::string_view name_of(Isa isa) {
  switch (isa) {
    case Isa::kBasic:
      return "basic";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAvx512Bf16:
      return "avx512_bf16";
  }
  return "";
}

Isa isa_in_use() {
  static const Isa isa = choose();
  return isa;
}

template <>
const Kernels<float>& kernels() {
  return tables_of(isa_in_use()).fp32;
}
template <>
const Kernels<Bf16>& kernels() {
  return tables_of(isa_in_use()).bf16;
}
template <>
const Kernels<Fp16>& kernels() {
  return tables_of(isa_in_use()).fp16;
}

const OptimizerKernels& optimizer_kernels() {
  return tables_of(isa_in_use()).optimizer;
}

}  // namespace expctl
