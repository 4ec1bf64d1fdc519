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

  /// The step of the last evaluation among the lines kept; 0 where there is none.
  int64_t last_evaluation() const { return last_evaluation_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  int64_t last_evaluation_ = 0;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace expctl
