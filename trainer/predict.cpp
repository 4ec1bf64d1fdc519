#include "trainer/predict.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

namespace expctl {
namespace {

std::vector<int64_t> by_length(const std::vector<Feature>& features) {
  std::vector<int64_t> order(features.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return features[static_cast<size_t>(a)].input_ids.size() >
           features[static_cast<size_t>(b)].input_ids.size();
  });
  return order;
}

SpanLogits empty_logits(const std::vector<Feature>& features) {
  SpanLogits logits;
  logits.offsets.push_back(0);
  for (const auto& feature : features) {
    logits.offsets.push_back(logits.offsets.back() + static_cast<int64_t>(feature.input_ids.size()));
  }
  logits.start.resize(static_cast<size_t>(logits.offsets.back()));
  logits.end.resize(static_cast<size_t>(logits.offsets.back()));
  return logits;
}

constexpr int kConfidenceLevels[] = {50, 90, 95, 99, 100};

/// The nearest-rank percentile of sorted values.
double percentile(const std::vector<double>& sorted, double percent) {
  const auto rank = static_cast<size_t>(std::ceil(percent / 100.0 * static_cast<double>(sorted.size())));
  return sorted[std::max<size_t>(rank, 1) - 1];
}

}  // namespace

std::optional<Prediction> predict_logits(const Backend& backend, const Checkpoint& checkpoint,
                                         const std::vector<Feature>& features, Precision precision,
                                         int64_t features_per_batch,
                                         const std::function<bool()>& should_stop) {
  Prediction prediction{empty_logits(features), {}};
  const auto order = by_length(features);
  const auto model = backend.make_predictor(checkpoint.config, precision);
  model->set_parameters(checkpoint.parameters);
  const auto batch_size = static_cast<size_t>(features_per_batch);
  for (size_t begin = 0; begin < order.size(); begin += batch_size) {
    if (should_stop()) return std::nullopt;
    const auto started = std::chrono::steady_clock::now();
    const std::vector<int64_t> chosen(
        order.begin() + static_cast<std::ptrdiff_t>(begin),
        order.begin() + static_cast<std::ptrdiff_t>(std::min(begin + batch_size, order.size())));
    const float* row = model->forward(pack(features, chosen, 0), {}).data();
    for (const int64_t feature : chosen) {
      const auto f = static_cast<size_t>(feature);
      for (auto token = prediction.logits.offsets[f]; token < prediction.logits.offsets[f + 1];
           ++token, row += 2) {
        prediction.logits.start[static_cast<size_t>(token)] = row[0];
        prediction.logits.end[static_cast<size_t>(token)] = row[1];
      }
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    prediction.times.push_back({static_cast<int64_t>(chosen.size()), took.count()});
  }
  return prediction;
}

Json inference_stats(const std::vector<BatchTime>& times, int64_t batch_size, int64_t sequence_length,
                     const std::string& precision) {
  // NVIDIA's run_squad.py leaves two batches out; where there are no more than that, all count.
  const size_t warm = times.size() > 2 ? 2 : 0;
  double total = 0, warm_total = 0;
  int64_t sentences = 0, warm_sentences = 0;
  std::vector<double> latencies;
  for (size_t i = 0; i < times.size(); ++i) {
    total += times[i].seconds;
    sentences += times[i].features;
    if (i < warm) continue;
    warm_total += times[i].seconds;
    warm_sentences += times[i].features;
    latencies.push_back(times[i].seconds * 1e3);
  }
  std::sort(latencies.begin(), latencies.end());
  Json json = {{"schema_version", 1},
               {"total_inference_time_s", total},
               {"sentences", sentences},
               {"total_inference_time_without_overhead_s", warm_total},
               {"sentences_without_overhead", warm_sentences},
               {"batch_size", batch_size},
               {"sequence_length", sequence_length},
               {"precision", precision}};
  for (const int percent : kConfidenceLevels) {
    json["latency_confidence_level_" + std::to_string(percent) + "_ms"] = percentile(latencies, percent);
  }
  json["latency_average_ms"] = warm_total * 1e3 / static_cast<double>(latencies.size());
  json["throughput_average_sentences_per_s"] = static_cast<double>(warm_sentences) / warm_total;
  return json;
}

std::string inference_listing(const Json& stats) {
  const auto number = [&](const std::string& key) { return stats.at(key).get<double>(); };
  const auto count = [&](const char* key) { return stats.at(key).get<int64_t>(); };
  const std::string rule = "-----------------------------\n";
  std::string text = rule;
  text += fmt::format("Total Inference Time = {:.2f} for Sentences = {}\n", number("total_inference_time_s"),
                      count("sentences"));
  text += fmt::format("Total Inference Time W/O Overhead = {:.2f} for Sentences = {}\n",
                      number("total_inference_time_without_overhead_s"), count("sentences_without_overhead"));
  text += "Summary Inference Statistics\n";
  text += fmt::format("Batch size = {}\nSequence Length = {}\nPrecision = {}\n", count("batch_size"),
                      count("sequence_length"), stats.at("precision").get<std::string>());
  for (const int percent : kConfidenceLevels) {
    text += fmt::format("Latency Confidence Level {} (ms) = {:.2f}\n", percent,
                        number(fmt::format("latency_confidence_level_{}_ms", percent)));
  }
  text += fmt::format("Latency Average (ms) = {:.2f}\n", number("latency_average_ms"));
  text += fmt::format("Throughput Average (sentences/sec) = {:.2f}\n",
                      number("throughput_average_sentences_per_s"));
  return text + rule;
}

}  // namespace expctl
