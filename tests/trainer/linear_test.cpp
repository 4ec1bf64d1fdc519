#include "trainer/linear.h"

#include <array>

#include "tests/trainer/every_isa.h"

using namespace expctl;

namespace {

template <typename T>
torch::Tensor random(int64_t rows, int64_t columns) {
  return torch::randn({rows, columns}).to(kTypeOf<T>);
}

/// As products see it: rounded to T.
template <typename T>
torch::Tensor seen(const torch::Tensor& x) {
  return x.to(kTypeOf<T>).to(torch::kDouble);
}

}  // namespace

TEMPLATE_TEST_CASE("linear: several layers side by side, of sizes that fill no pair and no tile", "[trainer]",
                   float, Bf16, Fp16) {
  using T = TestType;
  for_each_isa([&](const IsaTables& tables) {
    const UsedTables used(tables);
    for (const auto& [out, in, rows] :
         std::vector<std::array<int64_t, 3>>{{33, 33, 101}, {48, 48, 101}, {64, 32, 401}, {312, 70, 101}}) {
      INFO(out << " of " << in << ", " << rows << " rows");
      const int64_t parts = 3;
      std::vector<torch::Tensor> weights, biases;
      std::vector<const float*> weight_data, bias_data;
      for (int64_t part = 0; part < parts; ++part) {
        weights.push_back(torch::randn({out, in}));
        biases.push_back(torch::randn({out}));
        weight_data.push_back(weights.back().data_ptr<float>());
        bias_data.push_back(biases.back().data_ptr<float>());
      }
      PackedWeights<T> packed;
      packed.pack(weight_data, out, in);
      const auto weight = torch::cat(weights);
      const auto x = random<T>(rows, in), dy = random<T>(rows, parts * out);

      auto y = torch::empty({rows, parts * out}, kTypeOf<T>);
      linear(data<T>(x), rows, packed, bias_data, data<T>(y));
      const auto wanted = at::matmul(x.to(torch::kDouble), seen<T>(weight).t()) + torch::cat(biases);
      check_close<T>(y, wanted);

      auto dx = torch::empty({rows, in}, kTypeOf<T>);
      linear_input_gradient<T>(data<T>(dy), rows, packed, nullptr, data<T>(dx));
      const auto wanted_dx = at::matmul(dy.to(torch::kDouble), seen<T>(weight));
      check_close<T>(dx, wanted_dx);

      // Added to what is there.
      std::vector<torch::Tensor> dweights, dbiases;
      std::vector<LinearGradient> gradients;
      for (int64_t part = 0; part < parts; ++part) {
        dweights.push_back(torch::ones({out, in}));
        dbiases.push_back(torch::ones({out}));
        gradients.push_back({data<float>(dweights.back()), data<float>(dbiases.back())});
      }
      WeightGradientSpace space;
      linear_weight_gradient(data<T>(dy), gradients, out, data<T>(x), in, rows, true, space);
      const auto by_row = dy.to(torch::kDouble);
      CHECK(largest(torch::cat(dweights) - (at::matmul(by_row.t(), x.to(torch::kDouble)) + 1)) < 1e-3);
      CHECK(largest(torch::cat(dbiases) - (by_row.sum(0) + 1)) < 1e-3);
    }
  });
}
