#include "trainer/model.h"

#include <cmath>

#include "core/threads.h"
#include "tests/trainer/small_training.h"
#include "trainer/span_loss.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// Logits of a batch as a tensor [T, 2].
torch::Tensor logits_of(const Checkpoint& checkpoint, const PackedBatch& batch, const ForwardOptions& options,
                        Precision precision = Precision::kFp32) {
  const auto model = make_cpu_model(checkpoint.config, precision);
  model->set_parameters(checkpoint.parameters);
  return torch::tensor(model->forward(batch, options)).view({-1, 2});
}

}  // namespace

TEST_CASE("model: sequences packed together do not see each other, dropout or not", "[trainer]") {
  const SmallTraining small;
  const auto model = small.model();
  const std::vector<int64_t> chosen{4, 0, 7};
  for (const double rate : {0.0, 0.1}) {
    ForwardOptions options;
    options.hidden_dropout = options.attention_dropout = rate;
    options.dropout = {9, 2};
    const auto together = logits_of(model, pack(small.features, chosen, 5), options);
    int64_t row = 0;
    for (size_t i = 0; i < chosen.size(); ++i) {
      const auto batch = pack(small.features, {chosen[i]}, 5 + static_cast<int64_t>(i));
      const auto alone = logits_of(model, batch, options);
      CHECK(torch::allclose(alone, together.slice(0, row, row + batch.lengths[0]), 1e-4, 1e-5));
      row += batch.lengths[0];
    }
    CHECK(row == together.size(0));
  }
}

TEST_CASE("model: dropout's masks are of the step and the place in the batch", "[trainer]") {
  const SmallTraining small;
  const auto model = small.model();
  const auto logits = [&](double hidden, double attention, int64_t step, int64_t place) {
    ForwardOptions options;
    options.hidden_dropout = hidden;
    options.attention_dropout = attention;
    options.dropout = {9, step};
    return logits_of(model, pack(small.features, {0}, place), options);
  };
  CHECK(torch::equal(logits(0.1, 0.1, 2, 0), logits(0.1, 0.1, 2, 0)));
  CHECK_FALSE(torch::allclose(logits(0.1, 0.1, 2, 0), logits(0.1, 0.1, 3, 0)));
  CHECK_FALSE(torch::allclose(logits(0.1, 0.1, 2, 0), logits(0.1, 0.1, 2, 1)));
  CHECK_FALSE(torch::allclose(logits(0.1, 0, 2, 0), logits(0, 0, 2, 0)));
  CHECK_FALSE(torch::allclose(logits(0, 0.1, 2, 0), logits(0, 0, 2, 0)));
  CHECK(torch::equal(logits(0, 0, 2, 0), logits(0, 0, 3, 1)));
}

TEST_CASE("model: a pack holds ids, types and positions of each sequence", "[trainer]") {
  Feature a, b;
  a.input_ids = {2, 7, 3, 8, 3};
  a.context_begin = 3;
  b.input_ids = {2, 3, 9};
  b.context_begin = 2;
  const auto batch = pack({a, b}, {1, 0}, 4);
  CHECK(batch.input_ids == std::vector<int64_t>{2, 3, 9, 2, 7, 3, 8, 3});
  CHECK(batch.token_types == std::vector<int64_t>{0, 0, 1, 0, 0, 0, 1, 1});
  CHECK(batch.positions == std::vector<int64_t>{0, 1, 2, 0, 1, 2, 3, 4});
  CHECK(batch.lengths == std::vector<int64_t>{3, 5});
  CHECK(batch.sequences == std::vector<int64_t>{4, 5});
}

TEST_CASE("model: gradients are the slopes of the loss", "[trainer]") {
  const SmallTraining small;
  auto checkpoint = small.model();
  const auto batch = pack(small.features, {0, 3}, 0);
  ForwardOptions options;
  options.hidden_dropout = options.attention_dropout = 0.1;
  const auto model = make_cpu_model(checkpoint.config, Precision::kFp32);
  const auto loss = [&](const std::vector<float>& logits) {
    return span_loss(logits, batch.lengths,
                     {{small.features[0].start_position, small.features[3].start_position},
                      {small.features[0].end_position, small.features[3].end_position}});
  };
  Gradients gradients(checkpoint.parameters);
  model->set_parameters(checkpoint.parameters);
  model->backward(loss(model->forward_to_train(batch, options)).gradient, gradients);
  const auto loss_now = [&] {
    model->set_parameters(checkpoint.parameters);
    return loss(model->forward(batch, options)).sum;
  };
  for (auto& [name, parameter] : checkpoint.parameters) {
    const auto& gradient = gradients.values().at(name);
    const double norm = gradient.norm().item<double>();
    if (name.find("layer.0.") != std::string::npos) continue;  // as the other layer
    if (norm < 1e-3) continue;  // a key's bias: below what fp32 differences show
    const auto direction = gradient / norm;
    const double width = 2e-3;
    parameter += width * direction;
    const double above = loss_now();
    parameter -= 2 * width * direction;
    const double below = loss_now();
    parameter += width * direction;
    INFO(name);
    CHECK((above - below) / (2 * width) == Approx(norm).epsilon(0.03).margin(2e-3));
  }
}

TEST_CASE("model: neither threads nor a second batch beside it change a bit", "[trainer]") {
  const SmallTraining small;
  const auto checkpoint = small.model();
  const auto batch = pack(small.features, {1, 2, 5}, 0);
  for (const auto precision : {Precision::kFp32, Precision::kBf16}) {
    const auto run = [&](int64_t threads, bool warm) {
      set_thread_count(threads);
      const auto model = make_cpu_model(checkpoint.config, precision);
      model->set_parameters(checkpoint.parameters);
      if (warm) model->forward(pack(small.features, {0, 3, 4, 6}, 0), {});
      Gradients gradients(checkpoint.parameters);
      ForwardOptions options;
      options.hidden_dropout = options.attention_dropout = 0.1;
      std::vector<float> slope(model->forward_to_train(batch, options).size(), 0.01f);
      model->backward(slope, gradients);
      set_thread_count(1);
      return gradients;
    };
    const Gradients once = run(1, false);
    for (const Gradients& other : {run(3, false), run(2, true)}) {
      for (const auto& [name, gradient] : once.values()) {
        INFO(name);
        CHECK(torch::equal(gradient, other.values().at(name)));
      }
    }
  }
}

TEST_CASE("model: bf16 and fp16 are near fp32", "[trainer]") {
  const SmallTraining small;
  const auto checkpoint = small.model();
  const auto batch = pack(small.features, {1, 2, 5}, 0);
  const auto exact = logits_of(checkpoint, batch, {});
  const auto scale = exact.abs().max().item<double>();
  for (const auto& [precision, tolerance] :
       {std::pair(Precision::kBf16, 3e-2), std::pair(Precision::kFp16, 4e-3)})
    CHECK((logits_of(checkpoint, batch, {}, precision) - exact).abs().max().item<double>() <=
          tolerance * scale);
}
