// Streams of an emulated GPU: each is a thread that does what is put on it, one after the other.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>

namespace emulated_gpu {

using Work = std::function<void()>;

/// Puts work on the stream (null: the default one), or into the graph that is captured there.
cudaError_t enqueue(cudaStream_t stream, Work work);

/// Puts a kernel on the stream. Refused, as CUDA does, where the grid is empty or too large.
cudaError_t launch(dim3 grid, dim3 block, cudaStream_t stream, Work kernel);

/// Until all that was put on the stream is done.
void wait_for(cudaStream_t stream);
/// On this thread's streams: a thread of the program is as a process with a GPU of its own.
void wait_for_all_streams();

/// Whether this thread captures a graph on some stream: what would wait or ask for memory is refused then,
/// and the capture with it.
bool spoils_capture();

/// What this thread is told by cudaGetLastError() next.
cudaError_t remember(cudaError_t error);

}  // namespace emulated_gpu
