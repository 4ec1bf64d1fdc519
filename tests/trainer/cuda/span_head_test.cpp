#include "tests/trainer/cuda/on_device.h"
#include "trainer/span_loss.h"

using namespace expctl;
using namespace expctl::test;

TEMPLATE_TEST_CASE("span head: logits are autograd's, both ways", "[cuda]", float, __nv_bfloat16, __half) {
  SKIP_WITHOUT_GPU();
  using T = TestType;
  for (const int64_t rows : {1, 2, 31, 32, 33, 384, 2500}) {  // the last: more than a kernel has warps
    for (const int64_t width : hidden_widths()) {
      INFO(rows << " rows, width " << width);
      const auto hidden = random_leaf<T>({rows, width});
      const auto weight = random_leaf<float>({2, width}), bias = random_leaf<float>({2});
      auto dlogits = random_values<float>({rows, 2});
      dlogits.slice(0, (rows + 1) / 2).zero_();  // as rows that fill up have them
      const auto plain = at::matmul(hidden, weight.t()) + bias;
      plain.backward(dlogits);

      const auto at_hidden = on_device<T>(hidden);
      const auto at_weight = on_device<float>(weight), at_bias = on_device<float>(bias),
                 at_dlogits = on_device<float>(dlogits);
      const auto results = same_twice([&]() -> std::vector<at::Tensor> {
        const auto logits = poisoned<float>(rows * 2),
                   partial = poisoned<float>(cuda::norm_parts() * (2 * width + 2));
        const auto dhidden = poisoned<T>(rows * width);
        cuda::span_logits<T>(at_hidden.data(), at_weight.data(), at_bias.data(), rows, width, logits.data(),
                             nullptr);
        cuda::span_logits_gradient<T>(at_dlogits.data(), at_hidden.data(), at_weight.data(), rows, width,
                                      dhidden.data(), partial.data(), nullptr);
        return {from_device(logits, {rows, 2}), from_device(dhidden, {rows, width}),
                sum_of_parts(partial, cuda::norm_parts())};
      });
      check_close(results[0], plain, kFp32Tolerance);
      check_close(results[1], hidden.grad(), tolerance<T>());
      CHECK((results[1].slice(0, (rows + 1) / 2) == 0).all().template item<bool>());
      check_close(results[2].slice(0, 0, 2 * width).view({2, width}), weight.grad(), kFp32Tolerance);
      check_close(results[2].slice(0, 2 * width), bias.grad(), kFp32Tolerance);
    }
  }
}

TEST_CASE("span head: loss and gradient are the CPU's, whatever the labels", "[cuda]") {
  SKIP_WITHOUT_GPU();
  const float scale = 4096.0f / 12.0f;
  const auto at_scale = on_device<float>(at::full({1}, scale));
  for (const Lengths& lengths : ragged_lengths()) {
    const RaggedBatch batch(lengths);
    const int64_t rows = batch.rows.rows;
    for (const double spread : {2.0, 3000.0}) {
      for (size_t shift = 0; shift < 6; ++shift) {
        const float smoothing = shift % 2 == 0 ? 0.0f : 0.1f;
        INFO("lengths " << Catch::Detail::stringify(lengths.of) << ", logits of about " << spread
                        << ", labels " << shift << ", smoothed by " << smoothing);
        std::vector<int64_t> starts, ends;
        std::vector<float> losses;
        const auto logits = (random_values<float>({rows, 2}) * spread).to(at::kFloat);
        auto gradient = at::zeros({rows, 2});
        for (size_t s = 0; s < static_cast<size_t>(lengths.real); ++s) {
          const int64_t length = lengths.of[s], first = batch.first_rows[s];
          const std::vector<int64_t> labels = {-1, length / 2, length, 0, length - 1, length + 7};
          starts.push_back(labels[(s + shift) % labels.size()]);
          ends.push_back(labels[(2 * s + shift + 1) % labels.size()]);
          const float* of_sequence = logits.data_ptr<float>() + 2 * first;
          const auto loss = expctl::span_loss(std::vector<float>(of_sequence, of_sequence + 2 * length),
                                              {length}, {{starts[s]}, {ends[s]}, smoothing});
          losses.push_back(static_cast<float>(loss.sum));
          std::copy(loss.gradient.begin(), loss.gradient.end(), gradient.data_ptr<float>() + 2 * first);
        }
        const auto at_logits = on_device<float>(logits);
        const auto at_starts = on_device<int32_t>(at::tensor(starts)),
                   at_ends = on_device<int32_t>(at::tensor(ends));
        const auto results = same_twice([&]() -> std::vector<at::Tensor> {
          const auto got = poisoned<float>(lengths.real), dlogits = poisoned<float>(rows * 2);
          cuda::span_loss(at_logits.data(), batch.rows, lengths.real,
                          {at_starts.data(), at_ends.data(), smoothing}, at_scale.data(), got.data(),
                          dlogits.data(), nullptr);
          return {from_device(got, {lengths.real}), from_device(dlogits, {rows, 2})};
        });
        check_close(results[0], at::tensor(losses), kFp32Tolerance);
        check_close(results[1], gradient.to(at::kDouble) * scale, kFp32Tolerance);
        batch.check_filling_is_zero(results[1]);
      }
    }
  }
}
