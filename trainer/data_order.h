// Which features an epoch sees, in which order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

namespace expctl {

/// A permutation of the features for each epoch, counted from 0.
using DataOrder = std::function<std::vector<int64_t>(int64_t epoch)>;

/// A function of the seed and the epoch alone.
DataOrder seeded_order(uint64_t seed_data, int64_t features);

/// The order that a file gives, to train as another program did: JSON, one list of feature indices an epoch,
/// each a permutation of 0..features-1. Throws Error naming the file: at once where a list is none, and from
/// the order itself for an epoch that the file does not have.
DataOrder order_from_file(const std::filesystem::path& path, int64_t features);

}  // namespace expctl
