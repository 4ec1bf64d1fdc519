// What several ranks compute together, each played in turn by this process. tests/e2e/ranks_test.cpp starts
// real ones.
#include "trainer/ranks.h"

#include "tests/trainer/small_training.h"
#include "trainer/cpu_engine.h"
#include "trainer/mpi_library.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// What one rank has given to each sum of a step.
struct Given {
  std::vector<std::vector<float>> floats;
  std::vector<double> numbers;
};

/// One rank of several: it notes what is summed, and adds what the others have given where they have been
/// played before.
class PlayedRank : public Ranks {
 public:
  PlayedRank(int64_t rank, int64_t size, std::vector<Given> others = {})
      : rank_(rank), size_(size), others_(std::move(others)) {}

  int64_t rank() const override { return rank_; }
  int64_t size() const override { return size_; }
  int64_t local_rank() const override { return rank_; }
  void begin_sum(float* values, int64_t count) override {
    begun_.emplace_back(values, std::vector<float>(values, values + count));
  }
  void finish_sums() override {
    for (auto& [values, given] : begun_) {
      REQUIRE(std::equal(given.begin(), given.end(), values));  // nobody has written to them since
      given_.floats.push_back(std::move(given));
      const auto& own = given_.floats.back();
      for (const auto& other : others_) {
        const auto& theirs = other.floats.at(given_.floats.size() - 1);
        REQUIRE(theirs.size() == own.size());
        for (size_t i = 0; i < own.size(); ++i) values[i] += theirs[i];
      }
    }
    begun_.clear();
  }
  double sum(double value) override {
    given_.numbers.push_back(value);
    for (const auto& other : others_) value += other.numbers.at(given_.numbers.size() - 1);
    return value;
  }
  void broadcast(void*, int64_t) override {}
  void finish() override {}

  const Given& given() const { return given_; }

 private:
  int64_t rank_, size_;
  std::vector<Given> others_;
  std::vector<std::pair<float*, std::vector<float>>> begun_;  ///< and what was there then
  Given given_;
};

struct Step {
  StepOutcome outcome;
  Parameters gradients, parameters;
  std::vector<int64_t> sums;  ///< how many floats each had
};

/// One step of `ranks` on that batch, as it comes out on rank 0.
Step step_of(const SmallTraining& small, const TrainSpec& spec, const std::vector<int64_t>& batch,
             int64_t ranks, int64_t bucket_floats, SpanHead head = SpanHead::kLinear) {
  const auto play = [&](Ranks& rank) {
    Checkpoint model = small.model(head);
    OptimizerState state = fresh_optimizer_state(spec, model.parameters);
    CpuEngine engine(spec, Precision::kFp32, model, state, {small.features}, rank, bucket_floats);
    StepOrder order;
    order.batch = batch;
    order.step = 3;
    order.learning_rate = spec.learning_rate;
    engine.begin(order);
    Step step{engine.finish(), {}, model.parameters, {}};
    for (const auto& [name, gradient] : engine.gradients()) step.gradients[name] = gradient.clone();
    return step;
  };
  const auto but = [](std::vector<Given> all, int64_t rank) {
    if (!all.empty()) all.erase(all.begin() + rank);
    return all;
  };
  // What a rank computes after a sum follows from what the others have given to it: so they are played again,
  // each with what the others gave the time before. (Attacked words are such a thing, and no other.)
  std::vector<Given> given;
  for (int time = 0; time < (spec.adversarial == "fgm" ? 2 : 1) && ranks > 1; ++time) {
    std::vector<Given> next;
    for (int64_t rank = 0; rank < ranks; ++rank) {
      PlayedRank one(rank, ranks, but(given, rank));
      play(one);
      next.push_back(one.given());
    }
    given = std::move(next);
  }
  PlayedRank first(0, ranks, but(given, 0));
  Step step = play(first);
  for (const auto& floats : first.given().floats) step.sums.push_back(static_cast<int64_t>(floats.size()));
  return step;
}

}  // namespace

TEST_CASE("ranks: shares are in order, as even as can be, and leave nothing out", "[trainer]") {
  for (const int64_t count : {0, 1, 2, 5, 12, 13}) {
    for (const int64_t size : {1, 2, 3, 8}) {
      int64_t next = 0;
      for (int64_t rank = 0; rank < size; ++rank) {
        const RankShare share = share_of(count, rank, size);
        CHECK(share.begin == next);
        CHECK(share.count() >= count / size);
        CHECK(share.count() <= (count + size - 1) / size);
        next = share.end;
      }
      CHECK(next == count);
    }
  }
}

