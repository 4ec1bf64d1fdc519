#include "reports/curves.h"

#include <catch2/catch.hpp>

using namespace expctl;
using Points = std::vector<std::pair<double, double>>;

TEST_CASE("curves: steps and looks at the dev score from metrics.jsonl", "[reports]") {
  const TrainingCurves curves = training_curves(
      "{\"step\":1,\"loss\":5.5,\"learning_rate\":1e-5,\"grad_norm\":2.5,\"time\":1}\n"
      "{\"step\":2,\"loss\":5,\"learning_rate\":2e-5,\"grad_norm\":null}\n"
      "{\"event\":\"eval\",\"step\":2,\"f1\":70.5,\"exact_match\":60}\n");
  CHECK(curves.loss.points == Points{{1, 5.5}, {2, 5}});
  CHECK(curves.learning_rate.points == Points{{1, 1e-5}, {2, 2e-5}});
  CHECK(curves.grad_norm.points == Points{{1, 2.5}});
  CHECK(curves.f1.points == Points{{2, 70.5}});
}

TEST_CASE("curves: a text cut anywhere, and lines that are not a step's, do no harm", "[reports]") {
  const std::string whole =
      "{\"step\":1,\"loss\":5}\n[1,2]\nno json\n\xff\xfe\n\n{\"step\":\"x\"}\n{\"step\":3,\"loss\":4}\n";
  for (size_t begin = 0; begin <= whole.size(); ++begin) {
    for (size_t end = begin; end <= whole.size(); ++end)
      CHECK(training_curves(whole.substr(begin, end - begin)).loss.points.size() <= 2);
  }
  CHECK(training_curves(whole).loss.points == Points{{1, 5}, {3, 4}});
}

TEST_CASE("curves: where a run went on from before a step, the later line counts", "[reports]") {
  const TrainingCurves curves = training_curves(
      "{\"step\":1,\"loss\":5}\n{\"step\":2,\"loss\":4}\n{\"step\":3,\"loss\":3}\n{\"step\":2,\"loss\":4.5}"
      "\n");
  CHECK(curves.loss.points == Points{{1, 5}, {2, 4.5}});
}

TEST_CASE("curves: readings of two GPUs, one of which tells little", "[reports]") {
  const auto all = gpu_curves(
      "{\"time\":10,\"gpu\":\"GPU-a\",\"memory_used\":1073741824,\"utilization_percent\":50}\n"
      "{\"time\":10,\"gpu\":\"MIG-b\",\"memory_used\":2147483648,\"utilization_percent\":null}\n"
      "{\"time\":12,\"gpu\":\"GPU-a\",\"memory_used\":1073741824,\"utilization_percent\":70}\n"
      "{\"time\":12,\"gpu\":7}\n");
  REQUIRE(all.size() == 2);
  CHECK(all[0].gpu == "GPU-a");
  CHECK(all[0].utilization_percent.points == Points{{10, 50}, {12, 70}});
  CHECK(all[0].memory_gib.points == Points{{10, 1}, {12, 1}});
  CHECK(all[1].gpu == "MIG-b");
  CHECK(all[1].utilization_percent.points.empty());
  CHECK(all[1].memory_gib.points == Points{{10, 2}});
}
