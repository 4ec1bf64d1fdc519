// How fast the kernels multiply bf16 matrices out of the first cache, all threads together: what a training
// cannot exceed. Usage: bench_products THREADS
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "core/counter_random.h"
#include "core/tiles.h"
#include "trainer/kernels/isa.h"
#include "trainer/kernels/kernels.h"

namespace {
using namespace expctl;

constexpr int64_t kInner = 256, kRepetitions = 4000;

/// Numbers between -2 and 2: of all alike a CPU multiplies more, for want of heat.
Bf16 number(int64_t i) {
  return static_cast<Bf16>(mix64(static_cast<uint64_t>(i)) & 0xbfff);
}

/// FLOP/s of one round: each thread multiplies rows of its own by one panel, again and again.
double one_round(int64_t threads) {
  const auto& k = kernels<Bf16>();
  const auto began = std::chrono::steady_clock::now();
  on_all_threads([&](int64_t) {
    std::vector<Bf16> a;
    for (int64_t i = 0; i < k.product_rows * kInner; ++i) a.push_back(number(i));
    alignas(64) float c[kMostRowsAtOnce * kPanelColumns];
    std::vector<std::byte> memory(k.panel_bytes(kInner) + 64);
    std::byte* panel = memory.data() + 64 - reinterpret_cast<uintptr_t>(memory.data()) % 64;
    k.pack_panel(a.data(), kPanelColumns, 1, kInner, kPanelColumns, panel);
    const ProductsInUse<Bf16> in_use(k);
    for (int64_t i = 0; i < kRepetitions; ++i) k.product(a.data(), kInner, k.product_rows, kInner, panel, c);
  });
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  return static_cast<double>(threads * kRepetitions * 2 * k.product_rows * kInner * kPanelColumns) /
         took.count();
}

}  // namespace

int main(int count, char** arguments) {
  const int64_t threads = count > 1 ? std::atoll(arguments[1]) : 1;
  set_thread_count(threads);
  double best = 0;
  for (int round = 0; round < 30; ++round) best = std::max(best, one_round(threads));
  fmt::print("{} {:.4g}\n", name_of(isa_in_use()), best);
}