TEST_CASE("ranks: a step of several is the step of one, dropout and all", "[trainer]") {
  const SmallTraining small;
  auto spec = small_spec();
  spec.weight_decay = 0;
  if (GENERATE(false, true)) {
    spec.adversarial = "fgm";
    spec.rdrop = 2;
  }
  const std::vector<int64_t> batch = {4, 9, 0, 7, 2, 11, 5};
  const Step whole = step_of(small, spec, batch, 1, kBucketFloats);
  CHECK(whole.sums.empty());
  // Whole shares and micro-batches of 2; more ranks than features, so that some have none.
  for (const auto& [ranks, micro] :
       std::vector<std::pair<int64_t, int64_t>>{{2, 7}, {3, 7}, {2, 2}, {9, 7}}) {
    INFO(ranks << " ranks, micro-batches of " << micro);
    spec.micro_batch = micro;
    const Step step = step_of(small, spec, batch, ranks, 5000);
    CHECK(step.sums.size() > 3);  // the buckets and the words
    CHECK(step.outcome.loss == Approx(whole.outcome.loss).epsilon(1e-6));
    CHECK(step.outcome.grad_norm == Approx(whole.outcome.grad_norm).epsilon(1e-5));
    for (const auto& [name, gradient] : whole.gradients) {
      INFO(name);
      CHECK(torch::allclose(step.gradients.at(name), gradient, 1e-4, 1e-6));
    }
  }
}

TEST_CASE("ranks: a step with an MLP head is the step of one", "[trainer]") {
  const SmallTraining small;
  const auto spec = small_spec();
  const std::vector<int64_t> batch = {4, 9, 0, 7, 2};
  const Step whole = step_of(small, spec, batch, 1, kBucketFloats, SpanHead::kMlp);
  const Step step =
      step_of(small, spec, batch, 3, 1000, SpanHead::kMlp);  // the head goes out with the last layer
  CHECK(step.outcome.loss == Approx(whole.outcome.loss).epsilon(1e-6));
  REQUIRE(whole.gradients.contains("qa_head.dense.weight"));
  for (const auto& [name, gradient] : whole.gradients) {
    INFO(name);
    CHECK(torch::allclose(step.gradients.at(name), gradient, 1e-4, 1e-6));
  }
}

TEST_CASE("ranks: the gradients go out in buckets, and only the words that occur", "[trainer]") {
  const SmallTraining small;
  const auto spec = small_spec();
  std::set<int64_t> words(small.features[1].input_ids.begin(), small.features[1].input_ids.end());
  words.insert(small.features[2].input_ids.begin(), small.features[2].input_ids.end());
  const auto model = small.model();
  const int64_t dense = Gradients(model.parameters).dense_count();
  const Step step = step_of(small, spec, {1, 2}, 2, 5000);
  REQUIRE(step.sums.size() == 4);  // a layer each, the rest, the words
  CHECK(step.sums[0] >= 5000);
  CHECK(step.sums[1] >= 5000);
  CHECK(step.sums[0] + step.sums[1] + step.sums[2] == dense);
  CHECK(step.sums[3] == static_cast<int64_t>(words.size()) * model.config.hidden_size);
  CHECK(step_of(small, spec, {1, 2}, 2, kBucketFloats).sums == std::vector<int64_t>{dense, step.sums[3]});
}

TEST_CASE("ranks: a process that no launcher has started is alone", "[trainer]") {
  for (const char* name :
       {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMI_SIZE", "PMIX_RANK"})
    ::unsetenv(name);
  CHECK_FALSE(launched_rank());
  CHECK(join_ranks()->size() == 1);
  ::setenv("OMPI_COMM_WORLD_RANK", "0", 1);
  ::setenv("OMPI_COMM_WORLD_SIZE", "1", 1);
  ::setenv("PMIX_RANK", "0", 1);
  CHECK(join_ranks()->size() == 1);
  ::setenv("OMPI_COMM_WORLD_RANK", "2", 1);
  ::setenv("OMPI_COMM_WORLD_SIZE", "4", 1);
  CHECK(launched_rank() == 2);
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMIX_RANK"}) ::unsetenv(name);
}
