#include "trainer/cuda/nccl_sum.h"

#include <fmt/core.h>

namespace expctl::cuda {
namespace {

void check(ncclResult_t result) {
  if (result != ncclSuccess) throw Error(fmt::format("NCCL: {}", ncclGetErrorString(result)));
}

}  // namespace

NcclSum::NcclSum(Ranks& ranks, cudaStream_t stream) : stream_(stream) {
  ncclUniqueId id{};
  if (ranks.rank() == 0) check(ncclGetUniqueId(&id));
  ranks.broadcast(&id, sizeof id);
  check(ncclCommInitRank(&ranks_, static_cast<int>(ranks.size()), id, static_cast<int>(ranks.rank())));
}

NcclSum::~NcclSum() {
  ncclCommDestroy(ranks_);
}

void NcclSum::begin(void* values, int64_t count, ncclDataType_t type) {
  begun_.record(stream_);
  begun_.hold(beside_);
  check(ncclAllReduce(values, values, static_cast<size_t>(count), type, ncclSum, ranks_, beside_));
}

void NcclSum::finish() {
  done_.record(beside_);
  done_.hold(stream_);
}

}  // namespace expctl::cuda
