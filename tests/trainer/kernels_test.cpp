// The inner loops of every instruction set that this CPU has, beside LibTorch's operations and autograd.
#include <array>
#include <cmath>

#include "core/counter_random.h"
#include "tests/trainer/every_isa.h"
#include "trainer/dropout.h"

using namespace expctl;

namespace {

/// Random numbers that T has exactly.
template <typename T>
torch::Tensor random(std::vector<int64_t> shape) {
  return torch::randn(shape).to(kTypeOf<T>);
}

std::vector<uint64_t> row_keys(int64_t rows) {
  std::vector<uint64_t> keys;
  for (int64_t p = 0; p < rows; ++p) keys.push_back(dropout_row_key({42, 3}, 0, 1, p));
  return keys;
}

/// The mask that the keys and the rate stand for, as a matrix: the kernel's own, on ones.
torch::Tensor mask_matrix(const std::vector<uint64_t>& keys, Mask mask, int64_t width) {
  auto ones = torch::ones({static_cast<int64_t>(keys.size()), width});
  tables_of(Isa::kBasic).fp32.mask_rows(data<float>(ones), keys.data(), mask, ones.size(0), width);
  return ones;
}

std::vector<std::byte> packed_panels(size_t bytes, int64_t columns) {
  return std::vector<std::byte>(bytes * static_cast<size_t>((columns + kPanelColumns - 1) / kPanelColumns));
}

}  // namespace

TEMPLATE_TEST_CASE("kernels: products of rows and of a transpose", "[trainer]", float, Bf16, Fp16) {
  using T = TestType;
  for_each_isa([&](const IsaTables& tables) {
    const auto& k = kernels_of<T>(tables);
    const ProductsInUse<T> in_use(k);
    for (const auto& [rows, inner, columns] : std::vector<std::array<int64_t, 3>>{{29, 74, 32},
                                                                                  {29, 74, 7},
                                                                                  {40, 300, 32},
                                                                                  {1, 75, 19},
                                                                                  {16, 32, 32},
                                                                                  {47, 64, 16},
                                                                                  {96, 96, 32},
                                                                                  {5, 1, 32}}) {
      INFO(rows << " rows, " << inner << " products, " << columns << " columns");
      const auto a = random<T>({rows, inner}), b = random<T>({inner, columns});
      const auto wanted = at::matmul(a.to(torch::kDouble), b.to(torch::kDouble));
      const auto room =
          torch::full({(rows + kProductRows - 1) / kProductRows * kProductRows, kPanelColumns}, NAN);
      auto c = room.clone();
      // B as it stands, and as the transpose of a weight in fp32.
      auto panel = packed_panels(k.panel_bytes(inner), columns);
      k.pack_panel(data<T>(b), columns, 1, inner, columns, panel.data());
      k.product(data<T>(a), inner, rows, inner, panel.data(), data<float>(c));
      const auto result = c.slice(0, 0, rows);
      CHECK(largest(result.slice(1, 0, columns) - wanted) < 1e-4);
      CHECK((columns == kPanelColumns || largest(result.slice(1, columns)) == 0));
      const auto weight = b.t().contiguous().to(torch::kFloat);
      k.pack_panel_fp32(data<float>(weight), 1, inner, inner, columns, panel.data());
      auto again = room.clone();
      k.product(data<T>(a), inner, rows, inner, panel.data(), data<float>(again));
      CHECK(torch::equal(result, again.slice(0, 0, rows)));
    }
    // A' B over odd numbers of rows, and over a whole one of tiles; with all columns and some.
    for (const auto& [rows, columns] :
         {std::pair<int64_t, int64_t>{29, k.block_columns}, {64, k.block_columns}, {33, 5}}) {
      INFO(rows << " rows, " << columns << " columns");
      const auto x = random<T>({rows, columns}), y = random<T>({rows, 32});
      auto panel = packed_panels(k.panel_bytes(rows), 32);
      std::vector<std::byte> block(k.block_bytes(rows));
      k.pack_panel(data<T>(y), 32, 1, rows, 32, panel.data());
      k.pack_block(data<T>(x), columns, rows, columns, block.data());
      auto c = torch::full({kMostBlockColumns, 32}, NAN);
      k.block_product(block.data(), rows, panel.data(), false, data<float>(c));
      const auto wanted = at::matmul(x.t().to(torch::kDouble), y.to(torch::kDouble));
      CHECK(largest(c.slice(0, 0, columns) - wanted) < 1e-4);
      auto twice = c.clone();
      k.block_product(block.data(), rows, panel.data(), true, data<float>(twice));
      CHECK(largest(twice.slice(0, 0, columns) - 2 * wanted) < 1e-4);
      CHECK((columns == k.block_columns || largest(c.slice(0, columns, k.block_columns)) == 0));
    }
  });
}

