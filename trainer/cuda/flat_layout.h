// All parameters of a model in one array, as the GPU has them, their gradients and their moments: one kernel
// then does for all of them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "formats/bert_config.h"
#include "trainer/parameters.h"

namespace expctl::cuda {

/// Those that weight decay is for come first. Query, key and value of a layer follow each other without a
/// gap, so that they are one product; what is in the gaps between others is zero.
class FlatLayout {
 public:
  explicit FlatLayout(const BertConfig& config);

  int64_t count() const { return count_; }      ///< elements, gaps included; a multiple of 4
  int64_t decayed() const { return decayed_; }  ///< of them, before the first without decay; likewise
  /// Stretches that together are all of it, in the order in which a backward pass completes their gradients:
  /// the weights of the head and the last layer, of the one before it ... of the first one, then what is
  /// complete with the embeddings.
  struct Stretch {
    int64_t begin, end;
  };
  const std::vector<Stretch>& stretches() const { return stretches_; }
  /// Stretches that are moved alike, all of it in order: with weight decay or without, at one part of the
  /// learning rate (trainer/layer_rates.h). They begin at multiples of 4.
  struct Group {
    int64_t begin, end;
    bool has_decay;
    double rate;
  };
  std::vector<Group> groups(double layerwise_lr_decay) const;
  int64_t offset_of(const std::string& name) const { return tensors_.at(name).offset; }

  std::vector<float> flatten(const Parameters& tensors) const;
  /// Into tensors of the right shapes.
  void unflatten(const std::vector<float>& flat, Parameters& tensors) const;
  /// Likewise, into new ones.
  Parameters unflatten(const std::vector<float>& flat) const;

 private:
  struct Place {
    int64_t offset, count;
    std::vector<int64_t> shape;
  };
  std::map<std::string, Place> tensors_;
  std::vector<Stretch> stretches_;
  int64_t count_ = 0, decayed_ = 0, layers_ = 0;
};

}  // namespace expctl::cuda
