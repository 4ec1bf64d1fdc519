#include "tests/emulated_gpu/stream.h"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "tests/emulated_gpu/block.h"

using emulated_gpu::remember;
using emulated_gpu::Work;

/// One after the other, whatever streams they were captured on.
struct CUgraph_st {
  std::vector<Work> works;
  std::vector<CUstream_st*> streams;  ///< on which it is captured
};
struct CUgraphExec_st {
  std::vector<Work> works;
};

struct CUstream_st {
 public:
  CUstream_st();
  /// Does what is still on it first.
  ~CUstream_st();

  void put(Work work) {
    const std::scoped_lock lock(mutex_);
    works_.push_back(std::move(work));
    changed_.notify_all();
  }

  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return works_.empty() && !is_working_; });
  }

  CUgraph_st* captured = nullptr;  ///< the graph that is captured
  bool is_spoilt = false;          ///< the capture

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return !works_.empty() || is_ending_; });
      if (works_.empty()) return;
      const Work work = std::move(works_.front());
      works_.pop_front();
      is_working_ = true;
      lock.unlock();
      work();
      lock.lock();
      is_working_ = false;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> works_;
  bool is_working_ = false, is_ending_ = false;
  std::thread thread_;
};

namespace {

/// Those that this thread has made.
thread_local std::set<CUstream_st*> own_streams;

CUstream_st& default_stream() {
  static CUstream_st made;
  return made;
}

CUstream_st& at(cudaStream_t stream) {
  return stream == nullptr ? default_stream() : *stream;
}

thread_local CUstream_st* capturing = nullptr;
thread_local cudaError_t last_error = cudaSuccess;

/// A point that a stream has come to, or will.
class Mark {
 public:
  void reach() {
    const std::scoped_lock lock(mutex_);
    is_reached_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return is_reached_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_reached_ = false;
};

}  // namespace

CUstream_st::CUstream_st() : thread_([this] { run(); }) {}

CUstream_st::~CUstream_st() {
  {
    const std::scoped_lock lock(mutex_);
    is_ending_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

struct CUevent_st {
  std::shared_ptr<Mark> mark;      ///< null: never recorded
  CUgraph_st* captured = nullptr;  ///< in which it is a point
};

namespace emulated_gpu {

cudaError_t remember(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

bool spoils_capture() {
  if (capturing == nullptr) return false;
  capturing->is_spoilt = true;
  return true;
}

cudaError_t enqueue(cudaStream_t stream, Work work) {
  CUstream_st& to = at(stream);
  if (to.captured)
    to.captured->works.push_back(std::move(work));
  else
    to.put(std::move(work));
  return cudaSuccess;
}

cudaError_t launch(dim3 grid, dim3 block, cudaStream_t stream, Work kernel) {
  const bool is_empty = grid.x * grid.y * grid.z == 0 || block.x * block.y * block.z == 0;
  const bool is_too_large = block.x * block.y * block.z > 1024 || grid.y > 65535 || grid.z > 65535;
  if (is_empty || is_too_large) return remember(cudaErrorInvalidConfiguration);
  return enqueue(stream, [=, kernel = std::move(kernel)] { run_grid(grid, block, kernel); });
}

void wait_for(cudaStream_t stream) {
  at(stream).wait();
}

void wait_for_all_streams() {
  for (CUstream_st* stream : own_streams) stream->wait();
  default_stream().wait();
}

}  // namespace emulated_gpu

using emulated_gpu::enqueue;

cudaError_t cudaGetLastError() {
  return std::exchange(last_error, cudaSuccess);
}

cudaError_t cudaPeekAtLastError() {
  return last_error;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new CUstream_st;
  own_streams.insert(*stream);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  own_streams.erase(stream);
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (emulated_gpu::spoils_capture()) return remember(cudaErrorStreamCaptureUnsupported);
  emulated_gpu::wait_for(stream);
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new CUevent_st;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  event->captured = at(stream).captured;
  if (event->captured != nullptr) return cudaSuccess;
  event->mark = std::make_shared<Mark>();
  return enqueue(stream, [mark = event->mark] { mark->reach(); });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (emulated_gpu::spoils_capture()) return remember(cudaErrorStreamCaptureUnsupported);
  if (event->mark) event->mark->wait();
  return cudaSuccess;
}

/// A stream that waits for a point in a graph becomes a part of its capture.
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  CUgraph_st* graph = event->captured;
  if (graph == nullptr && at(stream).captured != nullptr) return remember(cudaErrorStreamCaptureIsolation);
  if (graph != nullptr && at(stream).captured == nullptr) {
    at(stream).captured = graph;
    graph->streams.push_back(&at(stream));
  }
  if (graph != nullptr || !event->mark) return cudaSuccess;
  return enqueue(stream, [mark = event->mark] { mark->wait(); });
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  at(stream).captured = new CUgraph_st{{}, {&at(stream)}};
  at(stream).is_spoilt = false;
  capturing = &at(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  capturing = nullptr;
  *graph = at(stream).captured;
  for (CUstream_st* part : (*graph)->streams) part->captured = nullptr;
  if (!at(stream).is_spoilt) return cudaSuccess;
  delete std::exchange(*graph, nullptr);
  return remember(cudaErrorStreamCaptureInvalidated);
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* made, cudaGraph_t graph, unsigned long long) {
  *made = new CUgraphExec_st{graph->works};
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  return enqueue(stream, [works = graph->works] {
    for (const Work& work : works) work();
  });
}
