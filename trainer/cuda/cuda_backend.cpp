#include "trainer/cuda/cuda_backend.h"

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <fmt/core.h>

#include "core/error.h"
#include "trainer/cuda/cuda_engine.h"
#include "trainer/cuda/cuda_predictor.h"
#include "trainer/cuda/device_memory.h"

namespace expctl::cuda {
namespace {

constexpr int kLeastMajor = 8;  ///< bf16 products, and copies to shared memory beside the work

cudaDeviceProp first_gpu() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess || count == 0) {
    throw Error(fmt::format("CUDA finds no GPU: {}", cudaGetErrorString(error)),
                "see what nvidia-smi and CUDA_VISIBLE_DEVICES say, or set gpus = 0");
  }
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, 0));
  if (properties.major < kLeastMajor) {
    throw Error(fmt::format("{} is of compute capability {}.{}; {}.0 is needed", properties.name,
                            properties.major, properties.minor, kLeastMajor),
                "set gpus = 0");
  }
  return properties;
}

std::string version_text(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

class CudaBackend : public Backend {
 public:
  CudaBackend() : gpu_(first_gpu()) {}

  Precision choose_precision(const std::string& name) const override {
    return name == "auto" ? Precision::kBf16 : precision_from(name);
  }

  std::unique_ptr<Predictor> make_predictor(const BertConfig& config, Precision precision) const override {
    return cuda::make_predictor(config, precision);
  }

  std::unique_ptr<StepEngine> make_engine(const TrainSpec& spec, Precision precision, Checkpoint& checkpoint,
                                          OptimizerState& optimizer, const TrainingData& data,
                                          Ranks& ranks) const override {
    return cuda::make_engine(spec, precision, checkpoint, optimizer, data, ranks, ranks.size() > 1);
  }

  std::string machine() const override {
    return fmt::format("{}, CUDA {}, cuBLASLt {}", gpu_.name, runtime_version(), cublasLtGetVersion());
  }

  Json environment() const override {
    return {{"instruction_set", nullptr},
            {"libtorch", TORCH_VERSION},
            {"gpu", gpu_.name},
            {"compute_capability", fmt::format("{}.{}", gpu_.major, gpu_.minor)},
            {"cuda", runtime_version()}};
  }

 private:
  static std::string runtime_version() {
    int version = 0;
    check(cudaRuntimeGetVersion(&version));
    return version_text(version);
  }

  cudaDeviceProp gpu_;
};

}  // namespace

const Backend& backend() {
  static const CudaBackend made;
  return made;
}

}  // namespace expctl::cuda
