#include "reports/tensorboard_export.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "formats/event_file.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

constexpr const char* kFileName = "events.out.tfevents.0.expctl";
constexpr const char* kMarkName = "expctl.json";  ///< says whose run the folder is of

std::string table_row(const std::string& key, const std::string& value) {
  std::string text;
  for (const char c : value)
    text += c == '\n' || c == '\r' ? std::string(" ") : c == '|' ? "\\|" : std::string(1, c);
  return fmt::format("| {} | {} |\n", key, text);
}

std::string parameters_table(const Json& parameters) {
  std::string text = "| parameter | value |\n| --- | --- |\n";
  for (const auto& [key, value] : parameters.items()) text += table_row(key, scalar_text(value));
  return text;
}

/// The same with every digit, which the curves do not have.
std::string scores_table(const std::vector<MetricPoint>& scores) {
  std::string text = "| score | value |\n| --- | --- |\n";
  for (const auto& score : scores) text += table_row(score.name, format_number(score.value));
  return text;
}

std::string curve_records(const std::vector<MetricPoint>& points) {
  std::string records;
  for (const auto& point : points)
    records += scalar_record({point.time, point.step}, point.name, point.value);
  return records;
}

/// But for hidden ones: a killed program may have left a draft.
bool has_files(const fs::path& folder) {
  if (!fs::exists(folder)) return false;
  const fs::directory_iterator files(folder);
  return std::any_of(begin(files), end(files),
                     [](const auto& file) { return !file.path().filename().string().starts_with("."); });
}

void check_mark(const RunExport& entry, const fs::path& folder) {
  const fs::path mark = folder / kMarkName;
  if (!has_files(folder)) return;
  if (!fs::exists(mark)) {
    throw Error(fmt::format("{}: expctl has not written what lies there", folder.string()),
                "name another folder, or one that is empty");
  }
  if (json_get<std::string>(read_json(mark), "identity", mark.string()) != entry.identity) {
    throw Error(fmt::format("{}: it is {} of another workspace", folder.string(), entry.run.id),
                "name a folder of this workspace's own");
  }
}

/// Adds what `path` lacks of `content`, or makes it anew. Its draft has a name that TensorBoard does not
/// read.
void write_or_add(const fs::path& path, const std::string& content) {
  const std::string before = fs::exists(path) ? read_file(path) : "";
  if (content == before) return;
  if (!before.empty() && content.starts_with(before)) {
    std::ofstream file(path, std::ios::binary | std::ios::app);
    file << std::string_view(content).substr(before.size()) << std::flush;
    if (!file) throw errno_error(fmt::format("cannot write {}", path.string()), errno);
    return;
  }
  const fs::path draft = path.parent_path() / "draft";
  write_file(draft, content);
  rename_written(draft, path);
}

}  // namespace

std::string tensorboard_events(const RunExport& entry) {
  const RunRecord& run = entry.run;
  std::string file = version_record(run.created);
  file += text_record({run.created, 0}, "parameters", parameters_table(entry.parameters));
  file +=
      parameters_record(run.created, entry.parameters, run.config_hash.empty() ? run.id : run.config_hash);
  file += curve_records(entry.steps);
  if (!is_finished(run.state)) return file;
  file += curve_records(entry.scores);
  const bool is_good = run.state == RunState::kSucceeded || run.state == RunState::kPruned;
  file += session_end_record(run.ended, is_good ? SessionEnd::kSucceeded : SessionEnd::kFailed);
  file += curve_records(entry.evaluations);
  if (!entry.scores.empty()) file += text_record({run.ended, 0}, "scores", scores_table(entry.scores));
  return file;
}

fs::path write_tensorboard_run(const RunExport& entry, const fs::path& folder) {
  const fs::path target = folder / entry.group.key / entry.run.id;
  check_mark(entry, target);
  make_folder(target);
  const fs::path mark = target / kMarkName;
  if (!fs::exists(mark))
    write_file(mark, json_text({{"schema_version", 1}, {"id", entry.run.id}, {"identity", entry.identity}}));
  write_or_add(target / kFileName, tensorboard_events(entry));
  return target;
}

}  // namespace expctl
