#include "cli/live_pages.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "cli/run_progress.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/evaluation_settings.h"
#include "core/files.h"
#include "core/machine.h"
#include "core/request.h"
#include "registry/spec_of.h"
#include "reports/submission.h"
#include "runner/slots.h"
#include "runner/sweep_progress.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

constexpr size_t kRunningShown = 20;

Where where_of(const std::string& sweep_id, const std::optional<RunState>& state) {
  std::string text = sweep_id.empty() ? "" : "sweep=" + sweep_id;
  if (state) text += fmt::format("{}state={}", text.empty() ? "" : " and ", name_of(*state));
  return parse_where(text);
}

size_t listed(const StateCounts& states, const std::optional<RunState>& state) {
  int64_t count = 0;
  for (const auto& [one, runs] : states) count += !state || one == *state ? runs : 0;
  return static_cast<size_t>(count);
}

/// One page of a list of runs; of a sweep, where one is named.
void take_runs(const Registry& registry, const std::string& sweep_id, RunListFacts& facts) {
  RunQuery query;
  query.where = where_of(sweep_id, facts.choice.state);
  query.sort = facts.choice.newest_first ? "id" : "f1";
  query.is_reversed = facts.choice.newest_first;
  query.limit = facts.place.page_size;
  query.offset = (facts.choice.page - 1) * facts.place.page_size;
  facts.runs = registry.query_runs(query);
  facts.place.page = facts.choice.page;
  facts.place.count = listed(facts.states, facts.choice.state);
}

std::optional<WorkerRequest> request_of(const RunPaths& paths) {
  try {
    return worker_request_from_json(read_json(paths.request()), paths.request().string());
  } catch (const Error&) {
    return std::nullopt;  // it is about to be written, or a job's own file of this name
  }
}

std::string host_of(const RunPaths& paths) {
  try {
    return json_get<std::string>(read_json(paths.environment()), "host", "", "");
  } catch (const Error&) {
    return "";
  }
}

}  // namespace

std::optional<std::string> LivePages::page(const PageAddress& address) {
  const Registry registry = Registry::open_read_only(workspace_.registry());
  switch (address.kind) {
    case PageKind::kHome:
      return home(registry, address.choice);
    case PageKind::kRunList:
      return run_list(registry, address.choice);
    case PageKind::kSweep:
      return sweep(registry, address);
    case PageKind::kRun:
      return run(registry, address.id);
    case PageKind::kLog:
      return log(registry, address.id);
    case PageKind::kDevices:
      return devices(registry);
  }
  return std::nullopt;
}

namespace {

/// Whether the first kUsualAverage of the entries were evaluated on the same data, in the same way.
bool are_evaluated_alike(const Registry& registry, const std::vector<RunRecord>& entries) {
  std::set<std::string> ways;
  for (size_t i = 0; i < std::min(kUsualAverage, entries.size()); ++i) {
    for (const auto& evaluation : registry.evaluations(entries[i].id)) {
      if (evaluation.name == kDefaultEvaluation) ways.insert(evaluation_identity(evaluation.settings).dump());
    }
  }
  return ways.size() <= 1;
}

}  // namespace

std::string LivePages::home(const Registry& registry, const ListChoice& choice) const {
  constexpr size_t kBest = 10, kSweeps = 12;
  HomeFacts facts;
  facts.workspace = workspace_.root.string();
  facts.states = registry.state_counts();
  facts.running = running(registry, "", kRunningShown);
  facts.best = registry.query_runs({parse_where("f1>=0"), "f1", false, kBest});
  facts.evaluated_alike = are_evaluated_alike(registry, facts.best);
  facts.place = {choice.page, kSweeps, static_cast<size_t>(registry.list_sweeps().size())};
  for (auto& totals : registry.sweep_totals(kSweeps, (choice.page - 1) * kSweeps))
    facts.sweeps.push_back(sweep_line(registry, std::move(totals)));
  return home_page(facts);
}

std::string LivePages::run_list(const Registry& registry, const ListChoice& choice) const {
  RunListFacts facts;
  facts.workspace = workspace_.root.string();
  facts.states = registry.state_counts();
  facts.choice = choice;
  take_runs(registry, "", facts);
  return run_list_page(facts);
}

std::optional<std::string> LivePages::sweep(const Registry& registry, const PageAddress& address) {
  const auto record = registry.find_sweep(address.id);
  if (!record) return std::nullopt;
  RunListFacts facts;
  facts.workspace = workspace_.root.string();
  facts.sweep = sweep_line(registry, registry.totals_of(*record));
  facts.states = facts.sweep->totals.states;
  facts.choice = address.choice;
  facts.running = running(registry, address.id, kRunningShown);
  facts.losses = best_losses(registry, address.id);
  take_runs(registry, address.id, facts);
  return run_list_page(facts);
}

