// Products of an emulated GPU, by LibTorch on the CPU in fp32.
#include <ATen/ATen.h>
#include <cublasLt.h>

#include <cstdint>
#include <cstdlib>

#include "tests/emulated_gpu/stream.h"

namespace {

struct Description {
  cublasOperation_t a = CUBLAS_OP_N, b = CUBLAS_OP_N;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;
};

struct Layout {
  cudaDataType type;
  int64_t rows, columns, ld;
};

Description& of(cublasLtMatmulDesc_t description) {
  return *reinterpret_cast<Description*>(description);
}
const Layout& of(cublasLtMatrixLayout_t layout) {
  return *reinterpret_cast<const Layout*>(layout);
}

at::ScalarType type_of(cudaDataType type) {
  switch (type) {
    case CUDA_R_32F:
      return at::kFloat;
    case CUDA_R_16BF:
      return at::kBFloat16;
    case CUDA_R_16F:
      return at::kHalf;
    default:
      std::abort();
  }
}

/// Column-major memory as a matrix.
at::Tensor matrix(const void* data, const Layout& layout) {
  return at::from_blob(const_cast<void*>(data), {layout.rows, layout.columns}, {1, layout.ld},
                       at::TensorOptions(type_of(layout.type)));
}

at::Tensor operand(const void* data, const Layout& layout, cublasOperation_t operation) {
  const auto given = matrix(data, layout).to(at::kFloat);
  return operation == CUBLAS_OP_T ? given.t() : given;
}

void multiply(const Description& description, float alpha, const void* a, const Layout& of_a, const void* b,
              const Layout& of_b, float beta, const void* c, void* d, const Layout& of_d) {
  auto result = at::mm(operand(a, of_a, description.a), operand(b, of_b, description.b)).mul_(alpha);
  if (beta != 0) result.add_(matrix(c, of_d).to(at::kFloat), beta);
  if (description.epilogue == CUBLASLT_EPILOGUE_BIAS) {
    const Layout of_bias{of_d.type, of_d.rows, 1, of_d.rows};
    result.add_(matrix(description.bias, of_bias).to(at::kFloat));
  }
  matrix(d, of_d).copy_(result);
}

}  // namespace

size_t cublasLtGetVersion() {
  return 0;
}

const char* cublasLtGetStatusString(cublasStatus_t) {
  return "an emulated failure";
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = nullptr;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t) {
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* description, cublasComputeType_t,
                                        cudaDataType_t) {
  *description = reinterpret_cast<cublasLtMatmulDesc_t>(new Description);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t description) {
  delete &of(description);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t description,
                                              cublasLtMatmulDescAttributes_t attribute, const void* value,
                                              size_t) {
  Description& to = of(description);
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
      to.a = *static_cast<const cublasOperation_t*>(value);
      return CUBLAS_STATUS_SUCCESS;
    case CUBLASLT_MATMUL_DESC_TRANSB:
      to.b = *static_cast<const cublasOperation_t*>(value);
      return CUBLAS_STATUS_SUCCESS;
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      to.epilogue = *static_cast<const cublasLtEpilogue_t*>(value);
      return CUBLAS_STATUS_SUCCESS;
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      to.bias = *static_cast<const void* const*>(value);
      return CUBLAS_STATUS_SUCCESS;
    default:
      return CUBLAS_STATUS_NOT_SUPPORTED;
  }
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, uint64_t rows,
                                          uint64_t columns, int64_t ld) {
  *layout = reinterpret_cast<cublasLtMatrixLayout_t>(
      new Layout{type, static_cast<int64_t>(rows), static_cast<int64_t>(columns), ld});
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  delete &of(layout);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  *preference = nullptr;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t) {
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t,
                                                    cublasLtMatmulPreferenceAttributes_t, const void*,
                                                    size_t) {
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t, cublasLtMatrixLayout_t,
                                              cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                              cublasLtMatrixLayout_t, cublasLtMatmulPreference_t, int,
                                              cublasLtMatmulHeuristicResult_t ways[], int* count) {
  ways[0] = {};
  *count = 1;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoConfigGetAttribute(const cublasLtMatmulAlgo_t*,
                                                    cublasLtMatmulAlgoConfigAttributes_t, void* value,
                                                    size_t bytes, size_t*) {
  std::memset(value, 0, bytes);
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t description, const void* alpha,
                              const void* a, cublasLtMatrixLayout_t of_a, const void* b,
                              cublasLtMatrixLayout_t of_b, const void* beta, const void* c,
                              cublasLtMatrixLayout_t, void* d, cublasLtMatrixLayout_t of_d,
                              const cublasLtMatmulAlgo_t*, void*, size_t, cudaStream_t stream) {
  const float times = *static_cast<const float*>(alpha), keep = *static_cast<const float*>(beta);
  emulated_gpu::enqueue(
      stream, [=, description = of(description), of_a = of(of_a), of_b = of(of_b), of_d = of(of_d)] {
        multiply(description, times, a, of_a, b, of_b, keep, c, d, of_d);
      });
  return CUBLAS_STATUS_SUCCESS;
}
