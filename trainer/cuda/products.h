// Matrix products by cuBLASLt, row-major, summed in fp32 whatever T is: float (without TF32), __nv_bfloat16
// or __half. The same call gives the same bits each time. Pointers are multiples of 256 bytes.
#pragma once

#include <cublasLt.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstddef>
#include <cstdint>
#include <map>

#include "trainer/cuda/device_memory.h"

namespace expctl::cuda {

class Products {
 public:
  explicit Products(cudaStream_t stream);
  ~Products();
  Products(const Products&) = delete;
  Products& operator=(const Products&) = delete;

  /// out[rows, out_width] = x[rows, in_width] weight[out_width, in_width]' + bias, which may be null.
  template <typename T>
  void forward(const T* x, const T* weight, const T* bias, int64_t rows, int64_t in_width, int64_t out_width,
               T* out);

  /// dx[rows, in_width] = dy[rows, out_width] weight[out_width, in_width]
  template <typename T>
  void input_gradient(const T* dy, const T* weight, int64_t rows, int64_t in_width, int64_t out_width, T* dx);

  /// dweight[out_width, in_width] (+)= dy[rows, out_width]' x[rows, in_width], in fp32.
  template <typename T>
  void weight_gradient(const T* dy, const T* x, int64_t rows, int64_t in_width, int64_t out_width, bool add,
                       float* dweight);

 private:
  /// A product as cuBLAS has it, column-major: c[m, n] = a b (+ c), k summed.
  struct Shape {
    bool a_transposed, b_transposed;
    int64_t m, n, k;
    cudaDataType_t type, out_type;
    bool has_bias = false;

    auto operator<=>(const Shape&) const = default;
  };
  struct Plan {
    cublasLtMatmulDesc_t description;
    cublasLtMatrixLayout_t a, b, c;
    cublasLtMatmulAlgo_t algorithm;
  };

  const Plan& plan_of(const Shape& shape);
  void multiply(const Shape& shape, const void* a, const void* b, bool add, void* c,
                const void* bias = nullptr);

  cudaStream_t stream_;
  cublasLtHandle_t handle_ = nullptr;
  DeviceBuffer<std::byte> workspace_;
  std::map<Shape, Plan> plans_;
};

}  // namespace expctl::cuda
