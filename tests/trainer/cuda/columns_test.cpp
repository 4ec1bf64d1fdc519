#include "tests/trainer/cuda/on_device.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// f(rows, width): with the last number of rows each block has several.
template <typename F>
void for_each_size(const F& f) {
  for (const int64_t rows : {1, 2, 31, 32, 33, 384, 1100}) {
    for (const int64_t width : {8, 32, 48, 384, 768, 1024, 3072}) {
      INFO(rows << " rows, width " << width);
      f(rows, width);
    }
  }
}

}  // namespace

TEMPLATE_TEST_CASE("columns: bias and GELU are autograd's, both ways", "[cuda]", float, __nv_bfloat16,
                   __half) {
  SKIP_WITHOUT_GPU();
  using T = TestType;
  for_each_size([](int64_t rows, int64_t width) {
    const auto x = random_leaf<T>({rows, width}), bias = random_leaf<float>({width});
    const auto gradient = random_values<T>({rows, width});
    const auto plain_out = at::gelu(x + bias);
    plain_out.backward(gradient);

    const auto at_x = on_device<T>(x);
    const auto at_bias = on_device<float>(bias);
    const auto results = same_twice([&]() -> std::vector<at::Tensor> {
      const auto out = poisoned<T>(rows * width);
      cuda::bias_gelu<T>(at_x.data(), at_bias.data(), rows, width, out.data(), nullptr);
      const auto dx = on_device<T>(gradient);  // in place
      const auto partial = poisoned<float>(cuda::column_parts(width) * width);
      cuda::bias_gelu_gradient<T>(dx.data(), at_x.data(), at_bias.data(), rows, width, partial.data(),
                                  nullptr);
      return {from_device(out, {rows, width}), from_device(dx, {rows, width}),
              sum_of_parts(partial, cuda::column_parts(width))};
    });
    check_close(results[0], plain_out, tolerance<T>());
    check_close(results[1], x.grad(), tolerance<T>());
    check_close(results[2], bias.grad(), tolerance<T>());
  });
}

TEMPLATE_TEST_CASE("columns: sums of rows", "[cuda]", float, __nv_bfloat16, __half) {
  SKIP_WITHOUT_GPU();
  using T = TestType;
  for_each_size([](int64_t rows, int64_t width) {
    const auto x = random_values<T>({rows, width});
    const auto at_x = on_device<T>(x);
    const auto results = same_twice([&]() -> std::vector<at::Tensor> {
      const auto partial = poisoned<float>(cuda::column_parts(width) * width);
      cuda::column_sums<T>(at_x.data(), rows, width, partial.data(), nullptr);
      return {sum_of_parts(partial, cuda::column_parts(width))};
    });
    check_close(results[0], x.sum(0), kFp32Tolerance);
  });
}

TEST_CASE("columns: partial sums of many shapes at once become rows, or are added to them", "[cuda]") {
  SKIP_WITHOUT_GPU();
  struct Shape {
    int32_t parts, pitch, count;
  };
  const std::vector<Shape> all = {{1, 1, 1},         {2, 40, 31},      {7, 32, 32},     {8, 64, 33},
                                  {9, 2050, 2050},   {264, 2304, 768}, {264, 768, 768}, {176, 3072, 3072},
                                  {264, 1026, 1026}, {33, 1538, 1},    {3, 8, 2},       {264, 16, 16}};
  static_assert(cuda::kMostPartialSums == 12);
  for (const size_t used : {size_t{1}, all.size()}) {
    for (const bool add : {false, true}) {
      INFO(used << " sums" << (add ? ", added" : ""));
      const std::vector<Shape> shapes(all.begin(), all.begin() + static_cast<int64_t>(used));
      std::vector<at::Tensor> partials, before;
      std::vector<cuda::DeviceBuffer<float>> at_partials;
      for (const Shape& shape : shapes) {
        partials.push_back(random_values<float>({shape.parts, shape.pitch}));
        before.push_back(random_values<float>({shape.count}));
        at_partials.push_back(on_device<float>(partials.back()));
      }
      const auto results = same_twice([&] {
        std::vector<cuda::DeviceBuffer<float>> to;
        std::vector<cuda::PartialSums> sums;
        for (size_t i = 0; i < used; ++i) {
          to.push_back(add ? on_device<float>(before[i]) : poisoned<float>(shapes[i].count));
          sums.push_back(
              {at_partials[i].data(), shapes[i].parts, shapes[i].pitch, shapes[i].count, to[i].data()});
        }
        cuda::sum_partials(sums.data(), static_cast<int>(used), add, nullptr);
        std::vector<at::Tensor> rows;
        for (size_t i = 0; i < used; ++i) rows.push_back(from_device(to[i], {shapes[i].count}));
        return rows;
      });
      for (size_t i = 0; i < used; ++i) {
        INFO("sum " << i);
        const auto sum = partials[i].slice(1, 0, shapes[i].count).sum(0);
        check_close(results[i], add ? before[i] + sum : sum, kFp32Tolerance);
      }
    }
  }
}
