#include "cli/sweep_checks.h"

#include <fmt/core.h>

#include <algorithm>

#include "cli/check_inputs.h"
#include "cli/published.h"
#include "core/error.h"
#include "core/text.h"
#include "runner/cluster.h"
#include "runner/command_line.h"
#include "runner/job_array.h"
#include "runner/ranks_command.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// What a CPU or a GPU does not compute.
void check_computable(const RunSpec& spec, bool on_gpu) {
  if (on_gpu && spec.train.optimizer == "lamb")
    throw Error("optimizer = \"lamb\": a GPU does not compute it", "set gpus = 0, or use \"adamw\"");
  if (on_gpu) return;
  for (const auto& precision : {spec.train.precision, spec.train.eval_precision})
    check_cpu_precision(precision);
}

void check_can_run(const RunSpec& spec, const SlotPool& pool) {
  if (spec.executor.is_local()) pool.check(spec.demand());
  if (!spec.is_command())
    check_computable(spec,
                     spec.executor.is_local() ? pool.gpus_for(spec.demand()) : job_script_for(spec).gpus > 0);
  if (spec.executor.is_local() && rank_count(spec) > 1) check_ranks_command();
  if (spec.is_command()) fill_command(spec.command.argv, command_values(spec, "run1", "run_dir"));
}

}  // namespace

void find_inputs(SweepSpec& sweep) {
  try {
    hash_inputs(sweep);
  } catch (const Error& e) {
    std::string hint = e.hint();
    for (const Input* input : {&sweep.base.train_data, &sweep.base.dev_data, &sweep.base.init}) {
      if (input->path.empty() || fs::exists(input->path)) continue;
      if (const auto fetching = fetch_command(input->path); !fetching.empty()) hint = fetching + " gets it";
      break;
    }
    throw Error(at_its_place(sweep, e.what()), hint, e.code());
  }
}

void check_can_run(const SweepSpec& sweep, const std::vector<RunSpec>& specs, const SlotPool& pool) {
  try {
    for (const auto& spec : specs) check_can_run(spec, pool);
  } catch (const Error& e) {
    throw Error(at_its_place(sweep, e.what()), e.hint(), e.code());
  }
}

void check_clusters(const SweepSpec& sweep, const SweepRuns& runs, bool retry_failed) {
  if (sweep.base.executor.is_local()) return;
  const auto& entries = runs.entries();
  const bool all_left = std::all_of(entries.begin(), entries.end(),
                                    [&](const SweepEntry& entry) { return is_left(entry, retry_failed); });
  if (!all_left || runs.to_come() > 0) check_submit_program(sweep.base.executor.kind);
}

std::string lag_warning(const SweepSpec& sweep, const SlotPool& pool) {
  if (!sweep.base.executor.is_local()) return "";
  const size_t fit = pool.side_by_side(sweep.base.demand());
  const size_t may = static_cast<size_t>(sweep.lag) * sweep.seeds.size();
  if (fit <= may) return "";
  return fmt::format(
      "lag = {} allows {} at a time, but {} fit on this machine: a larger lag uses it better, but each trial "
      "is "
      "then proposed from fewer results",
      sweep.lag, counted(may, "run"), fit);
}

}  // namespace expctl
