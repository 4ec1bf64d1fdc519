// Inner loops compiled once for each instruction set; the machine's best is chosen when the program starts.
#pragma once

/// Before a function. The versions with AVX2 and AVX-512 fuse multiplications and additions, the plain one
/// does not, so that it may round differently.
#define EXPCTL_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
