// One model out of several fine-tuned from the same init: the mean of their weights.
//
// Source: Wortsman et al., "Model soups" (ICML 2022).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "formats/stored_bert.h"

namespace expctl {

struct SoupMember {
  std::string id;
  double weight = 1;
  StoredBert bert;
};

/// Writes the weighted mean of every tensor, summed in double precision and stored as fp32, as a folder in
/// Hugging Face's layout. Throws Error naming both members where configs, heads or vocabularies differ, and
/// where weights are pickled.
void write_soup(const std::filesystem::path& folder, const std::vector<SoupMember>& members);

}  // namespace expctl
