// The kernels of each instruction set.
#pragma once

#include "trainer/kernels/isa.h"
#include "trainer/kernels/kernels.h"
#include "trainer/kernels/optimizer_kernels.h"

namespace expctl {

struct IsaTables {
  Kernels<float> fp32;
  Kernels<Bf16> bf16;
  Kernels<Fp16> fp16;
  OptimizerKernels optimizer;
};

extern const IsaTables kBasicKernels;       ///< any x86-64
extern const IsaTables kAvx2Kernels;        ///< AVX2, FMA and F16C
extern const IsaTables kAvx512Kernels;      ///< AVX-512 F, BW, DQ, VL
extern const IsaTables kAvx512Bf16Kernels;  ///< and its products of bf16 pairs
extern const IsaTables kAmxKernels;         ///< and AMX's tiles of bf16

const IsaTables& tables_of(Isa isa);

/// Makes kernels() and optimizer_kernels() those of `tables`; null: of the instruction set in use again. For
/// tests, of what is made of them.
void use_tables(const IsaTables* tables);

}  // namespace expctl
