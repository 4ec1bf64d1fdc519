#include "squad/official_data.h"

#include <algorithm>
#include <vector>

#include "core/hash.h"

namespace expctl {

std::string articles_sha256(const Dataset& dataset) {
  std::vector<std::string> hashes;
  for (const auto& article : dataset.articles) hashes.push_back(content_sha256({dataset.version, {article}}));
  std::sort(hashes.begin(), hashes.end());
  Sha256 hash;
  for (const auto& one : hashes) hash.update(one);
  return hash.hex();
}

OfficialMatch match_official(const std::filesystem::path& file, const Dataset& dataset,
                             const OfficialData& official) {
  if (!official.sha256.empty() && sha256_file(file) == official.sha256) return OfficialMatch::kFile;
  if (!official.articles_sha256.empty() && articles_sha256(dataset) == official.articles_sha256)
    return OfficialMatch::kArticles;
  return OfficialMatch::kOther;
}

}  // namespace expctl
