#define EXPCTL_ISA kAmxKernels
#define EXPCTL_VECTOR_BYTES 64
#define EXPCTL_HAS_PAIRS 1
#define EXPCTL_TILES "trainer/kernels/amx_tiles.inc"
#include "trainer/kernels/kernels.inc"
