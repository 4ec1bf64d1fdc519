// The progress of a sweep on stderr: a line for each change of state and, on a terminal, one animated line
// below them.
#pragma once

#include <string>
#include <vector>

#include "runner/scheduler.h"

namespace expctl {

/// "run3 step 120, loss 2.31, 40%, 2 min left | run4 starting | 5 queued", cut to `width` columns. A pure
/// function.
std::string progress_line(const std::vector<RunProgress>& runs, size_t queued, size_t width);

class ProgressPrinter {
 public:
  ProgressPrinter(bool quiet, bool animated) : quiet_(quiet), animated_(animated && !quiet) {}
  ~ProgressPrinter() { erase(); }
  ProgressPrinter(const ProgressPrinter&) = delete;
  ProgressPrinter& operator=(const ProgressPrinter&) = delete;

  void change(const std::string& line);
  void tick(const std::vector<RunProgress>& runs, size_t queued);

 private:
  void erase();

  bool quiet_;
  bool animated_;
  bool shown_ = false;  ///< the animated line stands on the terminal
};

}  // namespace expctl
