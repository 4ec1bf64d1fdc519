#include "tests/trainer/cuda/on_device.h"

using namespace expctl;
using namespace expctl::test;

namespace {

constexpr float kEpsilon = 1e-12f;

/// A layer's end, of which the gradient comes by one way or by two.
template <typename T>
void check_add_norm(const RaggedBatch& batch, int64_t width, const cuda::DropoutSite& dropout,
                    bool has_more) {
  const int64_t rows = batch.rows.rows;
  const auto x = random_leaf<T>({rows, width}), residual = random_leaf<T>({rows, width});
  const auto bias = random_leaf<float>({width}), gamma = random_leaf<float>({width}),
             beta = random_leaf<float>({width});
  const auto gradient = batch.without_filling(random_values<T>({rows, width})),
             more = batch.without_filling(random_values<T>({rows, width}));

  const auto at_x = on_device<T>(x), at_residual = on_device<T>(residual),
             at_gradient = on_device<T>(gradient), at_more = on_device<T>(more);
  const auto at_bias = on_device<float>(bias), at_gamma = on_device<float>(gamma),
             at_beta = on_device<float>(beta);
  const auto results = same_twice([&]() -> std::vector<at::Tensor> {
    const auto sum = poisoned<T>(rows * width), out = poisoned<T>(rows * width),
               dsum = poisoned<T>(rows * width), dx = poisoned<T>(rows * width);
    const auto stats = poisoned<float>(2 * rows), partial = poisoned<float>(cuda::norm_parts() * 3 * width);
    cuda::add_norm<T>(at_x.data(), at_bias.data(), at_residual.data(), batch.rows, dropout, at_gamma.data(),
                      at_beta.data(), kEpsilon, width, sum.data(), stats.data(), out.data(), nullptr);
    cuda::add_norm_gradient<T>(at_gradient.data(), has_more ? at_more.data() : nullptr, sum.data(),
                               stats.data(), batch.rows, dropout, at_gamma.data(), width, dsum.data(),
                               dx.data(), partial.data(), nullptr);
    return {from_device(sum, {rows, width}), from_device(out, {rows, width}),
            from_device(stats, {rows, 2}),   from_device(dsum, {rows, width}),
            from_device(dx, {rows, width}),  sum_of_parts(partial, cuda::norm_parts())};
  });
  const auto kept = results[0].to(at::kDouble);
  const auto plain_sum = (x + bias) * batch.mask(dropout, width) + residual;
  check_close(kept, plain_sum, tolerance<T>());
  // What follows is of the sum as it was rounded: a row of little variance would make much of the difference.
  const auto plain_out =
      at::layer_norm(plain_sum + (kept - plain_sum).detach(), {width}, gamma, beta, kEpsilon);
  plain_out.backward(has_more ? gradient + more : gradient);
  check_close(results[1], plain_out, tolerance<T>());
  const auto inverse = 1 / (kept.var(1, false) + kEpsilon).sqrt();
  check_close(results[2], at::stack({kept.mean(1), inverse}, 1), kFp32Tolerance);
  check_close(results[3], residual.grad(), tolerance<T>());
  check_close(results[4], x.grad(), tolerance<T>());
  const auto sums = results[5].view({3, width});
  check_close(sums[0], gamma.grad(), kFp32Tolerance);
  check_close(sums[1], beta.grad(), kFp32Tolerance);
  check_close(sums[2], bias.grad(), tolerance<T>());
  batch.check_filling_is_zero(results[3]);
  batch.check_filling_is_zero(results[4]);
}

}  // namespace

TEMPLATE_TEST_CASE("norm: dropout, residual and LayerNorm are autograd's, both ways", "[cuda]", float,
                   __nv_bfloat16, __half) {
  SKIP_WITHOUT_GPU();
  for_each_batch([](const RaggedBatch& batch, const Mask& mask) {
    for (const int64_t width : hidden_widths()) {
      for (const bool has_more : {true, false}) {
        INFO("width " << width << (has_more ? ", two gradients" : ", one gradient"));
        check_add_norm<TestType>(batch, width, {.site = 11, .mask = mask}, has_more);
      }
    }
  });
}

// Nothing is launched, so that this needs no GPU.
TEST_CASE("norm: hidden states that are too wide are refused by every kernel that keeps rows in registers",
          "[cuda]") {
  const int64_t width = cuda::kMostHidden + 8;
  const cuda::RowsOnDevice rows{.rows = 1, .sequences = 1, .longest = 1};
  const cuda::EmbeddingTables tables{};
  const cuda::DropoutSite no_dropout;
  const float* from = nullptr;
  float* to = nullptr;
  const std::vector<std::function<void()>> calls = {
      [&] {
        cuda::add_norm<float>(from, from, from, rows, no_dropout, from, from, kEpsilon, width, to, to, to,
                              nullptr);
      },
      [&] {
        cuda::add_norm_gradient<float>(from, from, from, from, rows, no_dropout, from, width, to, to, to,
                                       nullptr);
      },
      [&] { cuda::embed<float>(rows, tables, no_dropout, width, to, to, to, nullptr); },
      [&] {
        cuda::embed_gradient<float>(from, from, rows, from, from, no_dropout, from, width, to, to, nullptr);
      },
      [&] { cuda::span_logits<float>(from, from, from, 1, width, to, nullptr); },
      [&] { cuda::span_logits_gradient<float>(from, from, from, 1, width, to, to, nullptr); },
  };
  for (const auto& call : calls)
    CHECK_THROWS_MATCHES(call(), Error,
                         Catch::Message("hidden states of more than 1024 are not computed on a GPU"));
}