TEMPLATE_TEST_CASE("kernels: what becomes of a product", "[trainer]", float, Bf16, Fp16) {
  using T = TestType;
  for_each_isa([&](const IsaTables& tables) {
    const auto& k = kernels_of<T>(tables);
    // A part of a panel, and a whole one in rows that begin with a cache line.
    for (const auto& [n, ld] : std::vector<std::pair<int64_t, int64_t>>{{21, 40}, {32, 64}}) {
      INFO(n << " columns");
      const int64_t rows = 5;
      const auto c = 3 * torch::randn({rows, kPanelColumns});
      const auto bias = torch::randn({n});
      const auto sum = c.slice(1, 0, n) + bias;
      auto out = torch::zeros({rows, ld}, kTypeOf<T>);
      k.store(data<float>(c), rows, n, data<float>(bias), data<T>(out), ld);
      CHECK(torch::equal(out.slice(1, 0, n), sum.to(kTypeOf<T>)));
      CHECK(largest(out.slice(1, n)) == 0);
      auto pre = torch::zeros_like(out);
      k.store_gelu(data<float>(c), rows, n, data<float>(bias), data<T>(pre), data<T>(out), ld);
      CHECK(torch::equal(pre.slice(1, 0, n), sum.to(kTypeOf<T>)));
      const auto kept = out.clone();  // to predict with, pre is not kept: the same comes out
      k.store_gelu(data<float>(c), rows, n, data<float>(bias), nullptr, data<T>(out), ld);
      CHECK(torch::equal(out, kept));
      auto given = pre.slice(1, 0, n).to(torch::kDouble).requires_grad_(true);
      const auto gelu = at::gelu(given);
      check_close<T>(out.slice(1, 0, n), gelu.detach());
      k.store_gelu_gradient(data<float>(c), rows, n, data<T>(pre), data<T>(out), ld);
      gelu.backward(c.slice(1, 0, n).to(torch::kDouble));
      check_close<T>(out.slice(1, 0, n), given.grad());
      auto sums = torch::ones({rows, n});
      for (const bool add : {true, false}) {
        const double squares = k.store_fp32(data<float>(c), rows, n, add, data<float>(sums), n);
        CHECK(torch::equal(sums, (add ? 1 : 0) + c.slice(1, 0, n)));
        CHECK(squares ==
              Approx(sums.to(torch::kDouble).square().sum().template item<double>()).epsilon(1e-12));
      }
    }
  });
}

TEMPLATE_TEST_CASE("kernels: dropout, residual and LayerNorm, and their gradients", "[trainer]", float, Bf16,
                   Fp16) {
  using T = TestType;
  for_each_isa([&](const IsaTables& tables) {
    const auto& k = kernels_of<T>(tables);
    const int64_t rows = 9, width = 70;
    const auto keys = row_keys(rows);
    for (const double rate : {0.0, 0.2}) {
      const Mask mask = rate == 0 ? Mask{} : dropout_mask(rate);
      const auto kept = rate == 0 ? torch::ones({rows, width}) : mask_matrix(keys, mask, width);
      const auto x = random<T>({rows, width}), residual = random<T>({rows, width});
      const auto gamma = torch::randn({width}), beta = torch::randn({width});
      auto sum = torch::empty_like(x), out = torch::empty_like(x);
      auto stats = torch::empty({rows, 2});
      k.add_norm(data<T>(x), data<T>(residual), keys.data(), mask, data<float>(gamma), data<float>(beta),
                 1e-5f, rows, width, data<T>(sum), data<float>(stats), data<T>(out));
      check_close<T>(sum, x.to(torch::kDouble) * kept + residual);
      auto given = sum.to(torch::kDouble).requires_grad_(true);
      auto g = gamma.to(torch::kDouble).requires_grad_(true),
           b = beta.to(torch::kDouble).requires_grad_(true);
      const auto norm = at::layer_norm(given, {width}, g, b, 1e-5);
      check_close<T>(out, norm.detach());

      const auto dout = random<T>({rows, width}), more = random<T>({rows, width});
      auto dsum = torch::empty_like(x), dx = torch::empty_like(x);
      auto partial = torch::empty({2, width});
      k.add_norm_gradient(data<T>(dout), data<T>(more), data<T>(sum), data<float>(stats), keys.data(), mask,
                          data<float>(gamma), rows, width, data<T>(dsum), data<T>(dx), data<float>(partial));
      norm.backward(dout.to(torch::kDouble) + more.to(torch::kDouble));
      check_close<T>(dsum, given.grad());
      check_close<T>(dx, given.grad() * kept);
      check_close<T>(partial[0], g.grad());
      check_close<T>(partial[1], b.grad());
    }
    // Without a residual x is what is normalized.
    const auto x = random<T>({rows, width});
    const auto ones = torch::ones({width}), zeros = torch::zeros({width});
    auto sum = torch::empty_like(x), out = torch::empty_like(x);
    auto stats = torch::empty({rows, 2});
    k.add_norm(data<T>(x), nullptr, nullptr, {}, data<float>(ones), data<float>(zeros), 1e-5f, rows, width,
               data<T>(sum), data<float>(stats), data<T>(out));
    CHECK(torch::equal(sum, x));
    check_close<T>(out, at::layer_norm(x.to(torch::kDouble), {width}, {}, {}, 1e-5));
    auto sums = torch::empty({width});
    k.column_sums(data<T>(x), width, rows, width, data<float>(sums));
    CHECK(largest(sums - x.to(torch::kDouble).sum(0)) < 1e-4);
  });
}

