// From a logits file back to answers: the features it is over are made again and checked before anything is
// decoded.
#pragma once

#include <vector>

#include "core/train_spec.h"
#include "formats/logits_file.h"
#include "squad/span_decode.h"

namespace expctl {

/// Decodes `logits` with the evaluation's length, stride, window and decoding of `resolved`. `source` names
/// the logits in errors. Throws Error where dataset, vocabulary and settings do not give the features that
/// the logits are over.
std::vector<QuestionPrediction> decode_logits(const LogitsFile& logits, const Dataset& dataset,
                                              const Vocabulary& vocabulary, const TrainSpec& resolved,
                                              const std::string& source);

}  // namespace expctl
