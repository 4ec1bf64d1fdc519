#include "cli/sweep_plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "cli/terminal.h"
#include "core/text.h"
#include "reports/leaderboard.h"
#include "runner/cluster.h"
#include "runner/estimate.h"
#include "runner/job_array.h"

namespace expctl {
namespace {

std::string_view describe(Standing standing, bool retry_failed) {
  switch (standing) {
    case Standing::kNew:
      return "new";
    case Standing::kSucceeded:
      return "succeeded, skipped";
    case Standing::kOpen:
      return "goes on";
    case Standing::kFailed:
      return retry_failed ? "failed, tried again" : "failed, left";
    case Standing::kEnded:
      return "ended, left";
  }
  return "";
}

/// As much of a record as a run has before it is registered.
RunRecord planned(const RunSpec& spec) {
  RunRecord run;
  run.params = spec.params;
  run.seed = spec.train.seed;
  return run;
}

/// Seconds until all that is to be done has ended, of a cluster's jobs as if one ran after another; nothing
/// where no run like one of them has ended yet.
std::optional<double> expected_total_s(const SweepRuns& runs, bool retry_failed,
                                       const std::vector<PastRun>& past, const SlotPool& pool) {
  double total = 0, last = 0;
  for (const auto& entry : runs.entries()) {
    const auto seconds = expected_duration_s(entry.spec, past);
    const bool is_local = entry.spec.executor.is_local();
    const size_t at_once = is_local ? pool.side_by_side(entry.spec.demand()) : 1;
    last = seconds.value_or(0) / static_cast<double>(at_once);
    if (is_left(entry, retry_failed)) continue;
    if (!seconds) return std::nullopt;
    total += last;
  }
  if (runs.to_come() > 0 && last == 0) return std::nullopt;
  return total + last * static_cast<double>(runs.to_come());
}

/// How the runs would be handed to a cluster; "" for this machine. The names of the files are not known yet.
std::string example_script(const Program& program, const std::vector<SweepEntry>& entries,
                           bool retry_failed) {
  std::vector<const SweepEntry*> wanted;
  for (const auto& entry : entries) {
    if (!is_left(entry, retry_failed)) wanted.push_back(&entry);
  }
  if (wanted.empty() || wanted.front()->spec.executor.is_local()) return "";
  const RunSpec& spec = wanted.front()->spec;
  JobScript script = job_script_for(spec);
  script.key = "KEY";
  script.tasks = wanted.size();
  script.expctl = self_path().string();
  script.folder = program.workspace().root;
  script.paths = program.workspace().job_array("sweepN", script.key);
  return make_cluster(spec.executor.kind)->script(script);
}

/// Runs of others that are queued for this machine.
std::vector<std::string> queued_others(const Registry& registry, const std::vector<SweepEntry>& entries) {
  std::set<std::string> own;
  for (const auto& entry : entries) own.insert(entry.run_id);
  std::vector<std::string> others;
  for (const auto& queued : registry.queued_runs()) {
    if (!own.contains(queued.id) && queued.executor == "local") others.push_back(queued.id);
  }
  return others;
}

/// "run3 run5 ..."
std::string some_of(const std::vector<std::string>& ids) {
  constexpr size_t kNamed = 8;
  const std::string named = join({ids.begin(), ids.begin() + std::min(ids.size(), kNamed)}, " ");
  return ids.size() > kNamed ? named + " ..." : named;
}

}  // namespace

void print_plan(const Program& program, const SweepRuns& planned_runs, const Registry* registry,
                const SlotPool& pool, bool retry_failed) {
  const auto& entries = planned_runs.entries();
  const size_t to_come = planned_runs.to_come();
  const auto past = registry == nullptr ? std::vector<PastRun>() : past_runs(*registry);
  const auto total_s = expected_total_s(planned_runs, retry_failed, past, pool);
  if (registry != nullptr) {
    if (const auto others = others_queued_text(program, *registry, entries); !others.empty())
      say(program, others);
  }
  const std::string script = example_script(program, entries, retry_failed);
  Json runs = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& entry : entries) {
    const auto what = describe(entry.standing, retry_failed);
    if (program.json) {
      runs.push_back({{"id", entry.run_id.empty() ? Json() : Json(entry.run_id)},
                      {"plan", what},
                      {"params", entry.spec.params},
                      {"seed", entry.spec.train.seed}});
    } else {
      rows.push_back(
          {entry.run_id.empty() ? "new" : entry.run_id, std::string(what), params_text(planned(entry.spec))});
    }
  }
  if (program.json)
    fmt::print("{}", json_text({{"schema_version", 1},
                                {"runs", runs},
                                {"to_come", to_come},
                                {"script", script.empty() ? Json() : Json(script)},
                                {"expected_s", json_or_null(total_s)}}));
  else
    fmt::print("{}{}{}", render_table({"id", "plan", "parameters"}, rows, stdout_style()),
               script.empty() ? "" : "\n", script);
  if (to_come > 0)
    say(program, fmt::format("{} proposed later, from the results of these",
                             counted(to_come, "more run is", "more runs are")));
  say(program, total_s ? fmt::format("about {} {}, from the runs before", duration_text(*total_s),
                                     script.empty() ? "on this machine" : "of computing in all")
                       : "how long it will take is not known: no run like these has succeeded here yet");
}

std::string others_queued_text(const Program& program, const Registry& registry,
                               const std::vector<SweepEntry>& entries) {
  const auto others = queued_others(registry, entries);
  if (others.empty()) return "";
  const bool is_one = others.size() == 1;
  return fmt::format(
      "{} queued here; {} only while this sweep leaves room (expctl{} stop {} keeps {} from it)",
      counted(others.size(), "other run is", "other runs are"), is_one ? "it starts" : "they start",
      workspace_option(program), some_of(others), is_one ? "it" : "them");
}

std::string others_left_text(const Registry& registry, const std::vector<SweepEntry>& entries) {
  const auto others = queued_others(registry, entries);
  if (others.empty()) return "";
  const bool is_one = others.size() == 1;
  return fmt::format("{} {} still queued: the command that queued {} goes on with {}", some_of(others),
                     is_one ? "is" : "are", is_one ? "it" : "them", is_one ? "it" : "them");
}

}  // namespace expctl
