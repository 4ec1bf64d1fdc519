// Several ranks whose engines have steps in flight, as GPUs have: each rank a thread, and no number computed.
#include <future>
#include <limits>

#include "tests/trainer/small_training.h"
#include "tests/trainer/thread_ranks.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// Its loss is no number from one step on; sums are taken elsewhere, as by NCCL.
class EmptyEngine : public StepEngine {
 public:
  explicit EmptyEngine(int64_t diverges_at) : diverges_at_(diverges_at) {}

  size_t most_in_flight() const override { return 3; }
  void begin(const StepOrder& order) override { begun_.push_back(order.step + 1); }
  StepOutcome finish() override {
    const int64_t step = begun_.front();
    begun_.pop_front();
    return {step >= diverges_at_ ? std::numeric_limits<double>::quiet_NaN() : 1.0, 1.0};
  }
  Parameters gradients() override {
    check_none_begun();
    return {};
  }
  void upload() override {}
  void download() override { check_none_begun(); }

 private:
  void check_none_begun() const {
    if (!begun_.empty()) throw Error("asked with steps in flight");
  }

  int64_t diverges_at_;
  std::deque<int64_t> begun_;
};

class EmptyBackend : public Backend {
 public:
  explicit EmptyBackend(int64_t diverges_at) : diverges_at_(diverges_at) {}

  Precision choose_precision(const std::string&) const override { return Precision::kFp32; }
  std::unique_ptr<Predictor> make_predictor(const BertConfig&, Precision) const override { return nullptr; }
  std::unique_ptr<StepEngine> make_engine(const TrainSpec&, Precision, Checkpoint&, OptimizerState&,
                                          const TrainingData&, Ranks&) const override {
    return std::make_unique<EmptyEngine>(diverges_at_);
  }
  std::string machine() const override { return "none"; }
  Json environment() const override { return Json::object(); }

 private:
  int64_t diverges_at_;
};

struct Ended {
  TrainEnd end = TrainEnd::kDone;
  int64_t steps = 0;
};

/// How a training of 5 steps ends on each of two ranks, of which the first has `hooks` and the other only
/// watches.
std::vector<Ended> ends_of(int64_t diverges_at, const TrainingHooks& hooks) {
  const SmallTraining small;
  const EmptyBackend backend(diverges_at);
  const TrainSpec spec = small_spec();
  Meeting meeting(2);
  const auto run = [&](int64_t rank) {
    ThreadRank ranks(rank, 2, meeting);
    Checkpoint model = small.model();
    Training training(spec, backend, Precision::kFp32, model, {small.features},
                      seeded_order(1, static_cast<int64_t>(small.features.size())), ranks);
    Ended ended;
    TrainingHooks own = rank == 0 ? hooks : TrainingHooks{};
    own.on_step = [&](const StepMetrics& m) { ended.steps = m.step; };
    if (!own.should_stop) own.should_stop = never;
    ended.end = training.run(own);
    ranks.finish();
    return ended;
  };
  auto other = std::async(std::launch::async, run, 1);
  std::vector<Ended> all = {run(0)};
  all.push_back(other.get());
  return all;
}

}  // namespace

TEST_CASE("steps in flight: all ranks see a divergence at the same step, whichever wants the state",
          "[trainer]") {
  const int64_t wanted = GENERATE(0, 1, 2, 3, 4);
  const int64_t diverges_at = GENERATE(1, 2, 3, 4, 5, 6);
  INFO("state after step " << wanted << ", no number from step " << diverges_at);
  TrainingHooks hooks;
  int64_t states = 0;
  hooks.wants_state = [&](int64_t step) { return step == wanted; };
  hooks.on_state = [&](int64_t step) { states += step == wanted ? 1 : 0; };
  for (const auto& ended : ends_of(diverges_at, hooks)) {
    CHECK(ended.end == (diverges_at > 5 ? TrainEnd::kDone : TrainEnd::kDiverged));
    CHECK(ended.steps == diverges_at - 1);
  }
  CHECK(states == (wanted > 0 && wanted < diverges_at ? 1 : 0));
}

TEST_CASE("steps in flight: where one rank wants gradients all go step by step", "[trainer]") {
  const int64_t diverges_at = GENERATE(2, 6);
  std::vector<int64_t> seen;
  TrainingHooks hooks;
  hooks.on_gradients = [&](int64_t step, const Parameters&) { seen.push_back(step); };
  for (const auto& ended : ends_of(diverges_at, hooks)) CHECK(ended.steps == diverges_at - 1);
  CHECK(static_cast<int64_t>(seen.size()) == std::min<int64_t>(diverges_at, 5));
}

TEST_CASE("steps in flight: one rank that is to stop stops all of them at the same step", "[trainer]") {
  int asked = 0;
  TrainingHooks hooks;
  hooks.should_stop = [&] { return ++asked == 4; };
  for (const auto& ended : ends_of(6, hooks)) {
    CHECK(ended.end == TrainEnd::kTerminated);
    CHECK(ended.steps == 3);
  }
}
