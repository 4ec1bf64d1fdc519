#include "cli/workspace_facts.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "cli/config_runs.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/files.h"
#include "core/request.h"
#include "core/text.h"
#include "core/version.h"
#include "reports/candidates.h"
#include "reports/config_stats.h"
#include "reports/leaderboard.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// A file that a run may have left; null where it has not, or it cannot be read.
Json read_if_there(const fs::path& path) {
  try {
    return fs::is_regular_file(path) ? read_json(path) : Json();
  } catch (const std::exception&) {
    return {};
  }
}

/// The best five and the mean of three, as `package --top 5` would choose.
void pick(const Registry& registry, WorkspaceFacts& facts) {
  const auto candidates = find_candidates(registry, {});
  if (candidates.empty()) return;
  const size_t top = std::min(kUsualTop, candidates.size());
  try {
    facts.picked = choose_entries(candidates, top, std::min(kUsualAverage, top));
    if (top < kUsualTop)
      facts.why_not_picked = fmt::format("{} of the five places of a submission are filled.", top);
  } catch (const Error& e) {
    facts.why_not_picked =
        fmt::format("No entries are picked: {}{}.", e.what(), e.hint().empty() ? "" : "; " + e.hint());
  }
}

/// Reads the answers of the two best configs: of eight seeds of each, which is enough and soon done.
void add_leading(const Registry& registry, const WorkspacePaths& workspace, WorkspaceFacts& facts) {
  constexpr size_t kConfigs = 2, kSeeds = 8;
  std::map<std::string, RunRecord> scored;
  for (const auto& run : facts.runs) {
    if (run.f1 && run.state == RunState::kSucceeded && !run.is_ensemble()) scored.emplace(run.id, run);
  }
  std::vector<ConfigRuns> leading;
  for (const auto& config : config_stats(facts.runs)) {
    ConfigRuns of_config{config, {}, {}};
    for (const auto& id : config.ids) {
      if (scored.contains(id)) of_config.runs.push_back(scored.at(id));
    }
    std::stable_sort(of_config.runs.begin(), of_config.runs.end(),
                     [](const RunRecord& a, const RunRecord& b) { return a.seed < b.seed; });
    of_config.runs.resize(std::min(of_config.runs.size(), kSeeds));
    if (!of_config.runs.empty() && leading.size() < kConfigs) leading.push_back(std::move(of_config));
  }
  if (leading.empty()) return;
  try {
    const auto read = read_scores(registry, workspace, std::move(leading), false);
    LeadingConfigs found;
    if (read.all.size() == kConfigs)
      found.difference = config_difference(read.all[1].scores, read.all[0].scores, read.groups);
    found.noise_sd = noise_sd_of(read);
    facts.leading = std::move(found);
  } catch (const Error&) {  // data that has changed, answers that are gone: the report is made without
  }
}

void add_losses(const Registry& registry, WorkspaceFacts& facts) {
  constexpr size_t kMost = 6;
  for (const auto& run : facts.runs) {
    if (facts.losses.size() == kMost) break;
    if (run.is_ensemble() || !run.f1) continue;
    Series curve{run.id, {}};
    for (const auto& metric : registry.metrics(run.id))
      curve.points.emplace_back(static_cast<double>(metric.step), metric.loss);
    if (!curve.points.empty()) facts.losses.push_back(std::move(curve));
  }
}

void add_ensembles(const Registry& registry, WorkspaceFacts& facts) {
  constexpr size_t kMost = 20;
  for (const auto& run : facts.runs) {
    if (!run.is_ensemble() || facts.ensembles.size() == kMost) continue;
    EnsembleLine line{run, 0};
    const auto members = registry.ensemble_members(run.id);
    for (const auto& id : members) {
      const auto member = registry.find_run(id);
      if (!member || !member->f1) line.members_mean.reset();
      if (line.members_mean) *line.members_mean += *member->f1 / static_cast<double>(members.size());
    }
    facts.ensembles.push_back(std::move(line));
  }
}

/// "GPU 0, 1" or "CPU"; a request says what the run was given.
std::string lane_of(const Json& request) {
  const Json devices = request.is_object() ? request.value("devices", Json()) : Json();
  std::vector<std::string> gpus;
  if (devices.is_object()) {
    for (const auto& gpu : devices.value("gpus", Json::array()))
      gpus.push_back(scalar_text(gpu).substr(0, 12));
  }
  return gpus.empty() ? "CPU" : "GPU " + join(gpus, ", ");
}

