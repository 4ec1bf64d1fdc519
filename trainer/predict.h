// Start and end logits of every feature, in batches of like length, with the times that an inference listing
// wants.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "core/json.h"
#include "squad/span_decode.h"
#include "trainer/backend.h"

namespace expctl {

struct BatchTime {
  int64_t features = 0;
  double seconds = 0;
};

struct Prediction {
  SpanLogits logits;             ///< in the features' order
  std::vector<BatchTime> times;  ///< in the order of computing
};

/// `features_per_batch` of like length are computed together; real tokens only.
/// Nothing where `should_stop`, asked before each batch, says so.
std::optional<Prediction> predict_logits(
    const Backend& backend, const Checkpoint& checkpoint, const std::vector<Feature>& features,
    Precision precision, int64_t features_per_batch,
    const std::function<bool()>& should_stop = [] { return false; });

/// inference_stats.json: the contest's listing (run_squad.py's summary) as an object. Times in seconds,
/// latencies of a batch in milliseconds; "without overhead" leaves the first batches, those of warming up,
/// out.
Json inference_stats(const std::vector<BatchTime>& times, int64_t batch_size, int64_t sequence_length,
                     const std::string& precision);

/// The same as NVIDIA's run_squad.py logs it, line for line; what the contest wants to see in the log.
std::string inference_listing(const Json& stats);

}  // namespace expctl
