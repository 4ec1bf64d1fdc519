// That the emulated GPU does what a GPU does, and that it finds what it is there to find.
#include <cuda_runtime_api.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "tests/emulated_gpu/block.h"
#include "tests/emulated_gpu/stream.h"
#include "tests/support/support.h"

using namespace emulated_gpu;

namespace {

/// The signal that ends a process which does this; 0: it lives.
template <typename F>
int signal_of(const F& deed) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::freopen("/dev/null", "w", stderr);
    for (const int caught : {SIGSEGV, SIGABRT}) std::signal(caught, SIG_DFL);  // Catch would report them
    deed();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

float* device_floats(size_t count) {
  void* memory = nullptr;
  REQUIRE(cudaMalloc(&memory, count * sizeof(float)) == cudaSuccess);
  return static_cast<float*>(memory);
}

}  // namespace

TEST_CASE("emulated GPU: every thread knows who it is, and waits for its block and its warp", "[emulated]") {
  constexpr unsigned kThreads = 96, kBlocks = 5;
  std::vector<unsigned> shared(kThreads), sums(kBlocks * kThreads), of_lanes(kBlocks * kThreads);
  run_grid(kBlocks, kThreads, [&] {
    const unsigned thread = where.thread.x, place = where.block.x * kThreads + thread;
    shared[thread] = place;
    wait_for_block();
    sums[place] = std::accumulate(shared.begin(), shared.end(), 0u);
    for (unsigned i = 0; i < 100; ++i) of_lanes[place] += FromLanes(i + lane)[(lane + i) % kLanes];
    wait_for_block();
  });
  for (unsigned place = 0; place < sums.size(); ++place) {
    const unsigned first = place / kThreads * kThreads, own = place % kLanes;
    CHECK(sums[place] == kThreads * first + kThreads * (kThreads - 1) / 2);
    unsigned wanted = 0;
    for (unsigned i = 0; i < 100; ++i) wanted += i + (own + i) % kLanes;
    CHECK(of_lanes[place] == wanted);
  }
}

TEST_CASE("emulated GPU: a sum that hangs on the order of threads differs from one call to the next",
          "[emulated]") {
  std::vector<unsigned> firsts;
  for (int call = 0; call < 32; ++call) {
    std::vector<unsigned> order;
    run_grid(2, 64, [&] { order.push_back(where.block.x * 64 + where.thread.x); });
    firsts.push_back(order.front());
  }
  CHECK(std::count(firsts.begin(), firsts.end(), 0u) > 0);
  CHECK(std::count(firsts.begin(), firsts.end(), 127u) > 0);
}

TEST_CASE("emulated GPU: lanes that part end the program, copies are made when they are waited for",
          "[emulated]") {
  const auto take = [](unsigned of) { static_cast<void>(FromLanes<unsigned>{lane}[of]); };
  CHECK(signal_of([&] { run_grid(1, 32, [&] { take(0); }); }) == 0);
  CHECK(signal_of([&] {
          run_grid(1, 32, [&] {
            if (lane < 16) take(0);
          });
        }) == SIGABRT);
  CHECK(signal_of([&] { run_grid(1, 16, [&] { take(31); }); }) == SIGABRT);  // there is no such lane
  alignas(16) const float from[4] = {1, 2, 3, 4};
  alignas(16) float to[4] = {};
  std::vector<float> seen;
  run_grid(1, 1, [&] {
    begin_copy(to, from);
    end_group_of_copies();
    seen.push_back(to[3]);
    finish_copies(1);
    seen.push_back(to[3]);
    finish_copies(0);
    seen.push_back(to[3]);
  });
  CHECK(seen == std::vector<float>{0, 0, 4});
}

TEST_CASE("emulated GPU: memory has an end, and no value before it is given one", "[emulated]") {
  float* memory = device_floats(64);  // of 256 bytes: what follows is a page that nobody may touch
  CHECK(memory[63] != memory[63]);
  CHECK(signal_of([&] { memory[63] = 1; }) == 0);
  CHECK(signal_of([&] { memory[64] = 1; }) == SIGSEGV);
  CHECK(cudaFree(memory) == cudaSuccess);
  CHECK(cudaFree(memory) == cudaErrorInvalidValue);
  float* odd = device_floats(65);
  CHECK(signal_of([&] {
          odd[65] = 1;
          cudaFree(odd);
        }) == SIGABRT);
  CHECK(cudaFree(odd) == cudaSuccess);
}

TEST_CASE("emulated GPU: what CUDA refuses is refused", "[emulated]") {
  cudaStream_t stream = nullptr;
  REQUIRE(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
  CHECK(launch(dim3(0), dim3(32), stream, [] {}) == cudaErrorInvalidConfiguration);
  CHECK(launch(dim3(1), dim3(1025), stream, [] {}) == cudaErrorInvalidConfiguration);
  CHECK(cudaGetLastError() == cudaErrorInvalidConfiguration);
  CHECK(cudaGetLastError() == cudaSuccess);

  int done = 0;
  const auto captured = [&](const auto& more) {
    cudaGraph_t graph = nullptr;
    cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
    launch(dim3(1), dim3(1), stream, [&] { ++done; });
    more();
    const cudaError_t error = cudaStreamEndCapture(stream, &graph);
    if (graph != nullptr) {
      cudaGraphExec_t ready = nullptr;
      cudaGraphInstantiate(&ready, graph, 0);
      for (int i = 0; i < 2; ++i) cudaGraphLaunch(ready, stream);
      cudaStreamSynchronize(stream);
      cudaGraphExecDestroy(ready);
      cudaGraphDestroy(graph);
    }
    cudaGetLastError();
    return error;
  };
  CHECK(captured([] {}) == cudaSuccess);
  CHECK(done == 2);
  void* memory = nullptr;
  CHECK(captured([&] { cudaMalloc(&memory, 4); }) == cudaErrorStreamCaptureInvalidated);
  CHECK(captured([&] { cudaStreamSynchronize(stream); }) == cudaErrorStreamCaptureInvalidated);
  CHECK(done == 2);
  CHECK(cudaStreamDestroy(stream) == cudaSuccess);
}
