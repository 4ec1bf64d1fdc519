#include "trainer/cuda/products.h"

#include "tests/trainer/cuda/on_device.h"

using namespace expctl;
using namespace expctl::test;

namespace {

struct Layer {
  int64_t in, out;
};

/// Of sums in fp32 of exact products; tensor cores cut what they add off where others round it.
template <typename T>
constexpr double kSumTolerance = std::is_same_v<T, float> ? kFp32Tolerance : 2 * kFp32Tolerance;

template <typename T>
void check_products(cuda::Products& products, int64_t rows, const Layer& layer) {
  const int64_t in = layer.in, out = layer.out;
  const auto x = random_leaf<T>({rows, in}), weight = random_leaf<T>({out, in});
  const auto dy = random_values<T>({rows, out});
  const auto before = random_values<float>({out, in});
  const auto bias = random_values<T>({out});
  const auto plain = at::matmul(x, weight.t());
  plain.backward(dy);

  const auto at_x = on_device<T>(x), at_weight = on_device<T>(weight), at_dy = on_device<T>(dy),
             at_bias = on_device<T>(bias);
  const auto results = same_twice([&]() -> std::vector<at::Tensor> {
    const auto y = poisoned<T>(rows * out), with_bias = poisoned<T>(rows * out), dx = poisoned<T>(rows * in);
    const auto dweight = poisoned<float>(out * in), added = on_device<float>(before);
    products.forward<T>(at_x.data(), at_weight.data(), nullptr, rows, in, out, y.data());
    products.forward<T>(at_x.data(), at_weight.data(), at_bias.data(), rows, in, out, with_bias.data());
    products.input_gradient<T>(at_dy.data(), at_weight.data(), rows, in, out, dx.data());
    products.weight_gradient<T>(at_dy.data(), at_x.data(), rows, in, out, false, dweight.data());
    products.weight_gradient<T>(at_dy.data(), at_x.data(), rows, in, out, true, added.data());
    return {from_device(y, {rows, out}), from_device(dx, {rows, in}), from_device(dweight, {out, in}),
            from_device(added, {out, in}), from_device(with_bias, {rows, out})};
  });
  check_close(results[0], plain, tolerance<T>());
  check_close(results[1], x.grad(), tolerance<T>());
  check_close(results[2], weight.grad(), kSumTolerance<T>);
  check_close(results[3], before + weight.grad(), kSumTolerance<T>);
  check_close(results[4], plain + bias, tolerance<T>());
}

}  // namespace

TEMPLATE_TEST_CASE("products: a layer and its gradients are autograd's", "[cuda]", float, __nv_bfloat16,
                   __half) {
  SKIP_WITHOUT_GPU();
  cuda::Products products(nullptr);
  for (const int64_t rows : {1, 2, 31, 32, 33, 384, 1100}) {
    if (is_emulated_gpu() && rows > 33) break;  // which has LibTorch's products too
    for (const Layer& layer : std::vector<Layer>{
             {8, 8}, {48, 32}, {32, 48}, {384, 1152}, {768, 768}, {768, 3072}, {3072, 768}, {1024, 3072}}) {
      INFO(rows << " rows, " << layer.in << " to " << layer.out);
      check_products<TestType>(products, rows, layer);
    }
  }
}
