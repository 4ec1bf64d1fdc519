// Memory of an emulated GPU. Each piece ends where a page begins that nobody may touch, so that what a kernel
// reads or writes past its end is seen at once; what it has not been given is NaN.
#include <cuda_runtime_api.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

#include "tests/emulated_gpu/stream.h"

using emulated_gpu::enqueue;
using emulated_gpu::remember;

namespace {

constexpr size_t kPage = 4096, kAlignment = 256;
constexpr unsigned char kFresh = 0xff, kBehind = 0xa5;

/// Pages that nobody may touch lie around `pages`, which hold `bytes` from `data` on.
struct Piece {
  std::byte* pages;
  size_t mapped;
  size_t bytes;
  size_t room;  ///< bytes, up to the alignment
};

struct Pieces {
  std::mutex mutex;
  std::map<void*, Piece> device;
  std::map<const std::byte*, size_t> pinned;  ///< and how many bytes
};

Pieces& pieces() {
  static Pieces made;
  return made;
}

size_t rounded_up(size_t bytes, size_t to) {
  return (bytes + to - 1) / to * to;
}

/// Whether `memory` lies in what cudaMallocHost() gave.
bool is_pinned(const void* memory) {
  const auto* place = static_cast<const std::byte*>(memory);
  const std::scoped_lock lock(pieces().mutex);
  auto after = pieces().pinned.upper_bound(place);
  if (after == pieces().pinned.begin()) return false;
  --after;
  return place < after->first + after->second;
}

void check_behind(const std::byte* data, const Piece& piece) {
  for (size_t i = piece.bytes; i < piece.room; ++i) {
    if (data[i] == std::byte{kBehind}) continue;
    std::fprintf(stderr, "emulated GPU: byte %zu of %zu that were asked for was written\n", i, piece.bytes);
    std::abort();
  }
}

}  // namespace

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  if (emulated_gpu::spoils_capture()) return remember(cudaErrorStreamCaptureUnsupported);
  *memory = nullptr;
  if (bytes == 0) return cudaSuccess;
  Piece piece{};
  piece.bytes = bytes;
  piece.room = rounded_up(bytes, kAlignment);
  const size_t inner = rounded_up(piece.room, kPage);
  piece.mapped = inner + 2 * kPage;
  void* pages = mmap(nullptr, piece.mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return remember(cudaErrorMemoryAllocation);
  piece.pages = static_cast<std::byte*>(pages);
  if (mprotect(piece.pages + kPage, inner, PROT_READ | PROT_WRITE) != 0) {
    munmap(pages, piece.mapped);
    return remember(cudaErrorMemoryAllocation);
  }
  std::byte* data = piece.pages + kPage + inner - piece.room;
  std::memset(data, kFresh, bytes);
  std::memset(data + bytes, kBehind, piece.room - bytes);
  const std::scoped_lock lock(pieces().mutex);
  pieces().device.emplace(data, piece);
  *memory = data;
  return cudaSuccess;
}

cudaError_t cudaFree(void* memory) {
  if (emulated_gpu::spoils_capture()) return remember(cudaErrorStreamCaptureUnsupported);
  if (memory == nullptr) return cudaSuccess;
  emulated_gpu::wait_for_all_streams();
  const std::scoped_lock lock(pieces().mutex);
  const auto found = pieces().device.find(memory);
  if (found == pieces().device.end()) return remember(cudaErrorInvalidValue);
  const Piece piece = found->second;
  check_behind(static_cast<std::byte*>(memory), piece);
  pieces().device.erase(found);
  munmap(piece.pages, piece.mapped);
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  *memory = std::malloc(bytes);
  const std::scoped_lock lock(pieces().mutex);
  pieces().pinned.emplace(static_cast<std::byte*>(*memory), bytes);
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* memory) {
  emulated_gpu::wait_for_all_streams();
  const std::scoped_lock lock(pieces().mutex);
  pieces().pinned.erase(static_cast<std::byte*>(memory));
  std::free(memory);
  return cudaSuccess;
}

/// Memory of the host that is not pinned is read at once, and written before the call returns.
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (kind == cudaMemcpyHostToDevice && !is_pinned(from)) {
    const auto* read = static_cast<const std::byte*>(from);
    return enqueue(stream, [to, own = std::vector<std::byte>(read, read + bytes)] {
      std::memcpy(to, own.data(), own.size());
    });
  }
  enqueue(stream, [=] { std::memcpy(to, from, bytes); });
  if (kind == cudaMemcpyDeviceToHost && !is_pinned(to)) return cudaStreamSynchronize(stream);
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  cudaMemcpyAsync(to, from, bytes, kind, nullptr);
  return cudaStreamSynchronize(nullptr);
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  return enqueue(stream, [=] { std::memset(memory, value, bytes); });
}

cudaError_t cudaMemset(void* memory, int value, size_t bytes) {
  cudaMemsetAsync(memory, value, bytes, nullptr);
  return cudaStreamSynchronize(nullptr);
}
