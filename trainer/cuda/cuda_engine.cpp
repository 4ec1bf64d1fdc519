#include "trainer/cuda/cuda_engine.h"

#include <map>
#include <optional>
#include <stdexcept>
#include <type_traits>

#include "trainer/average.h"
#include "trainer/cuda/batch_feed.h"
#include "trainer/cuda/device_bert.h"
#include "trainer/cuda/nccl_sum.h"
#include "trainer/cuda/stream.h"

namespace expctl::cuda {
namespace {

constexpr size_t kMostInFlight = 3;

/// The numbers of a step on their way to the host.
struct ResultSlot {
  PinnedBuffer<StepNumbers> numbers{1};
  Event arrived;
};

template <typename T>
class CudaEngine : public StepEngine {
 public:
  CudaEngine(const TrainSpec& spec, Checkpoint& checkpoint, OptimizerState& optimizer,
             const TrainingData& data, Ranks& ranks, bool by_nccl)
      : ranks_(ranks),
        spec_(spec),
        checkpoint_(checkpoint),
        optimizer_(optimizer),
        layout_(checkpoint.config),
        groups_(layout_.groups(spec.layerwise_lr_decay)),
        exact_(layout_.count()),
        gradients_(layout_.count()),
        mean_(has_moments() ? layout_.count() : 0),
        variance_(has_moments() ? layout_.count() : 0),
        average_(has_average() ? layout_.count() : 0),
        moved_words_(attacks() ? word_count(checkpoint.config) : 0),
        rounded_(std::is_same_v<T, float> ? 0 : layout_.count()),
        feed_(data, spec.micro_batch, times(), stream_),
        model_(checkpoint.config, layout_, exact_.data(), rounded(), feed_.most_rows(), true, stream_),
        dlogits_(2 * feed_.most_rows()),
        losses_(times() * spec.micro_batch),
        norm_partial_(kNormBlocks),
        numbers_(1),
        results_(kMostInFlight + 1) {
    if (by_nccl) sum_.emplace(ranks, stream_);
    gradients_.fill_with_zeros(stream_);  // the gaps between tensors stay so
    upload();
  }

  /// What is on its way still needs the memory.
  ~CudaEngine() override { cudaStreamSynchronize(stream_); }
  CudaEngine(const CudaEngine&) = delete;
  CudaEngine& operator=(const CudaEngine&) = delete;

  size_t most_in_flight() const override { return kMostInFlight; }

  void begin(const StepOrder& order) override {
    const auto whole = static_cast<int64_t>(order.batch.size());
    const RankShare share = share_of(whole, ranks_.rank(), ranks_.size());
    if (share.count() == 0) clear();
    add_share(order, share, kCleanPass);
    if (attacks()) {
      move_words();
      add_share(order, share, kAttackedPass);
    }
    if (share.count() == 0) add_nothing();
    finish_gradients(gradients_.data(), layout_.count(), spec_.max_grad_norm, order.loss_scale,
                     norm_partial_.data(), numbers_.data(), stream_);
    move_parameters(order);
    ResultSlot& slot = results_[(first_result_ + in_flight_++) % results_.size()];
    check(cudaMemcpyAsync(slot.numbers.data(), numbers_.data(), sizeof(StepNumbers), cudaMemcpyDeviceToHost,
                          stream_));
    slot.arrived.record(stream_);
  }

  StepOutcome finish() override {
    ResultSlot& slot = results_[first_result_];
    slot.arrived.wait();
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
    if (has_average()) copy(optimizer_.average, average_);
    if (has_moments()) {
      copy(optimizer_.mean, mean_);
      copy(optimizer_.variance, variance_);
    }
    if constexpr (!std::is_same_v<T, float>)
      round_to(exact_.data(), layout_.count(), rounded_.data(), stream_);
  }

  void download() override {
    layout_.unflatten(copied(exact_), checkpoint_.parameters);
    if (has_average()) layout_.unflatten(copied(average_), optimizer_.average);
    if (!has_moments()) return;
    layout_.unflatten(copied(mean_), optimizer_.mean);
    layout_.unflatten(copied(variance_), optimizer_.variance);
  }

