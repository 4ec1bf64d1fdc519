#include "cli/sweep_runs.h"

#include <filesystem>

#include "core/clock.h"
#include "core/files.h"
#include "core/text.h"
#include "runner/early_stopping.h"

namespace expctl {
namespace fs = std::filesystem;

void SweepRuns::look(const Registry* registry, const std::string& sweep_id) {
  if (sweep_.method != SweepMethod::kTpe) {
    if (entries_.empty()) append(expand(sweep_), registry);
    return;
  }
  const size_t before = trials_.size();
  if (trials_.empty()) read_trials(sweep_id);
  extend_trials(sweep_, trials_, [&](int64_t, const Trial& trial) { return result_of(trial, registry); });
  for (size_t i = before; i < trials_.size(); ++i) append(trials_[i].runs, registry);
}

void SweepRuns::add(const std::vector<RunSpec>& specs, const Registry& registry) {
  append(specs, &registry);
}

void SweepRuns::append(const std::vector<RunSpec>& specs, const Registry* registry) {
  std::vector<RunSpec> added;
  for (const auto& spec : specs) {
    const Identity identity{config_hash(spec), spec.train.seed};
    if (known_.emplace(identity, entries_.size() + added.size()).second) added.push_back(spec);
  }
  for (auto& entry : look_up(added, registry)) entries_.push_back(std::move(entry));
}

std::vector<std::string> SweepRuns::enter(Registry& registry, const std::string& sweep_id) {
  std::vector<std::string> ids;
  if (entered_ < entries_.size()) {
    const auto first = entries_.begin() + static_cast<std::ptrdiff_t>(entered_);
    std::vector<SweepEntry> added(first, entries_.end());
    enqueue(added, sweep_id, retry_failed_, registry, workspace_, SystemClock().now_s());
    for (const auto& entry : added) ids.push_back(entry.run_id);
    std::move(added.begin(), added.end(), first);
    entered_ = entries_.size();
  }
  if (sweep_.method == SweepMethod::kTpe) write_trials(sweep_id);
  return ids;
}

std::vector<RunSpec> SweepRuns::specs() const {
  std::vector<RunSpec> specs;
  for (const auto& entry : entries_) specs.push_back(entry.spec);
  return specs;
}

size_t SweepRuns::to_come() const {
  if (sweep_.method != SweepMethod::kTpe) return 0;
  return (static_cast<size_t>(sweep_.trials) - trials_.size()) * sweep_.seeds.size();
}

namespace {

/// What it had at the last rung that it came to.
std::optional<double> score_when_pruned(const WorkspacePaths& workspace, const RunRecord& run) {
  std::optional<double> score;
  for (const auto& decision : read_decisions(workspace, run.sweep_id)) {
    if (decision.report.run_id == run.id) score = decision.report.score;
  }
  return score;
}

}  // namespace

std::optional<TrialResult> SweepRuns::result_of(const Trial& trial, const Registry* registry) const {
  std::vector<std::optional<RunResult>> runs;
  for (const auto& spec : trial.runs) runs.push_back(result_of_run(spec, registry));
  return trial_result(runs);
}

std::optional<RunResult> SweepRuns::result_of_run(const RunSpec& spec, const Registry* registry) const {
  if (registry == nullptr) return std::nullopt;
  const Identity identity{config_hash(spec), spec.train.seed};
  const auto run = registry->find_run_by_identity(identity.first, identity.second);
  if (!run || !is_finished(run->state)) return std::nullopt;
  const auto entry = known_.find(identity);
  const bool is_entered = entry != known_.end() && entry->second < entered_;
  // One that is to be tried again has not ended yet.
  if (run->state == RunState::kFailed && retry_failed_ && !is_entered) return std::nullopt;
  if (run->state == RunState::kSucceeded) return RunResult{run->f1};
  if (run->state == RunState::kPruned) return RunResult{score_when_pruned(workspace_, *run)};
  return RunResult{};
}

void SweepRuns::read_trials(const std::string& sweep_id) {
  const fs::path path = workspace_.trials(sweep_id);
  if (sweep_id.empty() || !fs::exists(path)) return;
  written_ = read_file(path);
  std::vector<Json> lines;
  for (const auto& line : split(trim(written_), '\n')) lines.push_back(Json::parse(line, nullptr, false));
  trials_ = trials_from_lines(sweep_, lines, path.string());
}

void SweepRuns::write_trials(const std::string& sweep_id) {
  std::string lines;
  for (size_t i = 0; i < trials_.size(); ++i) {
    std::vector<std::string> ids;
    for (const auto& spec : trials_[i].runs)
      ids.push_back(entries_.at(known_.at({config_hash(spec), spec.train.seed})).run_id);
    lines += json_line(trial_line(static_cast<int64_t>(i), trials_[i], ids)) + "\n";
  }
  if (lines != written_) write_file(workspace_.trials(sweep_id), lines);
  written_ = lines;
}

}  // namespace expctl
