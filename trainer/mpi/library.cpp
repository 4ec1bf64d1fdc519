// What expctl-train looks for in the library (trainer/mpi_library.h).
#include "trainer/mpi/mpi_ranks.h"

extern "C" expctl::Ranks* expctl_mpi_ranks() {
  return new expctl::MpiRanks();
}
