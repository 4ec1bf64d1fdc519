#define EXPCTL_ISA kAvx512Bf16Kernels
#define EXPCTL_VECTOR_BYTES 64
#define EXPCTL_HAS_PAIRS 1
#include "trainer/kernels/kernels.inc"
