#include "reports/mlflow_export.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/text.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

std::string hex_byte(char c) {
  return fmt::format("_{:02x}", static_cast<unsigned char>(c));
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-. :/").find(c) != std::string_view::npos;
}

/// Without "", "." and ".." between its slashes; a hidden file would do no harm, but is none that one sees.
bool is_plain_path(const std::string& name) {
  const auto parts = split(name, '/');
  return std::none_of(parts.begin(), parts.end(),
                      [](const std::string& part) { return part.empty() || part.starts_with("."); });
}

std::string without_slashes(const std::string& name) {
  std::string out;
  for (const char c : name) out += c == '/' ? hex_byte(c) : std::string(1, c);
  return out.starts_with(".") ? hex_byte('.') + out.substr(1) : out;
}

bool has_folder_among(const std::string& name, const std::set<std::string>& names) {
  for (size_t slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
    if (names.contains(name.substr(0, slash))) return true;
  }
  return false;
}

int64_t milliseconds(double unix_s) {
  return std::llround(unix_s * 1000);
}

std::string time_yaml(double unix_s) {
  return unix_s > 0 ? std::to_string(milliseconds(unix_s)) : "null";
}

std::string file_uri(const fs::path& path) {
  std::string uri = "file://";
  for (const char c : path.string()) {
    const bool stays = is_plain(c) && c != ' ' && c != ':';
    uri += stays ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return uri;
}

/// mlflow.entities.RunStatus
int status_of(RunState state) {
  switch (state) {
    case RunState::kRunning:
      return 1;
    case RunState::kQueued:
      return 2;  // SCHEDULED
    case RunState::kSucceeded:
      return 3;  // FINISHED
    case RunState::kFailed:
      return 4;
    case RunState::kStopped:
    case RunState::kPruned:
      break;
  }
  return 5;  // KILLED
}

std::string run_yaml(const RunExport& entry, const fs::path& folder) {
  const RunRecord& run = entry.run;
  return fmt::format(
      "artifact_uri: {}\nend_time: {}\nentry_point_name: ''\nexperiment_id: '{}'\nlifecycle_stage: active\n"
      "run_id: '{}'\nrun_name: {}\nrun_uuid: '{}'\nsource_name: ''\nsource_type: 4\nsource_version: ''\n"
      "start_time: {}\nstatus: {}\ntags: []\nuser_id: ''\n",
      yaml_text(file_uri(folder / "artifacts")), time_yaml(run.ended), mlflow_experiment_id(entry.group),
      entry.identity, yaml_text(run.id), entry.identity,
      time_yaml(run.started > 0 ? run.started : run.created), status_of(run.state));
}

using Texts = std::vector<std::pair<std::string, std::string>>;

void add_files(const std::string& folder, const Texts& texts, std::map<std::string, std::string>& files) {
  std::vector<std::string> names;
  for (const auto& [name, text] : texts) names.push_back(name);
  const auto allowed = mlflow_names(names);
  for (size_t i = 0; i < texts.size(); ++i) files[folder + "/" + allowed[i]] = texts[i].second;
}

Texts tags_of(const RunExport& entry) {
  const RunRecord& run = entry.run;
  const auto of_spec = [&](const char* key) { return scalar_text(run.spec.value(key, Json(""))); };
  Texts tags = {{"mlflow.runName", run.id},
                {"mlflow.source.name", "expctl"},
                {"mlflow.source.type", "LOCAL"},
                {"expctl.id", run.id},
                {"expctl.name", run.name},
                {"expctl.state", std::string(name_of(run.state))},
                {"expctl.folder", entry.folder.folder.string()}};
  const auto add = [&](const char* name, const std::string& text) {
    if (!text.empty()) tags.emplace_back(name, text);
  };
  add("mlflow.source.git.commit", of_spec("config_commit"));
  add("expctl.sweep", run.sweep_id);
  add("expctl.reason", std::string(name_of(run.reason)));
  add("expctl.message", run.message);
  add("expctl.config_hash", run.config_hash);
  for (const auto& tag : run.tags) tags.emplace_back("expctl.tag." + tag, tag);
  return tags;
}

/// "TIME VALUE STEP" a line, by metric.
Texts metrics_of(const RunExport& entry) {
  std::map<std::string, std::string> lines;
  for (const auto* points : {&entry.steps, &entry.scores, &entry.evaluations}) {
    for (const auto& point : *points)
      lines[point.name] +=
          fmt::format("{} {} {}\n", milliseconds(point.time), format_number(point.value), point.step);
  }
  return {lines.begin(), lines.end()};
}

}  // namespace

std::string yaml_text(std::string_view text) {
  const std::string json = Json(std::string(text)).dump(-1, ' ', true, Json::error_handler_t::replace);
  // JSON's escapes are YAML's too, but for a character beyond U+FFFF, which JSON writes as two.
  std::string yaml;
  for (size_t i = 0; i < json.size(); ++i) {
    yaml += json[i];
    if (json[i] != '\\') continue;
    yaml += json[++i];
    if (json[i] != 'u') continue;
    const auto unit = std::stoul(json.substr(i + 1, 4), nullptr, 16);
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const auto low = std::stoul(json.substr(i + 7, 4), nullptr, 16);
    yaml.back() = 'U';
    yaml += fmt::format("{:08x}", 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
    i += 10;
  }
  return yaml;
}

std::vector<std::string> mlflow_names(const std::vector<std::string>& names) {
  std::vector<std::string> allowed;
  for (const auto& name : names) {
    std::string out;
    for (const char c : name) out += is_plain(c) ? std::string(1, c) : hex_byte(c);
    if (out.empty()) out = "_";
    allowed.push_back(is_plain_path(out) ? out : without_slashes(out));
  }
  const std::set<std::string> all(allowed.begin(), allowed.end());
  for (auto& name : allowed) {
    if (has_folder_among(name, all)) name = without_slashes(name);
  }
  return allowed;
}

std::string mlflow_experiment_id(const ExportGroup& group) {
  constexpr uint64_t kLeast = 100'000'000'000'000'000;
  return std::to_string(kLeast + std::stoull(group.identity.substr(0, 16), nullptr, 16) % (9 * kLeast));
}

std::string mlflow_experiment_yaml(const ExportGroup& group, const std::string& name,
                                   const fs::path& folder) {
  return fmt::format(
      "artifact_location: {}\ncreation_time: {}\nexperiment_id: '{}'\nlast_update_time: {}\n"
      "lifecycle_stage: active\nname: {}\n",
      yaml_text(file_uri(folder)), time_yaml(group.created), mlflow_experiment_id(group),
      time_yaml(group.created), yaml_text(name));
}

std::map<std::string, std::string> mlflow_run_files(const RunExport& entry, const fs::path& folder) {
  std::map<std::string, std::string> files = {{"meta.yaml", run_yaml(entry, folder)}};
  Texts parameters;
  for (const auto& [key, value] : entry.parameters.items()) parameters.emplace_back(key, scalar_text(value));
  add_files("params", parameters, files);
  add_files("metrics", metrics_of(entry), files);
  add_files("tags", tags_of(entry), files);
  return files;
}

}  // namespace expctl
