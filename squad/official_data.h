// Whether data is what was published, whatever its formatting and the order of its articles.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "squad/dataset.h"

namespace expctl {

/// SHA-256 over the articles' content_sha256(), sorted: two files of the same articles have the same.
std::string articles_sha256(const Dataset& dataset);

enum class OfficialMatch {
  kFile,      ///< the published file, byte for byte
  kArticles,  ///< its articles, perhaps in another order, which may change the last digits of a score
  kOther
};

/// Compares with the published SHA-256 of the file and of its articles; either may be "", which nothing
/// matches.
OfficialMatch match_official(const std::filesystem::path& file, const Dataset& dataset,
                             std::string_view file_sha256, std::string_view official_articles_sha256);

}  // namespace expctl