std::vector<Series> LivePages::best_losses(const Registry& registry, const std::string& sweep_id) {
  constexpr size_t kRuns = 6;
  std::vector<Series> losses;
  for (const auto& run : registry.query_runs({where_of(sweep_id, {}), "f1", false, kRuns})) {
    Series loss = curves_.of(workspace_.run(run.id).metrics())->loss;
    loss.name = run.id;
    if (!loss.points.empty()) losses.push_back(std::move(loss));
  }
  return losses;
}

std::optional<std::string> LivePages::run(const Registry& registry, const std::string& id) {
  constexpr int64_t kLogEnd_bytes = 16384;
  auto entry = registry.find_entry(id);
  if (!entry) return std::nullopt;
  const RunPaths paths = workspace_.run(id);
  RunFacts facts;
  facts.workspace = workspace_.root.string();
  facts.entry = std::move(*entry);
  if (facts.entry.run.state == RunState::kRunning) facts.live = live(registry, facts.entry.run);
  for (const auto& member : facts.entry.members) facts.members.push_back(registry.find_run(member).value());
  facts.curves = *curves_.of(paths.metrics());
  facts.log_end = file_tail(paths.log(), 0, kLogEnd_bytes);
  facts.folder = paths.folder.string();
  return run_page(facts);
}

std::optional<std::string> LivePages::log(const Registry& registry, const std::string& id) const {
  constexpr int64_t kMost_bytes = int64_t{64} << 10;
  auto record = registry.find_run(id);
  if (!record) return std::nullopt;
  const RunPaths paths = workspace_.run(id);
  LogFacts facts;
  facts.workspace = workspace_.root.string();
  facts.run = std::move(*record);
  facts.text = file_tail(paths.log(), 0, kMost_bytes);
  facts.left_out = facts.text.empty() ? 0 : std::max<int64_t>(0, file_bytes(paths.log()) - kMost_bytes);
  return log_page(facts);
}

std::string LivePages::devices(const Registry& registry) {
  constexpr size_t kMostRuns = 200;
  DeviceFacts facts;
  facts.workspace = workspace_.root.string();
  facts.host = host_name();
  facts.gpus = gpus();
  facts.cpus = usable_cpus().size();
  const StateCounts states = registry.state_counts();
  facts.queued = static_cast<int64_t>(listed(states, RunState::kQueued));
  for (auto& run : running(registry, "", kMostRuns)) facts.uses.push_back(device_use(std::move(run)));
  facts.now = SystemClock().now_s();
  return device_page(facts);
}

std::vector<LiveRun> LivePages::running(const Registry& registry, const std::string& sweep_id,
                                        size_t limit) const {
  std::vector<LiveRun> all;
  for (auto& run : registry.query_runs({where_of(sweep_id, RunState::kRunning), "id", false, limit}))
    all.push_back(live(registry, std::move(run)));
  return all;
}

LiveRun LivePages::live(const Registry& registry, RunRecord run) const {
  const RunProgress progress = progress_at_once(registry, run, workspace_.run(run.id), SystemClock().now_s());
  return {std::move(run),    progress.step,  progress.loss,       progress.f1,
          progress.fraction, progress.eta_s, doing_text(progress)};
}

SweepLine LivePages::sweep_line(const Registry& registry, SweepTotals totals) const {
  constexpr size_t kMostRuns = 200;
  SweepLine line{std::move(totals)};
  const StateCounts& states = line.totals.states;
  if (!states.contains(RunState::kRunning)) return line;
  std::vector<double> left_s;
  for (const auto& run : running(registry, line.totals.sweep.id, kMostRuns)) left_s.push_back(run.eta_s);
  line.eta_s =
      sweep_eta_s(left_s, listed(states, RunState::kQueued), registry.mean_duration_s(line.totals.sweep.id));
  return line;
}

DeviceUse LivePages::device_use(LiveRun live) const {
  constexpr int64_t kReadings_bytes = int64_t{256} << 10;
  const RunPaths paths = workspace_.run(live.run.id);
  DeviceUse use;
  use.host = host_of(paths);
  if (const auto request = request_of(paths)) {
    use.gpus = request->devices.gpus;
    use.threads = request->devices.threads;
    use.cpu_ids = request->devices.cpu_ids;
  }
  use.curves = gpu_curves(file_tail(paths.gpu_readings(), 0, kReadings_bytes));
  use.live = std::move(live);
  return use;
}

std::vector<GpuLine> LivePages::gpus() {
  const std::lock_guard lock(nvml_mutex_);
  std::vector<GpuLine> all;
  if (!nvml_) return all;
  for (const auto& device : nvml_->devices()) {
    GpuLine line{device.index, device.uuid, device.name, device.memory_bytes, {}, {}, {}, {}};
    if (const auto reading = nvml_->read(device.uuid)) {
      line.memory_used = reading->memory_used;
      line.utilization_percent = reading->utilization_percent;
      line.power_w = reading->power_w;
      line.sm_clock_mhz = reading->sm_clock_mhz;
    }
    all.push_back(std::move(line));
  }
  return all;
}

}  // namespace expctl
