// The kernels for AMX, on emulated tiles.
#include "tests/trainer/emulated_kernels.h"

#include <cstdlib>

#define EXPCTL_ISA kEmulatedAmxKernels
#define EXPCTL_VECTOR_BYTES 64
#define EXPCTL_HAS_PAIRS 1
#define EXPCTL_TILES "tests/trainer/emulated_tiles.inc"
#include "trainer/kernels/kernels.inc"
