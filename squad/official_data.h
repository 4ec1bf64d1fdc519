// Whether data is what was published, whatever its formatting and the order of its articles.
#pragma once

#include <filesystem>
#include <string>

#include "core/contest_rules.h"
#include "squad/dataset.h"

namespace expctl {

/// SHA-256 over the articles' content_sha256(), sorted: two files of the same articles have the same.
std::string articles_sha256(const Dataset& dataset);

enum class OfficialMatch {
  kFile,      ///< the published file, byte for byte
  kArticles,  ///< its articles, perhaps in another order, which may change the last digits of a score
  kOther
};

/// A hash that is "" matches nothing.
OfficialMatch match_official(const std::filesystem::path& file, const Dataset& dataset,
                             const OfficialData& official);

}  // namespace expctl
