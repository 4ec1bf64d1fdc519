// The curves of metrics files, parsed again only where the file has changed: a page is asked for every few
// seconds, and most of its runs have ended.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>

#include "reports/curves.h"

namespace expctl {

class CurveCache {
 public:
  /// Of a metrics.jsonl, of a longer one of its last 16 MiB; no curves where there is none. May be called by
  /// several threads at once.
  std::shared_ptr<const TrainingCurves> of(const std::filesystem::path& metrics);

 private:
  struct Parsed {
    std::uintmax_t size = 0;
    std::filesystem::file_time_type changed;
    std::shared_ptr<const TrainingCurves> curves;
  };

  std::mutex mutex_;
  std::map<std::filesystem::path, Parsed> parsed_;
};

}  // namespace expctl
