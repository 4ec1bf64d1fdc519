#define EXPCTL_ISA kAvx2Kernels
#define EXPCTL_VECTOR_BYTES 32
#define EXPCTL_HAS_PAIRS 0
#include "trainer/kernels/kernels.inc"
