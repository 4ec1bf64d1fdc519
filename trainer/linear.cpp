#include "trainer/linear.h"

#include <algorithm>

#include "core/tiles.h"

namespace expctl {
namespace {

constexpr int64_t kRowTile = 96;  // a tile of x stays in a core's cache
static_assert(kRowTile % kProductRows == 0);
constexpr int64_t kPanelGroup = 4;
constexpr int64_t kBlockGroup = 8;
constexpr int64_t kSumColumns = 128;

int64_t divide_up(int64_t count, int64_t size) {
  return (count + size - 1) / size;
}

int64_t panels_of(int64_t columns) {
  return divide_up(columns, kPanelColumns);
}

/// Products of all row tiles with `panels` panels: finish(first row, rows, panel, c) for each piece.
template <typename T, typename PanelAt, typename Finish>
void products(const T* a, int64_t k, int64_t rows, int64_t panels, const PanelAt& panel_at,
              const Finish& finish) {
  const int64_t groups = divide_up(panels, kPanelGroup);
  for_each_tile(divide_up(rows, kRowTile) * groups, [&](int64_t tile, int64_t) {
    alignas(64) float c[kRowTile * kPanelColumns];
    const int64_t first = tile / groups * kRowTile;
    const int64_t count = std::min(kRowTile, rows - first);
    const int64_t begin = tile % groups * kPanelGroup;
    for (int64_t panel = begin; panel < std::min(panels, begin + kPanelGroup); ++panel) {
      kernels<T>().product(a + first * k, k, count, k, panel_at(panel), c);
      finish(first, count, panel, c);
    }
  });
}

struct Columns {
  const float* first;
  int64_t row_stride;
};

/// Columns first .. first + n - 1 of all parts, one below the other. A panel is packed of all rows at once: a
/// pair or a tile may lie across two parts.
Columns gathered(const std::vector<const float*>& weights, int64_t out_of_each, int64_t in, int64_t first,
                 int64_t n) {
  if (weights.size() == 1) return {weights[0] + first, in};
  thread_local Buffer<float> space;
  float* to = space.resize(static_cast<int64_t>(weights.size()) * out_of_each * kPanelColumns);
  const Columns columns{to, kPanelColumns};
  for (const float* weight : weights) {
    for (int64_t row = 0; row < out_of_each; ++row, to += kPanelColumns)
      std::copy_n(weight + row * in + first, n, to);
  }
  return columns;
}

}  // namespace

template <typename T>
void PackedWeights<T>::pack(const std::vector<const float*>& weights, int64_t out_of_each, int64_t in) {
  in_ = in;
  out_of_each_ = out_of_each;
  parts_ = static_cast<int64_t>(weights.size());
  const auto& k = kernels<T>();
  const auto forward_bytes = static_cast<int64_t>(k.panel_bytes(in));
  const auto gradient_bytes = static_cast<int64_t>(k.panel_bytes(out()));
  const int64_t forward_panels = panels_of(out_of_each), gradient_panels = panels_of(in);
  std::byte* forward = forward_.resize(parts_ * forward_panels * forward_bytes);
  std::byte* gradient = gradient_.resize(gradient_panels * gradient_bytes);
  for_each_tile(parts_ * forward_panels + gradient_panels, [&](int64_t tile, int64_t) {
    if (tile < parts_ * forward_panels) {
      const int64_t part = tile / forward_panels, first = tile % forward_panels * kPanelColumns;
      k.pack_panel_fp32(weights[static_cast<size_t>(part)] + first * in, 1, in, in,
                        std::min(kPanelColumns, out_of_each - first), forward + tile * forward_bytes);
    } else {
      const int64_t panel = tile - parts_ * forward_panels, first = panel * kPanelColumns;
      const int64_t n = std::min(kPanelColumns, in - first);
      const Columns columns = gathered(weights, out_of_each, in, first, n);
      k.pack_panel_fp32(columns.first, columns.row_stride, 1, out(), n, gradient + panel * gradient_bytes);
    }
  });
}

template <typename T>
const std::byte* PackedWeights<T>::forward_panel(int64_t part, int64_t panel) const {
  return forward_.data() +
         (part * panels_of(out_of_each_) + panel) * static_cast<int64_t>(kernels<T>().panel_bytes(in_));
}

template <typename T>
const std::byte* PackedWeights<T>::gradient_panel(int64_t panel) const {
  return gradient_.data() + panel * static_cast<int64_t>(kernels<T>().panel_bytes(out()));
}

template <typename T>
void linear(const T* x, int64_t rows, const PackedWeights<T>& weights,
            const std::vector<const float*>& biases, T* out) {
  const int64_t panels_each = panels_of(weights.out_of_each());
  products<T>(
      x, weights.in(), rows, weights.parts() * panels_each,
      [&](int64_t panel) { return weights.forward_panel(panel / panels_each, panel % panels_each); },
      [&](int64_t first, int64_t count, int64_t panel, const float* c) {
        const int64_t part = panel / panels_each, column = panel % panels_each * kPanelColumns;
        kernels<T>().store(c, count, std::min(kPanelColumns, weights.out_of_each() - column),
                           biases[static_cast<size_t>(part)] + column,
                           out + first * weights.out() + part * weights.out_of_each() + column,
                           weights.out());
      });
}

template <typename T>
void linear_gelu(const T* x, int64_t rows, const PackedWeights<T>& weights, const float* bias, T* pre,
                 T* out) {
  products<T>(
      x, weights.in(), rows, panels_of(weights.out()),
      [&](int64_t panel) { return weights.forward_panel(0, panel); },
      [&](int64_t first, int64_t count, int64_t panel, const float* c) {
        const int64_t column = panel * kPanelColumns, place = first * weights.out() + column;
        kernels<T>().store_gelu(c, count, std::min(kPanelColumns, weights.out() - column), bias + column,
                                pre + place, out + place, weights.out());
      });
}

template <typename T>
void linear_input_gradient(const T* dy, int64_t rows, const PackedWeights<T>& weights, const T* pre, T* dx) {
  products<T>(
      dy, weights.out(), rows, panels_of(weights.in()),
      [&](int64_t panel) { return weights.gradient_panel(panel); },
      [&](int64_t first, int64_t count, int64_t panel, const float* c) {
        const int64_t column = panel * kPanelColumns, place = first * weights.in() + column;
        const int64_t n = std::min(kPanelColumns, weights.in() - column);
        if (pre == nullptr)
          kernels<T>().store(c, count, n, nullptr, dx + place, weights.in());
        else
          kernels<T>().store_gelu_gradient(c, count, n, pre + place, dx + place, weights.in());
      });
}

template <typename T>
void linear_weight_gradient(const T* dy, int64_t dy_ld, int64_t out, const T* x, int64_t in, int64_t rows,
                            bool add, float* dweight, float* dbias, WeightGradientSpace& space) {
  const auto& k = kernels<T>();
  const auto panel_bytes = static_cast<int64_t>(k.panel_bytes(rows));
  const auto block_bytes = static_cast<int64_t>(k.block_bytes(rows));
  const int64_t block_columns = k.block_columns;
  const int64_t panels = panels_of(in), blocks = divide_up(out, block_columns);
  std::byte* panel_space = space.panels.resize(panels * panel_bytes);
  std::byte* block_space = space.blocks.resize(blocks * block_bytes);
  for_each_tile(panels + blocks, [&](int64_t tile, int64_t) {
    if (tile < panels) {
      const int64_t column = tile * kPanelColumns;
      k.pack_panel(x + column, in, 1, rows, std::min(kPanelColumns, in - column),
                   panel_space + tile * panel_bytes);
    } else {
      const int64_t block = tile - panels, column = block * block_columns;
      const int64_t width = std::min(block_columns, out - column);
      k.pack_block(dy + column, dy_ld, rows, width, block_space + block * block_bytes);
    }
  });
  for_each_range(out, kSumColumns, [&](int64_t begin, int64_t end, int64_t) {
    float sums[kSumColumns];
    k.column_sums(dy + begin, dy_ld, rows, end - begin, sums);
    for (int64_t j = begin; j < end; ++j) dbias[j] = (add ? dbias[j] : 0.0f) + sums[j - begin];
  });
  const int64_t panel_groups = divide_up(panels, kPanelGroup);
  for_each_tile(divide_up(blocks, kBlockGroup) * panel_groups, [&](int64_t tile, int64_t) {
    alignas(64) float c[kMostBlockColumns * kPanelColumns];
    const int64_t first_block = tile / panel_groups * kBlockGroup;
    const int64_t first_panel = tile % panel_groups * kPanelGroup;
    for (int64_t panel = first_panel; panel < std::min(panels, first_panel + kPanelGroup); ++panel) {
      const int64_t column = panel * kPanelColumns;
      for (int64_t block = first_block; block < std::min(blocks, first_block + kBlockGroup); ++block) {
        const int64_t row = block * block_columns;
        k.block_product(block_space + block * block_bytes, rows, panel_space + panel * panel_bytes, c);
        k.store_fp32(c, std::min(block_columns, out - row), std::min(kPanelColumns, in - column), add,
                     dweight + row * in + column, in);
      }
    }
  });
}

#define EXPCTL_LINEAR_OF(T)                                                                                  \
  template class PackedWeights<T>;                                                                           \
  template void linear(const T*, int64_t, const PackedWeights<T>&, const std::vector<const float*>&, T*);    \
  template void linear_gelu(const T*, int64_t, const PackedWeights<T>&, const float*, T*, T*);               \
  template void linear_input_gradient(const T*, int64_t, const PackedWeights<T>&, const T*, T*);             \
  template void linear_weight_gradient(const T*, int64_t, int64_t, const T*, int64_t, int64_t, bool, float*, \
                                       float*, WeightGradientSpace&);
EXPCTL_LINEAR_OF(float)
EXPCTL_LINEAR_OF(Bf16)
EXPCTL_LINEAR_OF(Fp16)
#undef EXPCTL_LINEAR_OF

}  // namespace expctl
