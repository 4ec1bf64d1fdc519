#include "tests/trainer/cuda/on_device.h"
#include "trainer/rdrop.h"
#include "trainer/span_loss.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// Logits of a teacher, over features that the sequences are in another order.
class Teacher {
 public:
  Teacher(const Lengths& lengths, double spread) : lengths_(lengths) {
    for (int64_t f = 0; f < lengths.real; ++f) first_tokens_.push_back(first_tokens_.back() + length_of(f));
    starts_ = (random_values<float>({first_tokens_.back()}) * spread).to(at::kFloat);
    ends_ = (random_values<float>({first_tokens_.back()}) * spread).to(at::kFloat);
    std::vector<int64_t> chosen;
    for (int64_t s = 0; s < lengths.real; ++s) chosen.push_back(lengths.real - 1 - s);
    at_starts_ = on_device<float>(starts_);
    at_ends_ = on_device<float>(ends_);
    at_chosen_ = on_device<int32_t>(at::tensor(chosen));
    at_first_tokens_ = cuda::DeviceBuffer<int64_t>(first_tokens_);
  }

  /// [length, 2]
  std::vector<float> of_sequence(size_t s) const {
    const int64_t feature = lengths_.real - 1 - static_cast<int64_t>(s), length = length_of(feature);
    std::vector<float> logits;
    for (int64_t t = 0; t < length; ++t) {
      const int64_t token = first_tokens_[static_cast<size_t>(feature)] + t;
      logits.push_back(starts_.data_ptr<float>()[token]);
      logits.push_back(ends_.data_ptr<float>()[token]);
    }
    return logits;
  }

  void add_to(cuda::TargetsOnDevice& targets, float distillation) const {
    targets.distillation = distillation;
    targets.teacher_starts = at_starts_.data();
    targets.teacher_ends = at_ends_.data();
    targets.chosen = at_chosen_.data();
    targets.first_tokens = at_first_tokens_.data();
  }

 private:
  int64_t length_of(int64_t feature) const {
    return lengths_.of[static_cast<size_t>(lengths_.real - 1 - feature)];
  }

  const Lengths lengths_;
  std::vector<int64_t> first_tokens_ = {0};
  at::Tensor starts_, ends_;
  cuda::DeviceBuffer<float> at_starts_, at_ends_;
  cuda::DeviceBuffer<int32_t> at_chosen_;
  cuda::DeviceBuffer<int64_t> at_first_tokens_;
};

}  // namespace

TEMPLATE_TEST_CASE("span head: logits are autograd's, both ways", "[cuda]", float, __nv_bfloat16, __half) {
  SKIP_WITHOUT_GPU();
  using T = TestType;
  for (const int64_t rows : {1, 2, 31, 32, 33, 384, 2500}) {  // the last: more than a kernel has warps
    for (const int64_t width : hidden_widths()) {
      INFO(rows << " rows, width " << width);
      const auto hidden = random_leaf<T>({rows, width});
      const auto weight = random_leaf<float>({2, width}), bias = random_leaf<float>({2});
      auto dlogits = random_values<float>({rows, 2});
      dlogits.slice(0, (rows + 1) / 2).zero_();  // as rows that fill up have them
      const auto plain = at::matmul(hidden, weight.t()) + bias;
      plain.backward(dlogits);

      const auto at_hidden = on_device<T>(hidden);
      const auto at_weight = on_device<float>(weight), at_bias = on_device<float>(bias),
                 at_dlogits = on_device<float>(dlogits);
      const auto results = same_twice([&]() -> std::vector<at::Tensor> {
        const auto logits = poisoned<float>(rows * 2),
                   partial = poisoned<float>(cuda::norm_parts() * (2 * width + 2));
        const auto dhidden = poisoned<T>(rows * width);
        cuda::span_logits<T>(at_hidden.data(), at_weight.data(), at_bias.data(), rows, width, logits.data(),
                             nullptr);
        cuda::span_logits_gradient<T>(at_dlogits.data(), at_hidden.data(), at_weight.data(), rows, width,
                                      dhidden.data(), partial.data(), nullptr);
        return {from_device(logits, {rows, 2}), from_device(dhidden, {rows, width}),
                sum_of_parts(partial, cuda::norm_parts())};
      });
      check_close(results[0], plain, kFp32Tolerance);
      check_close(results[1], hidden.grad(), tolerance<T>());
      CHECK((results[1].slice(0, (rows + 1) / 2) == 0).all().template item<bool>());
      check_close(results[2].slice(0, 0, 2 * width).view({2, width}), weight.grad(), kFp32Tolerance);
      check_close(results[2].slice(0, 2 * width), bias.grad(), kFp32Tolerance);
    }
  }
}

