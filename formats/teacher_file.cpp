#include "formats/teacher_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace expctl {
namespace {

bool all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

}  // namespace

std::string teacher_command(const RunSpec& spec) {
  const TrainSpec& t = spec.train;
  return fmt::format(
      "expctl evaluate ID --data {} --name train --set eval_max_seq_length={} --set eval_doc_stride={} --set "
      "eval_window={} --set max_query_length={}; then evals/train/logits.safetensors in ID's folder",
      spec.train_data.path, t.max_seq_length, t.doc_stride, t.window, t.max_query_length);
}

LogitsFile read_teacher(const RunSpec& spec, const std::string& dataset_sha256) {
  LogitsFile logits = read_logits(spec.teacher.path);
  const LogitsIdentity wanted{dataset_sha256, logits.identity.features_sha256,
                              std::to_string(spec.train.max_seq_length),
                              std::to_string(spec.train.doc_stride), spec.train.window};
  if (const std::string other = difference(logits.identity, wanted); !other.empty()) {
    throw Error(fmt::format("{}: not the training data's logits: {}", spec.teacher.path, other),
                teacher_command(spec));
  }
  if (!all_finite(logits.start) || !all_finite(logits.end)) {
    throw Error(fmt::format("{}: it has logits that are no finite numbers", spec.teacher.path),
                "make it anew, with another model");
  }
  return logits;
}

}  // namespace expctl
