#include "trainer/linear.h"

#include <unistd.h>

#include <algorithm>
#include <numeric>

#include "core/tiles.h"

namespace expctl {
namespace {

// Of a weight gradient: the most columns of blocks by panels that are computed together, and how many rows of
// both at once, so that a block of those rows stays in a core's first cache, and all of them with the sums in
// its second.
constexpr int64_t kBlockGroupColumns = 768;
constexpr int64_t kPanelGroup = 8;
constexpr int64_t kRowChunk = 384;
constexpr int64_t kPackedRows = 32;  // at once: of tiles, a whole one
static_assert(kRowChunk % kPackedRows == 0);

int64_t divide_up(int64_t count, int64_t size) {
  return (count + size - 1) / size;
}

int64_t panels_of(int64_t columns) {
  return divide_up(columns, kPanelColumns);
}

/// How many panels stay in a core's second cache while rows pass by.
int64_t panels_at_once(int64_t panels, size_t panel_bytes) {
  static const int64_t kCache = std::max<int64_t>(1 << 20, ::sysconf(_SC_LEVEL2_CACHE_SIZE));
  const int64_t most = std::max<int64_t>(1, kCache * 5 / 8 / static_cast<int64_t>(panel_bytes));
  return divide_up(panels, divide_up(panels, most));
}

/// Tiles of rows by groups of panels, in an order in which a thread's share is neighbouring rows, and a group
/// is done with before the next.
struct RowsByGroups {
  int64_t row_tiles, groups;

