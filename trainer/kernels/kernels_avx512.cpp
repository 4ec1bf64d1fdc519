#define EXPCTL_ISA kAvx512Kernels
#define EXPCTL_VECTOR_BYTES 64
#define EXPCTL_HAS_PAIRS 0
#include "trainer/kernels/kernels.inc"
