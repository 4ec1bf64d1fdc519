#include "trainer/data_order.h"

#include <fmt/core.h>

#include <numeric>

#include "core/counter_random.h"
#include "core/error.h"
#include "core/json.h"

namespace expctl {
namespace {

bool is_permutation(const std::vector<int64_t>& order, int64_t features) {
  std::vector<bool> seen(static_cast<size_t>(features), false);
  for (const int64_t i : order) {
    if (i < 0 || i >= features || seen[static_cast<size_t>(i)]) return false;
    seen[static_cast<size_t>(i)] = true;
  }
  return order.size() == seen.size();
}

}  // namespace

DataOrder seeded_order(uint64_t seed_data, int64_t features) {
  return [seed_data, features](int64_t epoch) {
    std::vector<int64_t> order(static_cast<size_t>(features));
    std::iota(order.begin(), order.end(), 0);
    CounterRandom random(mix64(seed_data) + static_cast<uint64_t>(epoch));
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    return order;
  };
}

DataOrder order_from_file(const std::filesystem::path& path, int64_t features) {
  const std::string source = path.string();
  const Json json = read_json(path);
  std::vector<std::vector<int64_t>> epochs;
  try {
    epochs = json.get<std::vector<std::vector<int64_t>>>();
  } catch (const nlohmann::json::exception&) {
    throw Error(fmt::format("{}: not a list of lists of feature indices", source));
  }
  for (size_t epoch = 0; epoch < epochs.size(); ++epoch) {
    if (!is_permutation(epochs[epoch], features))
      throw Error(fmt::format("{}: epoch {}: not a permutation of 0 to {}", source, epoch, features - 1),
                  "each epoch has every feature once, as `expctl features --dump` counts them");
  }
  return [epochs = std::move(epochs), source](int64_t epoch) {
    if (epoch < static_cast<int64_t>(epochs.size())) return epochs[static_cast<size_t>(epoch)];
    throw Error(fmt::format("{}: it has no epoch {}", source, epoch));
  };
}

}  // namespace expctl