 private:
  /// What a graph is of: sequences, rows, whether gradients are added to, whether they are then complete, and
  /// whether the words are those moved.
  struct GraphKey {
    int64_t chosen, rows;
    bool add = false, is_last = false, is_attacked = false;
    auto operator<=>(const GraphKey&) const = default;
  };

  bool has_moments() const { return spec_.optimizer != "sgd"; }
  bool has_average() const { return spec_.ema_decay > 0; }
  bool attacks() const { return spec_.adversarial == "fgm"; }
  /// How often a feature is in a micro-batch.
  int64_t times() const { return spec_.rdrop > 0 ? 2 : 1; }
  static int64_t word_count(const BertConfig& config) { return config.vocab_size * config.hidden_size; }

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

  /// What a rank that has no features of a step brings to it.
  void clear() {
    gradients_.fill_with_zeros(stream_);
    numbers_.fill_with_zeros(stream_);
  }

  /// Such a rank still takes part in the sums, which are the others'.
  void add_nothing() {
    if (!sum_) return;
    for (const auto& stretch : layout_.stretches()) sum_gradients(stretch);
    finish_sums();
  }

  void sum_gradients(const FlatLayout::Stretch& stretch) {
    sum_->begin(gradients_.data() + stretch.begin, stretch.end - stretch.begin);
  }

  void finish_sums() {
    sum_->begin(&numbers_.data()->loss, 1);
    sum_->finish();
  }

  /// A pass over this rank's share. Gradients of the last pass are then complete.
  void add_share(const StepOrder& order, const RankShare& share, int64_t pass) {
    const auto whole = static_cast<double>(times() * static_cast<int64_t>(order.batch.size()));
    for (int64_t first = share.begin; first < share.end; first += spec_.micro_batch) {
      const int64_t last = std::min(first + spec_.micro_batch, share.end);
      FeedOrder feed;
      for (int64_t time = 0; time < times(); ++time) {
        feed.chosen.insert(feed.chosen.end(), order.batch.begin() + first, order.batch.begin() + last);
        for (int64_t place = first; place < last; ++place)
          feed.sequences.push_back(sequence_in_pass(place, pass + time));
      }
      feed.dropout = {static_cast<uint64_t>(spec_.seed_dropout), order.step};
      feed.loss_scale = order.loss_scale / whole;
      feed.part = 1 / whole;
      GraphKey key{static_cast<int64_t>(feed.chosen.size()), feed_.rows_of(feed.chosen)};
      key.is_attacked = pass == kAttackedPass;
      key.add = first > share.begin || key.is_attacked;
      key.is_last = last == share.end && key.is_attacked == attacks();
      feed_.copy(feed);
      launch(key);
    }
  }

  /// Against the gradient so far, of all ranks.
  void move_words() {
    const int64_t at = layout_.offset_of("bert.embeddings.word_embeddings.weight");
    check(cudaMemcpyAsync(moved_words_.data(), gradients_.data() + at, moved_words_.bytes(),
                          cudaMemcpyDeviceToDevice, stream_));
    if (sum_) {
      sum_->begin(moved_words_.data(), moved_words_.count());
      sum_->finish();
    }
    attack_words(exact_.data() + at, moved_words_.data(), moved_words_.count(), norm_partial_.data(),
                 moved_words_.data(), stream_);
  }

  /// Forward and backward of a micro-batch whose numbers have been copied. Gradients that no later one adds
  /// to are summed over the ranks meanwhile.
  void run(const GraphKey& key) {
    const RowsOnDevice rows = feed_.gather(key.chosen, key.rows);
    const float* logits = model_.forward(rows, {spec_.hidden_dropout, spec_.attention_dropout},
                                         key.is_attacked ? moved_words_.data() : nullptr);
    TargetsOnDevice targets = feed_.targets();
    targets.smoothing = static_cast<float>(spec_.label_smoothing);
    targets.distillation = static_cast<float>(spec_.distillation);
    span_loss(logits, rows, key.chosen, targets, feed_.loss_scale(), losses_.data(), dlogits_.data(),
              stream_);
    if (spec_.rdrop > 0)
      add_divergence(logits, rows, key.chosen / 2, static_cast<float>(spec_.rdrop), feed_.loss_scale(),
                     losses_.data(), dlogits_.data(), stream_);
    if (!key.is_attacked)
      add_losses(losses_.data(), key.chosen, feed_.part(), key.add, numbers_.data(), stream_);
    const bool is_summed = sum_ && key.is_last;
    size_t complete = 0;
    model_.backward(dlogits_.data(), key.chosen, key.add, gradients_.data(), [&](int64_t) {
      if (is_summed) sum_gradients(layout_.stretches()[complete++]);
    });
    if (!is_summed) return;
    while (complete < layout_.stretches().size()) sum_gradients(layout_.stretches()[complete++]);
    finish_sums();
  }

