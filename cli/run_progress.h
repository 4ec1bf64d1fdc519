// The progress of a sweep on stderr: a line for each change of state and, on a terminal, a live table below
// them.
#pragma once

#include <string>
#include <vector>

#include "runner/scheduler.h"

namespace expctl {

/// "45 %, 3 min 4 s left", "predicting", "stalled: no sign of life for 6 min 0 s".
std::string doing_text(const RunProgress& run);

/// The lines of the table: a row for each running run (as many as leave room in `height` lines) and how the
/// sweep stands, each cut to `width` columns. A pure function.
std::vector<std::string> progress_table(const SweepProgress& progress, size_t width, size_t height);

class ProgressPrinter {
 public:
  ProgressPrinter(bool quiet, bool animated) : quiet_(quiet), animated_(animated && !quiet) {}
  ~ProgressPrinter() { erase(); }
  ProgressPrinter(const ProgressPrinter&) = delete;
  ProgressPrinter& operator=(const ProgressPrinter&) = delete;

  void change(const std::string& line);
  void tick(const SweepProgress& progress);

 private:
  void erase();

  bool quiet_;
  bool animated_;
  size_t shown_ = 0;  ///< lines of the table that stand on the terminal, the cursor below them
};

}  // namespace expctl
