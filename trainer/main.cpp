// expctl-train RUN_FOLDER: does what RUN_FOLDER/request.json asks, and writes only inside that folder.
#include <c10/util/Exception.h>
#include <fmt/core.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/version.h"
#include "core/worker_exit.h"
#include "trainer/mpi_library.h"
#include "trainer/worker.h"

namespace {
volatile std::sig_atomic_t terminated = 0;
void on_terminate(int) {
  terminated = 1;
}

int run(const char* folder) {
  const auto ranks = expctl::join_ranks();
  // One of them tells how the run goes.
  if (ranks->rank() > 0 && std::freopen("/dev/null", "w", stdout) == nullptr)
    throw expctl::Error("/dev/null cannot be written to");
  return expctl::run_worker(
      folder, [] { return terminated != 0; }, *ranks);
}

/// What the messages of this process begin with.
std::string own_name() {
  const auto rank = expctl::launched_rank();
  return rank ? fmt::format("expctl-train: rank {}", *rank) : "expctl-train";
}
}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || std::string_view(argv[1]).starts_with("-")) {
    const bool asked =
        argc == 2 && (std::string_view(argv[1]) == "--help" || std::string_view(argv[1]) == "-h");
    fmt::print(asked ? stdout : stderr,
               "expctl-train {}: usage: expctl-train RUN_FOLDER (with a request.json in it)\n",
               expctl::version());
    return asked ? 0 : static_cast<int>(expctl::ErrorCode::kUsage);
  }
  // Tensors of some size in huge pages (trainer/buffer.h has the reason); before LibTorch looks.
  ::setenv("THP_MEM_ALLOC_ENABLE", "1", 0);
  std::signal(SIGTERM, on_terminate);
  try {
    return run(argv[1]);
  } catch (const expctl::Error& e) {
    fmt::print(stderr, "{}: {}\n", own_name(), e.what());
    if (!e.hint().empty()) fmt::print(stderr, "  hint: {}\n", e.hint());
    return static_cast<int>(e.code());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "{}: out of memory\n", own_name());
    return expctl::kExitOutOfMemory;
  } catch (const c10::Error& e) {
    const std::string what = e.what_without_backtrace();
    fmt::print(stderr, "{}: LibTorch: {}\n", own_name(), what.substr(0, what.find('\n')));
    const bool is_memory = what.find("DefaultCPUAllocator") != std::string::npos;
    return is_memory ? expctl::kExitOutOfMemory : static_cast<int>(expctl::ErrorCode::kError);
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}: {}\n", own_name(), e.what());
    return static_cast<int>(expctl::ErrorCode::kError);
  }
}
