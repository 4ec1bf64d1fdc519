// metrics.jsonl: a line an optimizer step, and events between them.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>

#include "core/json.h"

namespace expctl {

/// Appends a line at a time, flushed so that a reader follows.
class MetricsLog {
 public:
  /// Keeps the lines of steps up to `last_step`: those after it will be computed again. Throws Error.
  MetricsLog(const std::filesystem::path& path, int64_t last_step);

  void write(const Json& line);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace expctl
