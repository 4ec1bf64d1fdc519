#include "trainer/kernels/isa.h"

#include <cpuid.h>
#include <fmt/core.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "core/error.h"
#include "trainer/kernels/isa_tables.h"

namespace expctl {
namespace {

Isa best_allowed() {
  const char* set = std::getenv("EXPCTL_ISA");
  if (set == nullptr || *set == '\0') return Isa::kAmx;
  for (const Isa isa : kAllIsas) {
    if (name_of(isa) == set) return isa;
  }
  throw Error(fmt::format("EXPCTL_ISA={}: there is no such instruction set here", set),
              "it is one of basic, avx2, avx512, avx512_bf16, amx");
}

/// CPUID, leaf 7: AMX-TILE and AMX-BF16.
bool has_tiles() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d >> 24 & 1) != 0 && (d >> 22 & 1) != 0;
}

/// Asks the kernel for the tiles' state, for all threads of the process (Documentation/arch/x86/xstate.rst).
bool may_use_tiles() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  static const bool may = syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return may;
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
    case Isa::kAmx:
      return is_available(Isa::kAvx512Bf16) && has_tiles() && may_use_tiles();
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
    case Isa::kAmx:
      return kAmxKernels;
    case Isa::kBasic:
      break;
  }
  return kBasicKernels;
}

namespace {

const IsaTables* tables_given = nullptr;

const IsaTables& tables_in_use() {
  return tables_given != nullptr ? *tables_given : tables_of(isa_in_use());
}

}  // namespace

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
    case Isa::kAmx:
      return "amx";
  }
  return "";
}

Isa isa_in_use() {
  static const Isa isa = choose();
  return isa;
}

void use_tables(const IsaTables* tables) {
  tables_given = tables;
}

template <>
const Kernels<float>& kernels() {
  return tables_in_use().fp32;
}
template <>
const Kernels<Bf16>& kernels() {
  return tables_in_use().bf16;
}
template <>
const Kernels<Fp16>& kernels() {
  return tables_in_use().fp16;
}

const OptimizerKernels& optimizer_kernels() {
  return tables_in_use().optimizer;
}

}  // namespace expctl