void add_attempts(const Registry& registry, const WorkspacePaths& workspace, WorkspaceFacts& facts) {
  constexpr size_t kMost = 2000;
  for (const auto& run : facts.runs) {
    if (run.is_ensemble() || run.attempts == 0 || facts.attempts.size() > kMost) continue;
    const std::string lane = lane_of(read_if_there(workspace.run(run.id).request()));
    for (const auto& attempt : registry.attempts(run.id)) {
      const bool is_running = attempt.end.empty();
      facts.attempts.push_back({lane, run.id, is_running ? "running" : attempt.end, attempt.started,
                                is_running ? facts.now : attempt.ended});
    }
  }
}

void add_latencies(const WorkspacePaths& workspace, WorkspaceFacts& facts) {
  constexpr size_t kMost = 10;
  for (const auto& run : facts.runs) {
    if (facts.latencies.size() == kMost || !run.f1) break;
    const Json stats = read_if_there(workspace.run(run.id).inference_stats());
    LatencyLine line{run.id, {}, 0};
    for (const int percent : kLatencyPercents) {
      const std::string key = fmt::format("latency_confidence_level_{}_ms", percent);
      if (stats.is_object() && stats.contains(key) && stats[key].is_number())
        line.percentiles_ms.push_back(stats[key]);
    }
    if (line.percentiles_ms.size() != std::size(kLatencyPercents)) continue;
    const Json rate = stats.value("throughput_average_sentences_per_s", Json(0.0));
    if (rate.is_number()) line.per_s = rate;
    facts.latencies.push_back(std::move(line));
  }
}

/// Of each entry the evaluations on the dev data that ranks it.
void add_lengths(const Registry& registry, WorkspaceFacts& facts) {
  constexpr size_t kMost = 30;
  for (const auto& run : facts.runs) {
    if (facts.lengths.size() == kMost || !run.f1) break;
    const auto evaluations = registry.evaluations(run.id);
    const auto own = std::find_if(evaluations.begin(), evaluations.end(),
                                  [](const EvaluationRecord& e) { return e.name == kDefaultEvaluation; });
    if (own == evaluations.end()) continue;
    std::map<int64_t, double> by_length;
    for (const auto& e : evaluations) {
      const Json length = e.settings.value("max_seq_length", Json());
      if (length.is_number() && e.settings.value("dev_sha256", "") == own->settings.value("dev_sha256", ""))
        by_length.emplace(length.get<int64_t>(), e.f1);
    }
    by_length[own->settings.value("max_seq_length", int64_t{0})] = own->f1;
    if (by_length.size() > 1) facts.lengths.push_back({run.id, {by_length.begin(), by_length.end()}});
  }
}

void add_environments(const WorkspacePaths& workspace, WorkspaceFacts& facts) {
  std::map<std::string, size_t> counts;
  for (const auto& run : facts.runs) {
    const Json environment = read_if_there(workspace.run(run.id).environment());
    if (!environment.is_object()) continue;
    std::vector<std::string> parts;
    for (const char* key : {"host", "cpu", "gpus", "driver", "threads", "instruction_set", "expctl",
                            "build_id", "libtorch", "cuda"}) {
      const Json value = environment.value(key, Json());
      if (value.is_null() || value.empty()) continue;
      parts.push_back(fmt::format("{} {}", key, value.is_primitive() ? scalar_text(value) : value.dump()));
    }
    if (!parts.empty()) ++counts[join(parts, ", ")];
  }
  for (const auto& [what, runs] : counts) facts.environments.push_back({what, runs});
  std::stable_sort(facts.environments.begin(), facts.environments.end(),
                   [](const auto& a, const auto& b) { return a.runs > b.runs; });
}

}  // namespace

WorkspaceFacts workspace_facts(const Registry& registry, const WorkspacePaths& workspace) {
  WorkspaceFacts facts;
  facts.workspace = workspace.root.string();
  facts.now = SystemClock().now_s();
  facts.version = fmt::format("{} ({})", version(), build_id());
  facts.runs = ranked(registry.list_runs());
  pick(registry, facts);
  add_leading(registry, workspace, facts);
  add_losses(registry, facts);
  add_ensembles(registry, facts);
  add_attempts(registry, workspace, facts);
  add_latencies(workspace, facts);
  add_lengths(registry, facts);
  add_environments(workspace, facts);
  return facts;
}

}  // namespace expctl
