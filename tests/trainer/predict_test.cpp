#include "trainer/predict.h"

#include "tests/trainer/small_training.h"

using namespace expctl;
using namespace expctl::test;

TEST_CASE("predict: the logits stand in the features' order, whatever the batch", "[trainer]") {
  const SmallTraining small;
  const auto model = small.model();
  const auto many = predict_logits(cpu_backend(), model, small.features, Precision::kFp32, 5).value();
  const auto single = predict_logits(cpu_backend(), model, small.features, Precision::kFp32, 1).value();
  REQUIRE(many.logits.offsets == single.logits.offsets);
  REQUIRE(many.logits.offsets.size() == small.features.size() + 1);
  REQUIRE(many.logits.start.size() == static_cast<size_t>(many.logits.offsets.back()));
  for (size_t i = 0; i < many.logits.start.size(); ++i) {
    REQUIRE(many.logits.start[i] == Approx(single.logits.start[i]).margin(1e-5));
    REQUIRE(many.logits.end[i] == Approx(single.logits.end[i]).margin(1e-5));
  }
  const auto computing = make_cpu_model(model.config, Precision::kFp32);
  computing->set_parameters(model.parameters);
  for (size_t f = 0; f < small.features.size(); ++f) {
    const auto alone = computing->forward(pack(small.features, {static_cast<int64_t>(f)}, 0), {});
    const auto begin = static_cast<size_t>(single.logits.offsets[f]);
    REQUIRE(alone.size() == 2 * small.features[f].input_ids.size());
    REQUIRE(single.logits.start[begin] == Approx(alone[0]).margin(1e-5));
    REQUIRE(single.logits.end[begin] == Approx(alone[1]).margin(1e-5));
  }
  REQUIRE(many.times.size() == 3);
  CHECK(many.times[2].features == 4);
}

TEST_CASE("predict: percentiles are of nearest rank, the first two batches count as warming up",
          "[trainer]") {
  std::vector<BatchTime> times{{8, 50.0}, {8, 50.0}};
  for (int i = 100; i >= 1; --i) times.push_back({8, i * 1e-3});
  const auto stats = inference_stats(times, 8, 384, "fp32");
  CHECK(stats["latency_confidence_level_50_ms"].get<double>() == Approx(50));
  CHECK(stats["latency_confidence_level_90_ms"].get<double>() == Approx(90));
  CHECK(stats["latency_confidence_level_95_ms"].get<double>() == Approx(95));
  CHECK(stats["latency_confidence_level_99_ms"].get<double>() == Approx(99));
  CHECK(stats["latency_confidence_level_100_ms"].get<double>() == Approx(100));
  CHECK(stats["latency_average_ms"].get<double>() == Approx(50.5));
  CHECK(stats["total_inference_time_s"].get<double>() == Approx(105.05));
  CHECK(stats["total_inference_time_without_overhead_s"].get<double>() == Approx(5.05));
  CHECK(stats["sentences"] == 816);
  CHECK(stats["sentences_without_overhead"] == 800);
  CHECK(stats["throughput_average_sentences_per_s"].get<double>() == Approx(800 / 5.05));
  CHECK(stats["precision"] == "fp32");
}

TEST_CASE("predict: with one or two batches all of them count", "[trainer]") {
  const auto one = inference_stats({{3, 0.5}}, 8, 384, "bf16");
  CHECK(one["sentences_without_overhead"] == 3);
  CHECK(one["latency_confidence_level_50_ms"].get<double>() == Approx(500));
  const auto two = inference_stats({{3, 0.5}, {3, 0.25}}, 8, 384, "bf16");
  CHECK(two["latency_confidence_level_50_ms"].get<double>() == Approx(250));
  CHECK(two["latency_confidence_level_99_ms"].get<double>() == Approx(500));
  CHECK(inference_stats({{3, 0.5}, {3, 0.25}, {2, 0.125}}, 8, 384, "bf16")["sentences_without_overhead"] ==
        2);
}

TEST_CASE("predict: the listing has the lines that NVIDIA's run_squad.py logs", "[trainer]") {
  const auto stats = inference_stats({{8, 0.5}, {8, 0.25}, {8, 0.125}, {4, 0.0625}}, 8, 384, "bf16");
  CHECK(inference_listing(stats) ==
        "-----------------------------\n"
        "Total Inference Time = 0.94 for Sentences = 28\n"
        "Total Inference Time W/O Overhead = 0.19 for Sentences = 12\n"
        "Summary Inference Statistics\n"
        "Batch size = 8\n"
        "Sequence Length = 384\n"
        "Precision = bf16\n"
        "Latency Confidence Level 50 (ms) = 62.50\n"
        "Latency Confidence Level 90 (ms) = 125.00\n"
        "Latency Confidence Level 95 (ms) = 125.00\n"
        "Latency Confidence Level 99 (ms) = 125.00\n"
        "Latency Confidence Level 100 (ms) = 125.00\n"
        "Latency Average (ms) = 93.75\n"
        "Throughput Average (sentences/sec) = 64.00\n"
        "-----------------------------\n");
}

TEST_CASE("predict: it ends between two batches where it is told to", "[trainer]") {
  const SmallTraining small;
  const auto model = small.model();
  int asked = 0;
  CHECK_FALSE(predict_logits(cpu_backend(), model, small.features, Precision::kFp32, 1, [&] {
                return ++asked == 2;
              }).has_value());
  CHECK(asked == 2);
}
