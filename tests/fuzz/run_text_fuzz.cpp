// What a run writes while it runs, as the live pages show it: metrics.jsonl, gpu.jsonl and the log.
#include <algorithm>

#include "reports/curves.h"
#include "reports/log_text.h"
#include "tests/fuzz/fuzz.h"

namespace {

/// The pages' charts rely on it.
void must_rise(const expctl::Series& series) {
  for (size_t i = 1; i < series.points.size(); ++i) {
    if (!(series.points[i - 1].first < series.points[i].first)) __builtin_trap();
  }
}

bool is_shown(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || c == '\n' || c == '\t';
}

}  // namespace

FUZZ_TARGET({
  const auto curves = expctl::training_curves(text);
  for (const auto* series : {&curves.loss, &curves.learning_rate, &curves.grad_norm, &curves.f1}) {
    must_rise(*series);
    must_rise(expctl::extremes(*series, 8));
    expctl::line_chart({expctl::extremes(*series, 8), expctl::thinned(*series, 4)}, "x", "y",
                       {340, 210, false});
  }
  for (const auto& gpu : expctl::gpu_curves(text)) {
    must_rise(gpu.utilization_percent);
    must_rise(gpu.memory_gib);
  }
  const std::string log = expctl::log_text(text);
  if (!std::all_of(log.begin(), log.end(), is_shown)) __builtin_trap();
})