  void launch(const GraphKey& key) {
    // The first batch of a size runs as it is, which readies all that must not be made in a capture; so does
    // the last batch of an epoch, which comes seldom.
    GraphUse& use = graphs_[key];
    // A sum over several ranks is in a graph on all of them or on none, and their batches differ in size.
    const bool is_of_several = ranks_.size() > 1 && key.is_last;
    if (use.seen++ == 0 || is_of_several) return run(key);
    if (!use.graph) use.graph.emplace(stream_, [&] { run(key); });
    use.graph->launch(stream_);
  }

  void move_parameters(const StepOrder& order) {
    const auto rule = has_moments() ? UpdateRule::kAdam : UpdateRule::kSgd;
    for (const auto& [begin, end, has_decay, rate] : groups_) {
      UpdateElements elements{exact_.data() + begin, gradients_.data() + begin, nullptr, nullptr};
      if (has_moments()) {
        elements.mean = mean_.data() + begin;
        elements.variance = variance_.data() + begin;
      }
      T* rounded = nullptr;
      if constexpr (!std::is_same_v<T, float>) rounded = rounded_.data() + begin;
      update(rule, elements, end - begin,
             update_coefficients(spec_, has_decay, order.learning_rate * rate, order.update, 1),
             numbers_.data(), rounded, stream_);
    }
    if (has_average())
      move_average(average_.data(), exact_.data(), layout_.count(),
                   static_cast<float>(1 - average_decay(spec_.ema_decay, order.update)), numbers_.data(),
                   stream_);
  }

  struct GraphUse {
    int64_t seen = 0;
    std::optional<Graph> graph;
  };

  Ranks& ranks_;
  const TrainSpec& spec_;
  Checkpoint& checkpoint_;
  OptimizerState& optimizer_;
  Stream stream_;
  FlatLayout layout_;
  std::vector<FlatLayout::Group> groups_;
  DeviceBuffer<float> exact_, gradients_, mean_, variance_, average_;
  DeviceBuffer<float> moved_words_;  ///< the table of an attack
  DeviceBuffer<T> rounded_;
  BatchFeed feed_;
  DeviceBert<T> model_;
  DeviceBuffer<float> dlogits_, losses_;
  DeviceBuffer<double> norm_partial_;
  DeviceBuffer<StepNumbers> numbers_;
  std::optional<NcclSum> sum_;  ///< of several ranks
  std::vector<ResultSlot> results_;
  size_t first_result_ = 0, in_flight_ = 0;
  std::map<GraphKey, GraphUse> graphs_;
};

}  // namespace

std::unique_ptr<StepEngine> make_engine(const TrainSpec& spec, Precision precision, Checkpoint& checkpoint,
                                        OptimizerState& optimizer, const TrainingData& data, Ranks& ranks,
                                        bool by_nccl) {
  check_computable(checkpoint.config);
  if (spec.optimizer == "lamb") throw Error("a GPU does not compute the optimizer lamb", "set gpus = 0");
  switch (precision) {
    case Precision::kFp32:
      return std::make_unique<CudaEngine<float>>(spec, checkpoint, optimizer, data, ranks, by_nccl);
    case Precision::kBf16:
      return std::make_unique<CudaEngine<__nv_bfloat16>>(spec, checkpoint, optimizer, data, ranks, by_nccl);
    case Precision::kFp16:
      return std::make_unique<CudaEngine<__half>>(spec, checkpoint, optimizer, data, ranks, by_nccl);
  }
  throw std::logic_error("no such precision");
}

}  // namespace expctl::cuda
