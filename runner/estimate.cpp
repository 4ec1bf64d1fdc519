#include "runner/estimate.h"

namespace expctl {
namespace {

/// How often a step computes its batch.
double passes_of(const TrainSpec& spec) {
  return (spec.rdrop > 0 ? 2 : 1) * (spec.adversarial == "none" ? 1 : 2);
}

/// How much more `spec` has to do than `other`; nothing where the two cannot be compared.
std::optional<double> times_as_much(const RunSpec& spec, const RunSpec& other) {
  if (spec.is_command() || other.is_command()) {
    return spec.command.argv == other.command.argv ? std::optional(1.0) : std::nullopt;
  }
  const bool is_alike = spec.train_data.sha256 == other.train_data.sha256 &&
                        spec.dev_data.sha256 == other.dev_data.sha256 &&
                        spec.init.sha256 == other.init.sha256;
  const TrainSpec &one = spec.train, &two = other.train;
  if (!is_alike || (one.max_steps > 0) != (two.max_steps > 0)) return std::nullopt;
  const double passes = passes_of(one) / passes_of(two);
  if (one.max_steps == 0) return passes * one.epochs / two.epochs;
  return passes * static_cast<double>(one.max_steps * one.batch_size) /
         static_cast<double>(two.max_steps * two.batch_size);
}

}  // namespace

std::optional<double> expected_duration_s(const RunSpec& spec, const std::vector<PastRun>& past) {
  double sum = 0;
  int count = 0;
  for (const auto& run : past) {
    const auto factor = times_as_much(spec, run.spec);
    if (!factor) continue;
    sum += run.seconds * *factor;
    ++count;
  }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

}  // namespace expctl
