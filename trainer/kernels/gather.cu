// The rows of a batch, out of a data set that lies on the device.
#include "trainer/kernels/rows.cuh"

namespace expctl::cuda {
namespace {

/// A block a sequence.
__global__ void gather_kernel(FeaturesOnDevice features, const int32_t* chosen, int64_t chosen_count,
                              RowsOnDevice rows, int32_t* starts, int32_t* ends) {
  const auto s = static_cast<int32_t>(blockIdx.x);
  const int32_t first = rows.first_rows[s], length = rows.first_rows[s + 1] - first;
  const bool is_real = s < chosen_count;
  const int32_t feature = is_real ? chosen[s] : 0;
  const int32_t* words = features.word_ids + features.first_tokens[feature];
  for (int32_t i = threadIdx.x; i < length; i += static_cast<int32_t>(blockDim.x)) {
    rows.word_ids[first + i] = is_real ? words[i] : 0;
    rows.type_ids[first + i] = is_real && i >= features.context_begins[feature] ? 1 : 0;
    rows.positions[first + i] = is_real ? i : 0;  // a model may have fewer positions
    rows.sequence_of[first + i] = s;
  }
  if (is_real && threadIdx.x == 0) {
    starts[s] = features.starts[feature];
    ends[s] = features.ends[feature];
  }
}

}  // namespace

void gather_rows(const FeaturesOnDevice& features, const int32_t* chosen, int64_t chosen_count,
                 const RowsOnDevice& rows, int32_t* starts, int32_t* ends, cudaStream_t stream) {
  launch(gather_kernel, static_cast<unsigned>(rows.sequences), 128, stream, features, chosen, chosen_count,
         rows, starts, ends);
}

}  // namespace expctl::cuda
