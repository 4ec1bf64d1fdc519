#include "trainer/cuda/cuda_engine.h"

#include <fmt/core.h>

#include <map>
#include <optional>
#include <type_traits>

#include "trainer/cuda/batch_feed.h"
#include "trainer/cuda/device_bert.h"
#include "trainer/cuda/stream.h"

namespace expctl::cuda {
namespace {

constexpr size_t kMostInFlight = 3;

/// The numbers of a step on their way to the host.
struct ResultSlot {
  PinnedBuffer<StepNumbers> numbers{1};
  cudaEvent_t arrived = nullptr;

  ResultSlot() { check(cudaEventCreateWithFlags(&arrived, cudaEventDisableTiming)); }
  ResultSlot(ResultSlot&& other) noexcept
      : numbers(std::move(other.numbers)), arrived(std::exchange(other.arrived, nullptr)) {}
  ResultSlot& operator=(ResultSlot&&) = delete;
  ~ResultSlot() {
    if (arrived != nullptr) cudaEventDestroy(arrived);
  }
};

template <typename T>
class CudaEngine : public StepEngine {
 public:
  CudaEngine(const TrainSpec& spec, Checkpoint& checkpoint, OptimizerState& optimizer,
             const std::vector<Feature>& features)
      : spec_(spec),
        checkpoint_(checkpoint),
        optimizer_(optimizer),
        layout_(checkpoint.config),
        exact_(layout_.count()),
        gradients_(layout_.count()),
        mean_(has_moments() ? layout_.count() : 0),
        variance_(has_moments() ? layout_.count() : 0),
        rounded_(std::is_same_v<T, float> ? 0 : layout_.count()),
        feed_(features, spec.micro_batch, stream_),
        model_(checkpoint.config, layout_, exact_.data(), rounded(), feed_.most_rows(), true, stream_),
        dlogits_(2 * feed_.most_rows()),
        losses_(spec.micro_batch),
        norm_partial_(kNormBlocks),
        numbers_(1),
        results_(kMostInFlight + 1) {
    gradients_.fill_with_zeros(stream_);  // the gaps between tensors stay so
    upload();
  }

  /// What is on its way still needs the memory.
  ~CudaEngine() override { cudaStreamSynchronize(stream_); }
  CudaEngine(const CudaEngine&) = delete;
  CudaEngine& operator=(const CudaEngine&) = delete;

  size_t most_in_flight() const override { return kMostInFlight; }

  void begin(const StepOrder& order) override {
    const auto micro = static_cast<size_t>(spec_.micro_batch);
    const auto count = static_cast<double>(order.batch.size());
    for (size_t first = 0; first < order.batch.size(); first += micro) {
      const auto begin = order.batch.begin() + static_cast<std::ptrdiff_t>(first);
      const size_t size = std::min(micro, order.batch.size() - first);
      FeedOrder feed;
      feed.chosen.assign(begin, begin + static_cast<std::ptrdiff_t>(size));
      feed.first_sequence = static_cast<int64_t>(first);
      feed.dropout = {static_cast<uint64_t>(spec_.seed_dropout), order.step};
      feed.loss_scale = order.loss_scale / count;
      feed.part = 1 / count;
      accumulate(feed, first > 0);
    }
    finish_gradients(gradients_.data(), layout_.count(), spec_.max_grad_norm, order.loss_scale,
                     norm_partial_.data(), numbers_.data(), stream_);
    move_parameters(order);
    ResultSlot& slot = results_[(first_result_ + in_flight_++) % results_.size()];
    check(cudaMemcpyAsync(slot.numbers.data(), numbers_.data(), sizeof(StepNumbers), cudaMemcpyDeviceToHost,
                          stream_));
    check(cudaEventRecord(slot.arrived, stream_));
  }

  StepOutcome finish() override {
    ResultSlot& slot = results_[first_result_];
    check(cudaEventSynchronize(slot.arrived));
    first_result_ = (first_result_ + 1) % results_.size();
    --in_flight_;
    return {slot.numbers.data()->loss, slot.numbers.data()->grad_norm};
  }

  Parameters gradients() override { return layout_.unflatten(copied(gradients_)); }

  void upload() override {
    const auto copy = [&](const Parameters& from, const DeviceBuffer<float>& to) {
      const std::vector<float> flat = layout_.flatten(from);
      check(cudaMemcpyAsync(to.data(), flat.data(), to.bytes(), cudaMemcpyHostToDevice, stream_));
      check(cudaStreamSynchronize(stream_));
    };
    copy(checkpoint_.parameters, exact_);
    if (has_moments()) {
      copy(optimizer_.mean, mean_);
      copy(optimizer_.variance, variance_);
    }
    if constexpr (!std::is_same_v<T, float>)
      round_to(exact_.data(), layout_.count(), rounded_.data(), stream_);
  }

