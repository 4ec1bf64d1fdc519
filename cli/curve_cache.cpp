#include "cli/curve_cache.h"

#include "core/files.h"

namespace expctl {
namespace fs = std::filesystem;

std::shared_ptr<const TrainingCurves> CurveCache::of(const fs::path& metrics) {
  constexpr int64_t kMost_bytes = int64_t{16} << 20;  // some hundred thousand steps
  constexpr size_t kMostFiles = 32;                   // a megabyte each where a training is long
  std::error_code none;
  if (!fs::is_regular_file(metrics, none)) return std::make_shared<TrainingCurves>();
  Parsed now{fs::file_size(metrics, none), fs::last_write_time(metrics, none), nullptr};
  {
    const std::lock_guard lock(mutex_);
    const auto found = parsed_.find(metrics);
    if (found != parsed_.end() && found->second.size == now.size && found->second.changed == now.changed)
      return found->second.curves;
  }
  now.curves = std::make_shared<TrainingCurves>(training_curves(file_tail(metrics, 0, kMost_bytes)));
  const std::lock_guard lock(mutex_);
  if (parsed_.size() >= kMostFiles) parsed_.clear();
  parsed_[metrics] = now;
  return now.curves;
}

}  // namespace expctl