  int64_t count() const { return row_tiles * groups; }
  /// Row tile and group.
  std::pair<int64_t, int64_t> at(int64_t tile) const {
    const int64_t bands = thread_count();
    for (int64_t band = 0;; ++band) {
      const int64_t begin = row_tiles * band / bands, rows = row_tiles * (band + 1) / bands - begin;
      const int64_t place = tile - begin * groups;
      if (place < rows * groups) return {begin + place % rows, place / rows};
    }
  }
};

/// Products of all rows with `panels` panels: finish(first row, rows, panel, c) for each piece.
template <typename T, typename PanelAt, typename Finish>
void products(const T* a, int64_t k, int64_t rows, int64_t panels, const PanelAt& panel_at,
              const Finish& finish) {
  const Kernels<T>& kernel = kernels<T>();
  const int64_t group = panels_at_once(panels, kernel.panel_bytes(k));
  const RowsByGroups tiles{divide_up(rows, kernel.product_rows), divide_up(panels, group)};
  for_each_tile(tiles.count(), [&](int64_t tile, int64_t) {
    alignas(64) float c[kMostRowsAtOnce * kPanelColumns];
    const ProductsInUse<T> in_use(kernel);
    const auto [row_tile, group_index] = tiles.at(tile);
    const int64_t first = row_tile * kernel.product_rows, begin = group_index * group;
    const int64_t count = std::min(kernel.product_rows, rows - first);
    const int64_t end = std::min(panels, begin + group);
    for (int64_t panel = begin; panel < end; ++panel) {
      kernel.product(a + first * k, k, count, k, panel_at(panel), c);
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
  const auto pack_forward = [&](int64_t tile) {
    const int64_t part = tile / forward_panels, first = tile % forward_panels * kPanelColumns;
    k.pack_panel_fp32(weights[static_cast<size_t>(part)] + first * in, 1, in, in,
                      std::min(kPanelColumns, out_of_each - first), forward + tile * forward_bytes);
  };
  if (out_of_each % kPanelColumns == 0) {  // whole rows of panels, each read once for both
    for_each_tile(parts_ * forward_panels, [&](int64_t tile, int64_t) {
      pack_forward(tile);
      const float* rows =
          weights[static_cast<size_t>(tile / forward_panels)] + tile % forward_panels * kPanelColumns * in;
      const auto place = static_cast<int64_t>(k.panel_bytes(tile * kPanelColumns));
      for (int64_t panel = 0; panel < gradient_panels; ++panel) {
        const int64_t first = panel * kPanelColumns;
        k.pack_panel_fp32(rows + first, in, 1, kPanelColumns, std::min(kPanelColumns, in - first),
                          gradient + panel * gradient_bytes + place);
      }
    });
    return;
  }
  for_each_tile(parts_ * forward_panels + gradient_panels, [&](int64_t tile, int64_t) {
    if (tile < parts_ * forward_panels) {
      pack_forward(tile);
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
                                pre == nullptr ? nullptr : pre + place, out + place, weights.out());
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
std::vector<double> linear_weight_gradient(const T* dy, const std::vector<LinearGradient>& parts,
                                           int64_t out_of_each, const T* x, int64_t in, int64_t rows,
                                           bool add, WeightGradientSpace& space) {
  const auto& k = kernels<T>();
  const auto panel_bytes = static_cast<int64_t>(k.panel_bytes(rows));
  const auto block_bytes = static_cast<int64_t>(k.block_bytes(rows));
  const int64_t block_columns = k.block_columns, out = static_cast<int64_t>(parts.size()) * out_of_each;
  const int64_t panels = panels_of(in), blocks_each = divide_up(out_of_each, block_columns);
  const int64_t blocks = static_cast<int64_t>(parts.size()) * blocks_each;
  const auto row_of = [&](int64_t block) { return block % blocks_each * block_columns; };  // of its part
  std::byte* panel_space = space.panels.resize(panels * panel_bytes);
  std::byte* block_space = space.blocks.resize(blocks * block_bytes);
  const int64_t chunks = divide_up(rows, kPackedRows);
  float* sums = space.sums.resize(chunks * out);
  for_each_range(rows, kPackedRows, [&](int64_t begin, int64_t end, int64_t) {
    const auto panel_at = static_cast<int64_t>(k.panel_bytes(begin));
    const auto block_at = static_cast<int64_t>(k.block_bytes(begin));
    for (int64_t panel = 0; panel < panels; ++panel) {
      const int64_t column = panel * kPanelColumns;
      k.pack_panel(x + begin * in + column, in, 1, end - begin, std::min(kPanelColumns, in - column),
                   panel_space + panel * panel_bytes + panel_at);
    }
    const T* from = dy + begin * out;
    for (int64_t block = 0; block < blocks; ++block) {
      const int64_t row = row_of(block);
      k.pack_block(from + block / blocks_each * out_of_each + row, out, end - begin,
                   std::min(block_columns, out_of_each - row), block_space + block * block_bytes + block_at);
    }
    k.column_sums(from, out, end - begin, out, sums + begin / kPackedRows * out);
  });
  for (size_t part = 0; part < parts.size(); ++part) {
    float* bias = parts[part].bias;
    if (!add) std::fill_n(bias, out_of_each, 0.0f);
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      const float* from = sums + chunk * out + static_cast<int64_t>(part) * out_of_each;
      for (int64_t j = 0; j < out_of_each; ++j) bias[j] += from[j];
    }
  }
  const int64_t c_size = block_columns * kPanelColumns;
  const int64_t panel_groups = divide_up(panels, kPanelGroup), panel_group = divide_up(panels, panel_groups);
  // As many groups of blocks as give each thread the same number of them.
  const int64_t least_groups = divide_up(blocks, kBlockGroupColumns / block_columns);
  const int64_t block_groups = divide_up(least_groups, thread_count()) * thread_count();
  const int64_t block_group = divide_up(blocks, block_groups);
  std::vector<double> squares(static_cast<size_t>(blocks * panels));
  for_each_tile(divide_up(blocks, block_group) * panel_groups, [&](int64_t tile, int64_t) {
    thread_local Buffer<float> c_space;
    float* c = c_space.resize(block_group * panel_group * c_size);
    const ProductsInUse<T> in_use(k);
    const int64_t first_block = tile / panel_groups * block_group;
    const int64_t first_panel = tile % panel_groups * panel_group;
    const int64_t end_block = std::min(blocks, first_block + block_group);
    const int64_t end_panel = std::min(panels, first_panel + panel_group);
    const auto each = [&](const auto& f) {
      for (int64_t block = first_block; block < end_block; ++block) {
        for (int64_t panel = first_panel; panel < end_panel; ++panel)
          f(block, panel, c + ((block - first_block) * panel_group + panel - first_panel) * c_size);
      }
    };
    for (int64_t row = 0; row < rows; row += kRowChunk) {
      const auto panel_at = static_cast<int64_t>(k.panel_bytes(row));
      const auto block_at = static_cast<int64_t>(k.block_bytes(row));
      each([&](int64_t block, int64_t panel, float* piece) {
        k.block_product(block_space + block * block_bytes + block_at, std::min(kRowChunk, rows - row),
                        panel_space + panel * panel_bytes + panel_at, row > 0, piece);
      });
    }
    each([&](int64_t block, int64_t panel, const float* piece) {
      const int64_t row = row_of(block), column = panel * kPanelColumns;
      squares[static_cast<size_t>(block * panels + panel)] = k.store_fp32(
          piece, std::min(block_columns, out_of_each - row), std::min(kPanelColumns, in - column), add,
          parts[static_cast<size_t>(block / blocks_each)].weight + row * in + column, in);
    });
  });
  std::vector<double> sums_of_squares;  // in an order that does not depend on the threads
  for (auto piece = squares.begin(); piece != squares.end(); piece += blocks_each * panels)
    sums_of_squares.push_back(std::accumulate(piece, piece + blocks_each * panels, 0.0));
  return sums_of_squares;
}

#define EXPCTL_LINEAR_OF(T)                                                                                  \
  template class PackedWeights<T>;                                                                           \
  template void linear(const T*, int64_t, const PackedWeights<T>&, const std::vector<const float*>&, T*);    \
  template void linear_gelu(const T*, int64_t, const PackedWeights<T>&, const float*, T*, T*);               \
  template void linear_input_gradient(const T*, int64_t, const PackedWeights<T>&, const T*, T*);             \
  template std::vector<double> linear_weight_gradient(const T*, const std::vector<LinearGradient>&, int64_t, \
                                                      const T*, int64_t, int64_t, bool,                      \
                                                      WeightGradientSpace&);
EXPCTL_LINEAR_OF(float)
EXPCTL_LINEAR_OF(Bf16)
EXPCTL_LINEAR_OF(Fp16)
#undef EXPCTL_LINEAR_OF

}  // namespace expctl