  void download() override {
    layout_.unflatten(copied(exact_), checkpoint_.parameters);
    if (!has_moments()) return;
    layout_.unflatten(copied(mean_), optimizer_.mean);
    layout_.unflatten(copied(variance_), optimizer_.variance);
  }

 private:
  bool has_moments() const { return spec_.optimizer != "sgd"; }

  T* rounded() const {
    if constexpr (std::is_same_v<T, float>)
      return exact_.data();
    else
      return rounded_.data();
  }

  std::vector<float> copied(const DeviceBuffer<float>& from) const {
    std::vector<float> flat(static_cast<size_t>(from.count()));
    check(cudaMemcpyAsync(flat.data(), from.data(), from.bytes(), cudaMemcpyDeviceToHost, stream_));
    check(cudaStreamSynchronize(stream_));
    return flat;
  }

  /// Forward and backward of a micro-batch whose numbers have been copied.
  void run(int64_t chosen, int64_t row_count, bool add) {
    const RowsOnDevice rows = feed_.gather(chosen, row_count);
    const float* logits = model_.forward(rows, {spec_.hidden_dropout, spec_.attention_dropout});
    span_loss(logits, rows, chosen, feed_.starts(), feed_.ends(), feed_.loss_scale(), losses_.data(),
              dlogits_.data(), stream_);
    add_losses(losses_.data(), chosen, feed_.part(), add, numbers_.data(), stream_);
    model_.backward(dlogits_.data(), chosen, add, gradients_.data());
  }

  void accumulate(const FeedOrder& order, bool add) {
    const auto chosen = static_cast<int64_t>(order.chosen.size());
    const int64_t rows = feed_.rows_of(order.chosen);
    feed_.copy(order);
    // The first batch of a size runs as it is, which readies all that must not be made in a capture; so does
    // the last batch of an epoch, which comes seldom.
    GraphUse& use = graphs_[{chosen, rows, add}];
    if (use.seen++ == 0) return run(chosen, rows, add);
    if (!use.graph) use.graph.emplace(stream_, [&] { run(chosen, rows, add); });
    use.graph->launch(stream_);
  }

  void move_parameters(const StepOrder& order) {
    const auto rule = has_moments() ? UpdateRule::kAdam : UpdateRule::kSgd;
    const auto move = [&](int64_t begin, int64_t end, bool has_decay) {
      UpdateElements elements{exact_.data() + begin, gradients_.data() + begin, nullptr, nullptr};
      if (has_moments()) {
        elements.mean = mean_.data() + begin;
        elements.variance = variance_.data() + begin;
      }
      T* rounded = nullptr;
      if constexpr (!std::is_same_v<T, float>) rounded = rounded_.data() + begin;
      update(rule, elements, end - begin,
             update_coefficients(spec_, has_decay, order.learning_rate, order.update, 1), numbers_.data(),
             rounded, stream_);
    };
    move(0, layout_.decayed(), true);
    move(layout_.decayed(), layout_.count(), false);
  }

  /// What a graph is of: features, rows, and whether gradients are added to.
  struct GraphKey {
    int64_t chosen, rows;
    bool add;
    auto operator<=>(const GraphKey&) const = default;
  };
  struct GraphUse {
    int64_t seen = 0;
    std::optional<Graph> graph;
  };

  const TrainSpec& spec_;
  Checkpoint& checkpoint_;
  OptimizerState& optimizer_;
  Stream stream_;
  FlatLayout layout_;
  DeviceBuffer<float> exact_, gradients_, mean_, variance_;
  DeviceBuffer<T> rounded_;
  BatchFeed feed_;
  DeviceBert<T> model_;
  DeviceBuffer<float> dlogits_, losses_;
  DeviceBuffer<double> norm_partial_;
  DeviceBuffer<StepNumbers> numbers_;
  std::vector<ResultSlot> results_;
  size_t first_result_ = 0, in_flight_ = 0;
  std::map<GraphKey, GraphUse> graphs_;
};

}  // namespace

std::unique_ptr<StepEngine> make_engine(const TrainSpec& spec, Precision precision, Checkpoint& checkpoint,
                                        OptimizerState& optimizer, const std::vector<Feature>& features) {
  check_computable(checkpoint.config);
  if (spec.optimizer == "lamb") throw Error("a GPU does not compute the optimizer lamb", "set gpus = 0");
  switch (precision) {
    case Precision::kFp32:
      return std::make_unique<CudaEngine<float>>(spec, checkpoint, optimizer, features);
    case Precision::kBf16:
      return std::make_unique<CudaEngine<__nv_bfloat16>>(spec, checkpoint, optimizer, features);
    case Precision::kFp16:
      return std::make_unique<CudaEngine<__half>>(spec, checkpoint, optimizer, features);
  }
  throw std::logic_error("no such precision");
}

}  // namespace expctl::cuda
