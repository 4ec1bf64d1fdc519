// A tiny model and a few features of synthetic data, for tests of training and prediction.
#pragma once

#include <algorithm>

#include "core/text.h"
#include "formats/tiny_bert.h"
#include "squad/learn_vocabulary.h"
#include "squad/synthetic.h"
#include "tests/support/support.h"
#include "trainer/train.h"

namespace expctl::test {

struct SmallTraining {
  TempDir folder;
  std::vector<Feature> features;
  const LogitsFile* teacher = nullptr;  ///< of the features
  mutable OneRank rank;

  explicit SmallTraining(int max_seq_length = 160) {
    const auto data = make_synthetic_data({.seed = 5, .train_paragraphs = 6, .dev_paragraphs = 1});
    const auto vocabulary = learn_vocabulary(data.train, 200);
    write_tiny_bert(folder.path(), vocabulary, 11,
                    {.hidden = 32, .layers = 2, .heads = 2, .intermediate = 48, .max_position = 160});
    FeatureOptions options;
    options.max_seq_length = max_seq_length;
    options.doc_stride = max_seq_length / 5;
    features =
        make_features(data.train, Vocabulary::parse(join(vocabulary, "\n") + "\n", "learned"), options);
    features.resize(std::min<size_t>(features.size(), 14));
  }

  /// The model as it was before any training.
  Checkpoint model(SpanHead head = SpanHead::kLinear) const {
    return load_checkpoint(folder.path(), 3, head);
  }

  Training training(const TrainSpec& spec, Checkpoint& model, Precision precision = Precision::kFp32,
                    const Backend& backend = cpu_backend(), Ranks* ranks = nullptr) const {
    return {spec,
            backend,
            precision,
            model,
            {features, teacher},
            seeded_order(static_cast<uint64_t>(spec.seed_data), static_cast<int64_t>(features.size())),
            ranks == nullptr ? rank : *ranks};
  }
};

/// 6 features a step, 3 steps an epoch, dropout 0.1.
inline TrainSpec small_spec() {
  TrainSpec spec;
  spec.batch_size = 6;
  spec.max_steps = 5;
  spec.learning_rate = 1e-3;
  spec.weight_decay = 0.01;
  spec.max_seq_length = 160;
  spec.doc_stride = 32;
  return resolve(spec);
}

inline bool never() {
  return false;
}

/// The largest difference of any parameter.
inline double distance(const Parameters& a, const Parameters& b) {
  double largest = 0;
  for (const auto& [name, tensor] : a)
    largest = std::max(largest, (tensor - b.at(name)).abs().max().item<double>());
  return largest;
}

}  // namespace expctl::test
