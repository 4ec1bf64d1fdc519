#define EXPCTL_ISA kBasicKernels
#define EXPCTL_VECTOR_BYTES 16
#define EXPCTL_HAS_PAIRS 0
#include "trainer/kernels/kernels.inc"
