#include "reports/runs_csv.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <map>

#include "core/text.h"
#include "reports/config_stats.h"
#include "reports/config_verdict.h"
#include "reports/run_export.h"

namespace expctl {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string line(const std::vector<std::string>& cells) {
  std::vector<std::string> all;
  for (const auto& cell : cells) all.push_back(quoted(cell));
  return join(all, ",") + "\n";
}

std::string time(double unix_s) {
  return unix_s > 0 ? format_number(unix_s) : "";
}

std::string score(const std::optional<double>& value) {
  return value ? format_number(*value) : "";
}

/// A column that every run has.
struct Column {
  const char* name;
  std::function<std::string(const RunRecord&)> cell;
};

const Column kId = {"id", [](const RunRecord& run) { return run.id; }};
const Column kSweep = {"sweep", [](const RunRecord& run) { return run.sweep_id; }};
const Column kState = {"state", [](const RunRecord& run) { return std::string(name_of(run.state)); }};
const Column kReason = {"reason", [](const RunRecord& run) { return std::string(name_of(run.reason)); }};
const Column kName = {"name", [](const RunRecord& run) { return run.name; }};
const Column kSeed = {"seed", [](const RunRecord& run) { return std::to_string(run.seed); }};
const Column kF1 = {"f1", [](const RunRecord& run) { return score(run.f1); }};
const Column kExactMatch = {"exact_match", [](const RunRecord& run) { return score(run.exact_match); }};
const Column kAttempts = {"attempts", [](const RunRecord& run) { return std::to_string(run.attempts); }};
const Column kCreated = {"created", [](const RunRecord& run) { return time(run.created); }};
const Column kStarted = {"started", [](const RunRecord& run) { return time(run.started); }};
const Column kEnded = {"ended", [](const RunRecord& run) { return time(run.ended); }};
const Column kTags = {"tags", [](const RunRecord& run) { return join(run.tags, " "); }};

/// The columns, then one for each parameter that one of the runs has.
std::string csv_of(const std::vector<RunRecord>& runs, const std::vector<Column>& columns,
                   const std::function<Json(const RunRecord&)>& parameters_of) {
  std::vector<std::string> header;
  for (const auto& column : columns) header.emplace_back(column.name);
  for (const auto& run : runs) {
    const Json parameters = parameters_of(run);
    for (const auto& [key, value] : parameters.items()) {
      const auto first = header.begin() + static_cast<std::ptrdiff_t>(columns.size());
      if (std::find(first, header.end(), key) == header.end()) header.push_back(key);
    }
  }
  std::string text = line(header);
  for (const auto& run : runs) {
    std::vector<std::string> cells;
    for (const auto& column : columns) cells.push_back(column.cell(run));
    const Json parameters = parameters_of(run);
    for (size_t i = columns.size(); i < header.size(); ++i)
      cells.push_back(parameters.contains(header[i]) ? scalar_text(parameters[header[i]]) : "");
    text += line(cells);
  }
  return text;
}

}  // namespace

std::string runs_csv(const std::vector<RunRecord>& runs) {
  return csv_of(runs, {kId, kState, kReason, kName, kSeed, kF1, kExactMatch},
                [](const RunRecord& run) { return run.params; });
}

std::string all_csv(const std::vector<RunRecord>& runs) {
  const auto configs = config_stats(runs);
  const auto gaps = recorded_gaps(configs, runs);
  std::map<std::string, size_t> config_of;
  for (size_t i = 0; i < configs.size(); ++i) {
    for (const auto& id : configs[i].ids) config_of[id] = i;
  }
  // Of each run of a config what is known of that, "" where it is not.
  const auto of_config = [&](const char* name, const std::function<std::string(size_t)>& text_of) -> Column {
    return {name, [&config_of, text_of](const RunRecord& run) {
              const auto config = config_of.find(run.id);
              return config == config_of.end() ? std::string() : text_of(config->second);
            }};
  };
  return csv_of(
      runs,
      {kId, kSweep, kState, kReason, kName, kSeed, kF1, kExactMatch, kAttempts, kCreated, kStarted, kEnded,
       kTags,
       of_config("config_mean_f1",
                 [&](size_t i) { return configs[i].scored > 0 ? format_number(configs[i].mean_f1) : ""; }),
       of_config("config_sd_f1",
                 [&](size_t i) { return configs[i].scored > 1 ? format_number(configs[i].sd_f1) : ""; }),
       of_config("config_scored", [&](size_t i) { return std::to_string(configs[i].scored); }),
       of_config("config_gap_low", [&](size_t i) { return gaps[i] ? format_number(gaps[i]->low) : ""; }),
       of_config("config_gap_high", [&](size_t i) { return gaps[i] ? format_number(gaps[i]->high) : ""; })},
      [](const RunRecord& run) {
        Json parameters = all_parameters(run);
        parameters.erase("seed");  // which has a column
        return parameters;
      });
}

}  // namespace expctl
