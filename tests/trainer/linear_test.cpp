#include "trainer/linear.h"

#include <array>

#include "core/threads.h"
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
    for (const auto& [out, in, rows] : std::vector<std::array<int64_t, 3>>{{33, 33, 101},
                                                                           {48, 48, 101},
                                                                           {64, 32, 401},
                                                                           {312, 70, 101},
                                                                           {96, 3072, 33},
                                                                           {40, 300, 17},
                                                                           {32, 32, 1}}) {
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
      const auto squares =
          linear_weight_gradient(data<T>(dy), gradients, out, data<T>(x), in, rows, true, space);
      REQUIRE(squares.size() == static_cast<size_t>(parts));
      for (size_t part = 0; part < squares.size(); ++part)
        CHECK(
            squares[part] ==
            Approx(dweights[part].to(torch::kDouble).square().sum().template item<double>()).epsilon(1e-12));
      // With GELU behind it, which is for one layer.
      PackedWeights<T> one;
      one.pack({weight_data[0]}, out, in);
      auto pre = torch::empty({rows, out}, kTypeOf<T>), wide = torch::empty_like(pre);
      linear_gelu(data<T>(x), rows, one, bias_data[0], data<T>(pre), data<T>(wide));
      CHECK(torch::equal(pre, y.slice(1, 0, out)));
      check_close<T>(wide, at::gelu(pre.to(torch::kDouble)));

      const auto by_row = dy.to(torch::kDouble);
      CHECK(largest(torch::cat(dweights) - (at::matmul(by_row.t(), x.to(torch::kDouble)) + 1)) < 1e-3);
      CHECK(largest(torch::cat(dbiases) - (by_row.sum(0) + 1)) < 1e-3);
    }
  });
}

TEMPLATE_TEST_CASE("linear: in panels past the second cache the thread count changes no bit", "[trainer]",
                   Bf16, float) {
  using T = TestType;
  for_each_isa([&](const IsaTables& tables) {
    const UsedTables used(tables);
    const int64_t out = 320, in = 3072, rows = 70;
    const auto weight = torch::randn({out, in}), bias = torch::randn({out});
    const auto x = random<T>(rows, in), dy = random<T>(rows, out);
    std::vector<torch::Tensor> first;
    for (const int64_t threads : {1, 2, 3}) {
      set_thread_count(threads);
      PackedWeights<T> packed;
      packed.pack({weight.data_ptr<float>()}, out, in);
      auto y = torch::empty({rows, out}, kTypeOf<T>), dx = torch::empty({rows, in}, kTypeOf<T>);
      auto dweight = torch::empty({out, in}), dbias = torch::empty({out});
      linear(data<T>(x), rows, packed, {bias.data_ptr<float>()}, data<T>(y));
      linear_input_gradient<T>(data<T>(dy), rows, packed, nullptr, data<T>(dx));
      WeightGradientSpace space;
      const auto squares = linear_weight_gradient(data<T>(dy), {{data<float>(dweight), data<float>(dbias)}},
                                                  out, data<T>(x), in, rows, false, space);
      const std::vector<torch::Tensor> now = {y, dx, dweight, dbias,
                                              torch::tensor(squares, torch::dtype(torch::kDouble))};
      if (first.empty()) first = now;
      for (size_t i = 0; i < now.size(); ++i) CHECK(torch::equal(now[i], first[i]));
    }
    set_thread_count(1);
  });
}