TEMPLATE_TEST_CASE("kernels: attention and its gradients", "[trainer]", float, Bf16, Fp16) {
  using T = TestType;
  for_each_isa([&](const IsaTables& tables) {
    const auto& k = kernels_of<T>(tables);
    for (const auto& [length, size] : {std::pair<int64_t, int64_t>{5, 4}, {50, 32}, {131, 64}, {64, 12}}) {
      INFO(length << " tokens, width " << size);
      const auto keys = row_keys(length);
      const Mask mask = dropout_mask(0.2);
      const auto kept = mask_matrix(keys, mask, length);
      const int64_t ld = 3 * size;
      const auto qkv = random<T>({length, ld});
      AttentionHead<T> head{
          length, size,        data<T>(qkv), data<T>(qkv) + size, data<T>(qkv) + 2 * size, ld,
          0.3f,   keys.data(), mask};
      std::vector<std::byte> scratch(k.attention_scratch_bytes(length, size));
      auto context = torch::empty({length, size}, kTypeOf<T>);
      auto log_sums = torch::empty({length});
      k.attention(head, data<T>(context), size, data<float>(log_sums), scratch.data());

      auto given = qkv.to(torch::kDouble).requires_grad_(true);
      const auto parts = given.split(size, 1);
      const auto scores = at::matmul(parts[0], parts[1].t()) * 0.3;
      const auto wanted = at::matmul(at::softmax(scores, -1) * kept, parts[2]);
      check_close<T>(context, wanted.detach());
      CHECK(largest(log_sums - at::logsumexp(scores, -1)) < 1e-4);

      const auto dcontext = random<T>({length, size});
      auto dqkv = torch::empty_like(qkv);
      k.attention_gradient(head,
                           {data<T>(context), data<T>(dcontext), size, data<float>(log_sums), data<T>(dqkv),
                            data<T>(dqkv) + size, data<T>(dqkv) + 2 * size},
                           scratch.data());
      wanted.backward(dcontext.to(torch::kDouble));
      for (int64_t part = 0; part < 3; ++part)
        check_close<T>(dqkv.slice(1, part * size, (part + 1) * size),
                       given.grad().slice(1, part * size, (part + 1) * size));
    }
  });
}

TEST_CASE("kernels: dropout drops at its rate in every column, and scales the rest", "[trainer]") {
  for (const double rate : {0.1, 0.5}) {
    const auto out = mask_matrix(row_keys(4000), dropout_mask(rate), 64);
    const auto dropped = (out == 0).to(torch::kFloat);
    CHECK(dropped.mean().item<double>() == Approx(rate).margin(0.004));
    CHECK((dropped.mean(0) - rate).abs().max().item<double>() < 0.05);  // 6 deviations of 4000 draws
    CHECK(out.max().item<double>() == Approx(1.0 / (1.0 - rate)));
    CHECK(torch::equal((out == out.max()).logical_or(out == 0), torch::ones_like(out, torch::kBool)));
  }
}

TEST_CASE("kernels: masks are the same whatever the instruction set, and of their own row's key",
          "[trainer]") {
  const auto keys = row_keys(8);
  const auto basic = mask_matrix(keys, dropout_mask(0.5), 33);
  CHECK_FALSE(torch::equal(basic[0], basic[1]));
  CHECK(torch::equal(mask_matrix({keys.begin() + 5, keys.end()}, dropout_mask(0.5), 33), basic.slice(0, 5)));
  for_each_isa([&](const IsaTables& tables) {
    auto ones = torch::ones({8, 33});
    tables.fp32.mask_rows(data<float>(ones), keys.data(), dropout_mask(0.5), 8, 33);
    CHECK(torch::equal(ones, basic));
  });
}
