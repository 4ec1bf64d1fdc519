// Windows of [CLS] question [SEP] context [SEP] over a dataset: what the model reads and what decoding needs.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/train_spec.h"
#include "squad/dataset.h"
#include "squad/tokenizer.h"

namespace expctl {

enum class Window {
  kOverlap,  ///< consecutive windows share doc_stride context tokens (Hugging Face)
  kAdvance,  ///< each window begins doc_stride context tokens after the one before (Google, NVIDIA)
};

struct FeatureOptions {
  int max_seq_length = 384;
  int doc_stride = 128;
  Window window = Window::kOverlap;
  int max_query_length = 0;  ///< question tokens kept; 0: all
};

FeatureOptions training_feature_options(const TrainSpec& resolved);
FeatureOptions evaluation_feature_options(const TrainSpec& resolved);

/// One window; no padding anywhere. Token i of the context part is input_ids[context_begin + i].
struct Feature {
  int32_t question = 0;            ///< index of the question in dataset order
  std::vector<int32_t> input_ids;  ///< [tokens], special ones included
  int32_t context_begin = 0;       ///< first context token; token types are 1 from here to the end, 0 before
  int32_t context_end = 0;         ///< one past the last context token (the position of the last [SEP])
  std::vector<std::pair<int32_t, int32_t>>
      offsets;                    ///< [tokens]: [begin, end) code points of the context; {0, 0} elsewhere
  std::vector<bool> max_context;  ///< [tokens]: this window gives the token the most context (run_squad.py);
                                  ///< false elsewhere
  int32_t start_position =
      0;                     ///< label: token index of the answer's first and last token; 0 ([CLS]) where the
  int32_t end_position = 0;  ///< window does not hold the whole answer, or there is none

  bool operator==(const Feature&) const = default;
};

/// Features in dataset order, the windows of a question from left to right. Labels come from the first
/// answer. Throws Error where a question leaves no room for context, or the stride does not advance (naming
/// both values).
std::vector<Feature> make_features(const Dataset& dataset, const Vocabulary& vocabulary,
                                   const FeatureOptions& options);

/// SHA-256 over options-independent content (questions' indices, ids, offsets): equal iff logits are
/// comparable token by token.
std::string features_sha256(const std::vector<Feature>& features);

}  // namespace expctl