TEST_CASE("span head: loss and gradient are the CPU's, whatever the labels", "[cuda]") {
  SKIP_WITHOUT_GPU();
  const float scale = 4096.0f / 12.0f;
  const auto at_scale = on_device<float>(at::full({1}, scale));
  for (const Lengths& lengths : ragged_lengths()) {
    const RaggedBatch batch(lengths);
    const int64_t rows = batch.rows.rows;
    for (const double spread : {2.0, 3000.0}) {
      for (size_t shift = 0; shift < 6; ++shift) {
        const float smoothing = shift % 2 == 0 ? 0.0f : 0.1f;
        const float distillation = shift < 3 ? 0.0f : 0.3f;
        INFO("lengths " << Catch::Detail::stringify(lengths.of) << ", logits of about " << spread
                        << ", labels " << shift << ", smoothed by " << smoothing << ", distilled by "
                        << distillation);
        const Teacher teacher(lengths, spread);
        std::vector<int64_t> starts, ends;
        std::vector<float> losses;
        const auto logits = (random_values<float>({rows, 2}) * spread).to(at::kFloat);
        auto gradient = at::zeros({rows, 2});
        for (size_t s = 0; s < static_cast<size_t>(lengths.real); ++s) {
          const int64_t length = lengths.of[s], first = batch.first_rows[s];
          const std::vector<int64_t> labels = {-1, length / 2, length, 0, length - 1, length + 7};
          starts.push_back(labels[(s + shift) % labels.size()]);
          ends.push_back(labels[(2 * s + shift + 1) % labels.size()]);
          const float* of_sequence = logits.data_ptr<float>() + 2 * first;
          const auto loss =
              expctl::span_loss(std::vector<float>(of_sequence, of_sequence + 2 * length), {length},
                                {{starts[s]},
                                 {ends[s]},
                                 smoothing,
                                 distillation,
                                 distillation > 0 ? teacher.of_sequence(s) : std::vector<float>()});
          losses.push_back(static_cast<float>(loss.sum));
          std::copy(loss.gradient.begin(), loss.gradient.end(), gradient.data_ptr<float>() + 2 * first);
        }
        const auto at_logits = on_device<float>(logits);
        const auto at_starts = on_device<int32_t>(at::tensor(starts)),
                   at_ends = on_device<int32_t>(at::tensor(ends));
        const auto results = same_twice([&]() -> std::vector<at::Tensor> {
          const auto got = poisoned<float>(lengths.real), dlogits = poisoned<float>(rows * 2);
          cuda::TargetsOnDevice targets{at_starts.data(), at_ends.data(), smoothing};
          if (distillation > 0) teacher.add_to(targets, distillation);
          cuda::span_loss(at_logits.data(), batch.rows, lengths.real, targets, at_scale.data(), got.data(),
                          dlogits.data(), nullptr);
          return {from_device(got, {lengths.real}), from_device(dlogits, {rows, 2})};
        });
        check_close(results[0], at::tensor(losses), kFp32Tolerance);
        check_close(results[1], gradient.to(at::kDouble) * scale, kFp32Tolerance);
        batch.check_filling_is_zero(results[1]);
      }
    }
  }
}

TEST_CASE("span head: what draws two passes to each other is the CPU's", "[cuda]") {
  SKIP_WITHOUT_GPU();
  const float scale = 4096.0f / 24.0f;
  constexpr double kWeight = 2;
  const auto at_scale = on_device<float>(at::full({1}, scale));
  for (const std::vector<int64_t>& once : {std::vector<int64_t>{1}, {7, 384, 33}, {300, 2, 257, 64}}) {
    Lengths lengths;
    lengths.of = once;
    lengths.of.insert(lengths.of.end(), once.begin(), once.end());
    lengths.real = static_cast<int64_t>(lengths.of.size());
    const RaggedBatch batch(lengths);
    for (const double spread : {2.0, 300.0}) {
      INFO("lengths " << Catch::Detail::stringify(once) << ", logits of about " << spread);
      const auto logits = (random_values<float>({batch.rows.rows, 2}) * spread).to(at::kFloat);
      SpanTargets targets;
      for (const int64_t length : once) {
        targets.starts.push_back(length / 2);
        targets.ends.push_back(length - 1);
      }
      const float* values = logits.data_ptr<float>();
      const auto wanted = rdrop_loss({values, values + logits.numel()}, once, targets, kWeight);
      const auto twice = [](std::vector<int64_t> labels) {
        labels.insert(labels.end(), labels.begin(), labels.end());
        return on_device<int32_t>(at::tensor(labels));
      };
      const auto at_logits = on_device<float>(logits);
      const auto at_starts = twice(targets.starts), at_ends = twice(targets.ends);
      const auto results = same_twice([&]() -> std::vector<at::Tensor> {
        const auto losses = poisoned<float>(lengths.real), dlogits = poisoned<float>(batch.rows.rows * 2);
        cuda::span_loss(at_logits.data(), batch.rows, lengths.real, {at_starts.data(), at_ends.data()},
                        at_scale.data(), losses.data(), dlogits.data(), nullptr);
        cuda::add_divergence(at_logits.data(), batch.rows, lengths.real / 2, static_cast<float>(kWeight),
                             at_scale.data(), losses.data(), dlogits.data(), nullptr);
        return {from_device(losses, {lengths.real}), from_device(dlogits, {batch.rows.rows, 2})};
      });
      check_close(results[0].sum() / 2, at::scalar_tensor(wanted.sum, at::kDouble), kFp32Tolerance);
      check_close(results[1] / 2, at::tensor(wanted.gradient).view({-1, 2}).to(at::kDouble) * scale,
                  kFp32Tolerance);
    }
  }
}
