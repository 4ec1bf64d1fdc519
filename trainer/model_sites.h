// The places of a model that have dropout, as numbers: they key its masks, on every device alike.
#pragma once

#include <cstdint>

namespace expctl {

inline constexpr int64_t kEmbeddingSite = 0;

// Of each layer; its attention heads count from kHeadSite on.
inline constexpr int64_t kSitesPerLayer = 1 << 10;
inline constexpr int64_t kAttentionOutputSite = 1;
inline constexpr int64_t kFfnOutputSite = 2;
inline constexpr int64_t kHeadSite = 3;

/// What a layer's sites are added to.
constexpr int64_t first_site_of(int64_t layer) {
  return (layer + 1) * kSitesPerLayer;
}

}  // namespace expctl
