#include "trainer/mpi_library.h"

#include <fmt/core.h>

#include <cstdlib>

#include "trainer/plugin.h"

namespace expctl {
namespace {

std::optional<int64_t> number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return std::nullopt;
  char* end = nullptr;
  const long long number = std::strtoll(text, &end, 10);
  return *end == '\0' ? std::optional<int64_t>(number) : std::nullopt;
}

/// A process of a launcher, as its environment says.
struct Launched {
  int64_t rank, size;
};

std::optional<Launched> launched() {
  // Open MPI's mpirun; Slurm's srun --mpi=pmi2, MPICH; srun --mpi=pmix, which leaves the size to Slurm's own
  // variable.
  static constexpr const char* kVariables[][2] = {{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                                                  {"PMI_RANK", "PMI_SIZE"},
                                                  {"PMIX_RANK", "SLURM_STEP_NUM_TASKS"}};
  for (const auto& [rank, size] : kVariables) {
    const auto own = number_in(rank), all = number_in(size);
    if (own && all) return *all > 1 ? std::optional<Launched>({*own, *all}) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<int64_t> launched_rank() {
  const auto self = launched();
  return self ? std::optional<int64_t>(self->rank) : std::nullopt;
}

std::unique_ptr<Ranks> join_ranks() {
  const auto self = launched();
  if (!self) return std::make_unique<OneRank>();
  static const Plugin plugin{"libexpctl_mpi.so",
                             Error("this build of expctl-train computes on one rank only",
                                   "build it where Open MPI is found (libopenmpi-dev, openmpi-bin)"),
                             "it needs Open MPI (libopenmpi3, openmpi-bin)"};
  using Function = Ranks* (*)();
  std::unique_ptr<Ranks> ranks(reinterpret_cast<Function>(plugin_function(plugin, "expctl_mpi_ranks"))());
  if (ranks->size() != self->size) {  // each would think itself alone, and write the same folder
    throw Error(
        fmt::format("the launcher has started {} ranks, but Open MPI knows of {}", self->size, ranks->size()),
        "start them with Open MPI's mpirun, or with srun and the PMI that this Open MPI was built with");
  }
  return ranks;
}

}  // namespace expctl
