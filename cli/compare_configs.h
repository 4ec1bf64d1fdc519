// `expctl compare ID ID --configs` and `expctl compare sweep1`: configs, each by all its seeds.
#pragma once

#include <string>
#include <vector>

#include "cli/program.h"

namespace expctl {

struct ConfigCompareOptions {
  std::vector<std::string> words;  ///< each a run, which stands for its config
  double difference = 0;           ///< that one wishes to see, F1 points; 0: the one that was found
  bool by_article = false;         ///< questions are drawn by the article, not by the paragraph
};

/// Each of the configs against the first.
int compare_named_configs(const Program& program, const ConfigCompareOptions& options);

/// All of a sweep's, the best mean first: which may be the best, how much better than it is the best looks,
/// and how many seeds would tell the two best apart. `options.words` is the sweep.
int compare_sweep(const Program& program, const ConfigCompareOptions& options);

}  // namespace expctl
