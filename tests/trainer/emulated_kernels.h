#pragma once

#include "trainer/kernels/isa_tables.h"

namespace expctl {

/// Need AVX-512 with products of bf16 pairs.
extern const IsaTables kEmulatedAmxKernels;

}  // namespace expctl
