// What `sweep` and `train` say at their end: the results, what to type next, and the exit code.
#pragma once

#include <string>
#include <vector>

#include "cli/program.h"
#include "registry/records.h"
#include "runner/scheduler.h"

namespace expctl {

/// On stdout, best first.
void print_results(const Program& program, const std::string& sweep_id, const std::vector<RunRecord>& runs);

/// What has become of the runs where it is not for the table to say, and what may be typed next.
void say_next(const Program& program, const SchedulerEnd& end, const std::string& sweep_id,
              const std::vector<RunRecord>& runs);

/// 0, 4 where some failed or were stopped, 128 and the signal. `may_be_queued`: it was asked not to start
/// all.
int exit_code(const SchedulerEnd& end, const std::vector<RunRecord>& runs, bool may_be_queued);

}  // namespace expctl
