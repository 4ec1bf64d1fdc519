// Attention, against the plain expression.
#include <cmath>

#include "tests/trainer/cuda/on_device.h"

using namespace expctl;
using namespace expctl::test;

namespace {

struct Heads {
  int64_t count, size;
};

/// What the weights of one sequence are multiplied by, [heads, length, length].
at::Tensor mask_of(uint64_t sequence_key, const cuda::AttentionSizes& sizes, int64_t length) {
  auto factors = at::ones({sizes.heads, length, length}, at::kDouble);
  if (sizes.mask.threshold == 0) return factors;
  auto* to = factors.data_ptr<double>();
  for (int64_t head = 0; head < sizes.heads; ++head) {
    for (int64_t query = 0; query < length; ++query) {
      const uint64_t key = mask_row_key(sequence_key, sizes.first_site + head, query);
      for (int64_t i = 0; i < length; ++i) *to++ = mask_factor(key, sizes.mask, static_cast<uint32_t>(i));
    }
  }
  return factors;
}

struct Plain {
  at::Tensor context;   ///< [rows, heads, head_size]
  at::Tensor log_sums;  ///< [heads, rows]
  at::Tensor terms;     ///< [heads, rows]: the absolute values that the largest score is a sum of
};

/// Of qkv [rows, 3, heads, head_size].
Plain plain_attention(const at::Tensor& qkv, const RaggedBatch& batch, const cuda::AttentionSizes& sizes) {
  std::vector<at::Tensor> contexts, log_sums, terms;
  for (size_t s = 0; s < batch.lengths.of.size(); ++s) {
    const int64_t length = batch.lengths.of[s];
    if (length == 0) continue;
    const auto of_sequence = qkv.slice(0, batch.first_rows[s], batch.first_rows[s + 1]).permute({1, 2, 0, 3});
    const auto products = [&](const at::Tensor& queries, const at::Tensor& keys) {
      return at::matmul(queries, keys.transpose(1, 2)) / std::sqrt(static_cast<double>(sizes.head_size));
    };
    const auto scores = products(of_sequence[0], of_sequence[1]);
    const auto weights = at::softmax(scores, 2) * mask_of(batch.sequence_keys[s], sizes, length);
    contexts.push_back(at::matmul(weights, of_sequence[2]).transpose(0, 1));
    log_sums.push_back(at::logsumexp(scores, {2}));
    terms.push_back(products(of_sequence[0].abs(), of_sequence[1].abs()).amax(2));
  }
  return {at::cat(contexts), at::cat(log_sums, 1), at::cat(terms, 1)};
}

template <typename T>
void check_attention(const RaggedBatch& batch, const cuda::AttentionSizes& sizes) {
  const int64_t rows = batch.rows.rows, heads = sizes.heads, size = sizes.head_size;
  const auto qkv = random_leaf<T>({rows, 3, heads, size});
  const auto dcontext = batch.without_filling(random_values<T>({rows, heads, size}));
  const Plain plain = plain_attention(qkv, batch, sizes);
  plain.context.backward(dcontext);

  const auto at_qkv = on_device<T>(qkv), at_dcontext = on_device<T>(dcontext);
  const auto results = same_twice([&]() -> std::vector<at::Tensor> {
    const auto context = poisoned<T>(rows * heads * size), dqkv = poisoned<T>(rows * 3 * heads * size);
    const auto log_sums = poisoned<float>(heads * rows), along = poisoned<float>(heads * rows);
    cuda::attention<T>(at_qkv.data(), batch.rows, sizes, context.data(), log_sums.data(), nullptr);
    cuda::attention_gradient<T>(at_dcontext.data(), at_qkv.data(), context.data(), log_sums.data(),
                                batch.rows, sizes, along.data(), dqkv.data(), nullptr);
    return {from_device(context, {rows, heads, size}), from_device(log_sums, {heads, rows}),
            from_device(dqkv, {rows, 3, heads, size})};
  });
  check_close(results[0], plain.context, tolerance<T>());
  check_close(results[1], plain.log_sums, kFp32Tolerance, 1e-6 * plain.terms.norm().item<double>());
  batch.check_filling_is_zero(results[2]);
  // A query and a key alone have no gradient but what rounding leaves.
  if (batch.longest() == 1)
    return check_close(results[2].select(1, 2), qkv.grad().select(1, 2), tolerance<T>());
  check_close(results[2], qkv.grad(), tolerance<T>());
  for (int64_t part = 0; part < 3; ++part) {
    INFO("part " << part << " of the gradient");
    check_close(results[2].select(1, part), qkv.grad().select(1, part), 2 * tolerance<T>());
  }
}

}  // namespace

TEMPLATE_TEST_CASE("attention: context, sums and gradients are autograd's", "[cuda]", float, __nv_bfloat16,
                   __half) {
  SKIP_WITHOUT_GPU();
  const int64_t many = is_emulated_gpu() ? 1 : 12, few = is_emulated_gpu() ? 1 : 3;
  for_each_batch([&](const RaggedBatch& batch, const Mask& mask) {
    if (is_emulated_gpu() && batch.rows.rows > 600) return;
    for (const Heads& heads : std::vector<Heads>{{1, 8}, {2, 24}, {many, 32}, {many, 64}, {few, 128}}) {
      INFO(heads.count << " heads of " << heads.size);
      check_attention<TestType>(batch, {heads.count, heads.size, 40, mask});
    }
  });
}

TEMPLATE_TEST_CASE("attention: scores that are all far below zero leave finite gradients", "[cuda]", float,
                   __nv_bfloat16, __half) {
  SKIP_WITHOUT_GPU();
  using T = TestType;
  const RaggedBatch batch(Lengths{{33, 65, 130}, 3});
  constexpr int64_t kHeads = 2, kSize = 64;
  const int64_t rows = batch.rows.rows;
  const double shift = std::sqrt(30 / std::sqrt(static_cast<double>(kSize)));  // scores of about -30
  auto qkv = random_values<float>({rows, 3, kHeads, kSize});
  qkv.select(1, 0).add_(shift);
  qkv.select(1, 1).sub_(shift);
  const auto at_qkv = on_device<T>(qkv);
  const auto at_dcontext = on_device<T>(random_values<T>({rows, kHeads, kSize}));
  const cuda::AttentionSizes sizes{kHeads, kSize, 40, dropout_mask(0.1)};
  const auto context = poisoned<T>(rows * kHeads * kSize), dqkv = poisoned<T>(rows * 3 * kHeads * kSize);
  const auto log_sums = poisoned<float>(kHeads * rows), along = poisoned<float>(kHeads * rows);
  cuda::attention<T>(at_qkv.data(), batch.rows, sizes, context.data(), log_sums.data(), nullptr);
  cuda::attention_gradient<T>(at_dcontext.data(), at_qkv.data(), context.data(), log_sums.data(), batch.rows,
                              sizes, along.data(), dqkv.data(), nullptr);
  CHECK(at::isfinite(from_device(context, {rows, kHeads, kSize})).all().template item<bool>());
  CHECK(at::isfinite(from_device(dqkv, {rows, 3, kHeads, kSize})).all().template item<bool>());
}
