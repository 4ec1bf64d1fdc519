// What a sweep would do, as --dry-run says it.
#pragma once

#include <string>
#include <vector>

#include "cli/program.h"
#include "cli/sweep_runs.h"
#include "runner/slots.h"

namespace expctl {

/// On stdout; how long it will take on stderr. `registry`: null where there is none yet.
void print_plan(const Program& program, const SweepRuns& runs, const Registry* registry, const SlotPool& pool,
                bool retry_failed);

/// Runs that are queued for this machine and are not among the entries: whoever schedules starts them where
/// its own leave room. "" where there are none.
std::string others_queued_text(const Program& program, const Registry& registry,
                               const std::vector<SweepEntry>& entries);

/// The same once this sweep has ended and nobody schedules any more.
std::string others_left_text(const Registry& registry, const std::vector<SweepEntry>& entries);

}  // namespace expctl
