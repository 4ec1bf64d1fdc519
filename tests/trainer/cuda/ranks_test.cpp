// One training on several GPUs, each rank of it a thread: what is in CUDA's and NCCL's hands is emulated, for
// they want a process a GPU (docs/gpu.md says what has been run on real ones).
#include <future>

#include "tests/trainer/cuda/device_training.h"
#include "tests/trainer/thread_ranks.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// What each rank has come to.
std::vector<Trained> train_on(int64_t gpus, const SmallTraining& small, const TrainSpec& spec,
                              Precision precision) {
  Meeting meeting(gpus);
  const auto one = [&](int64_t rank) {
    ThreadRank ranks(rank, gpus, meeting);
    Trained trained =
        run_training(small, spec, cuda::backend(), precision, SpanHead::kLinear, gpus > 1 ? &ranks : nullptr);
    ranks.finish();
    return trained;
  };
  std::vector<std::future<Trained>> others;
  for (int64_t rank = 1; rank < gpus; ++rank) others.push_back(std::async(std::launch::async, one, rank));
  std::vector<Trained> all = {one(0)};
  for (auto& other : others) all.push_back(other.get());
  for (const Trained& trained : all) {
    REQUIRE(trained.end == TrainEnd::kDone);
    CHECK(distance(trained.parameters, all[0].parameters) == 0);
  }
  return all;
}

}  // namespace

TEST_CASE("training on several GPUs: that of one, dropout and all, the same bits on every rank", "[cuda]") {
  SKIP_WITHOUT_GPU();
  SKIP_UNLESS(is_emulated_gpu(), "several GPUs in one process are emulated ones");
  SmallTraining small(sequence_length());
  const LogitsFile teacher = made_up_teacher(small);
  TrainSpec spec = many_steps();  // the last batch of an epoch leaves a third rank without features
  std::vector<int64_t> counts = {2, 3};
  SECTION("as it comes") {}
  SECTION("in micro-batches") {
    spec.micro_batch = 2;
    counts = {2};
  }
  SECTION("with all techniques") {
    for (const auto& setting : kTechniques.back()) apply_setting(spec, setting);
    small.teacher = &teacher;
    counts = {3};
  }
  const auto alone = train(small, spec, cuda::backend(), Precision::kFp32);
  for (const int64_t gpus : counts) {
    INFO(gpus << " GPUs");
    const auto together = train_on(gpus, small, spec, Precision::kFp32);
    check_close(together[0], alone, 2e-5, 4e-6);
    CHECK(distance(together[0].parameters, train_on(gpus, small, spec, Precision::kFp32)[0].parameters) == 0);
  }
}

TEST_CASE("training on several GPUs in bf16: near that of one, the same bits each time", "[cuda]") {
  SKIP_WITHOUT_GPU();
  SKIP_UNLESS(is_emulated_gpu(), "several GPUs in one process are emulated ones");
  const SmallTraining small(sequence_length());
  const TrainSpec spec = many_steps();
  const auto once = train_on(2, small, spec, Precision::kBf16),
             again = train_on(2, small, spec, Precision::kBf16);
  check_close(once[0], train(small, spec, cuda::backend(), Precision::kBf16), 1e-2, 5e-3);
  CHECK(distance(once[0].parameters, again[0].parameters) == 0);
}
