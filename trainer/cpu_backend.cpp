#include <fmt/core.h>

#include "core/machine.h"
#include "trainer/backend.h"
#include "trainer/cpu_engine.h"
#include "trainer/kernels/isa.h"

namespace expctl {
namespace {

class CpuBackend : public Backend {
 public:
  Precision choose_precision(const std::string& name) const override {
    if (name == "auto") return isa_in_use() >= Isa::kAvx512Bf16 ? Precision::kBf16 : Precision::kFp32;
    check_cpu_precision(name);
    return precision_from(name);
  }

  std::unique_ptr<Predictor> make_predictor(const BertConfig& config, Precision precision) const override {
    return make_cpu_model(config, precision);
  }

  std::unique_ptr<StepEngine> make_engine(const TrainSpec& spec, Precision precision, Checkpoint& checkpoint,
                                          OptimizerState& optimizer, const TrainingData& data,
                                          Ranks& ranks) const override {
    return std::make_unique<CpuEngine>(spec, precision, checkpoint, optimizer, data, ranks);
  }

  std::string machine() const override {
    return fmt::format("{}, {}, LibTorch {}", cpu_name(), name_of(isa_in_use()), TORCH_VERSION);
  }

  Json environment() const override {
    return {{"instruction_set", name_of(isa_in_use())}, {"libtorch", TORCH_VERSION}, {"cuda", nullptr}};
  }
};

}  // namespace

const Backend& cpu_backend() {
  static const CpuBackend backend;
  return backend;
}

std::string machine_of(const Backend& backend, const Ranks& ranks) {
  return ranks.size() == 1 ? backend.machine() : fmt::format("{}, {} ranks", backend.machine(), ranks.size());
}

}  // namespace expctl
