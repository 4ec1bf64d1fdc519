// The spans that start and end logits propose, and the texts that they stand for: what decoding is made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/train_spec.h"
#include "squad/answer_text.h"
#include "squad/features.h"

namespace expctl {

struct DecodeOptions {
  int n_best = 20;
  int max_answer_length = 30;
  bool run_squad = true;  ///< false: as run_qa decodes
};

DecodeOptions decode_options(const TrainSpec& resolved);

/// Tokens [start, end] of one feature.
struct Span {
  size_t feature = 0;
  int32_t start = 0;
  int32_t end = 0;
  float start_logit = 0;
  float end_logit = 0;

  double score() const { return static_cast<double>(start_logit) + static_cast<double>(end_logit); }
};

/// Whether `a` comes first: the higher score, of equals the smaller feature, then start, then end.
bool is_better(const Span& a, const Span& b);

/// Of the features of a question, one after the other: the spans of the n_best greatest start and end logits
/// that lie in the context, are short enough and, for run_squad, begin where the window gives most context.
class SpanFinder {
 public:
  explicit SpanFinder(const DecodeOptions& options) : options_(options) {}

  /// Appends those of feature number `index`, whose logits are start[0 .. tokens) and end[0 .. tokens).
  void add_all(const Feature& feature, size_t index, const float* start, const float* end,
               std::vector<Span>& spans);
  /// `best` becomes the best of it and of those that add_all would append.
  void improve(const Feature& feature, size_t index, const float* start, const float* end,
               std::optional<Span>& best);

 private:
  template <typename Take>
  void visit(const Feature& feature, const float* start, const float* end, const Take& take);

  DecodeOptions options_;
  std::vector<int32_t> starts_, ends_;  // scratch
};

/// Turns spans of one paragraph's questions into texts, from one thread at a time.
class SpanText {
 public:
  /// `features` and `vocabulary` must outlive it.
  SpanText(const std::string& context, const std::vector<Feature>& features, const Vocabulary& vocabulary,
           const DecodeOptions& options);

  std::string operator()(const Span& span);

 private:
  std::u32string context_;
  ContextWords words_;
  const std::vector<Feature>& features_;
  const Vocabulary& vocabulary_;
  bool run_squad_;
  std::vector<std::string_view> pieces_;  // scratch
};

/// What stands for an answer where no span is possible, in run_squad.py and run_qa.py alike.
inline constexpr const char* kNoSpanText = "empty";

/// Where the features of each question begin: [questions + 1]. `features` are in dataset order.
std::vector<size_t> first_features(const std::vector<Feature>& features, size_t questions);

}  // namespace expctl
