#include "trainer/metrics_log.h"

#include <fmt/core.h>

#include <cerrno>

#include "core/error.h"
#include "core/files.h"

namespace expctl {
namespace {

/// Leaves out lines of later steps, and what is no whole line. The step of the last evaluation kept, or 0.
int64_t cut(const std::filesystem::path& path, int64_t last_step) {
  if (!std::filesystem::exists(path)) return 0;
  int64_t evaluated = 0;
  const std::string text = read_file(path);
  std::string kept;
  for (size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = text.substr(begin, end - begin);
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) continue;
    const auto step = json_get<int64_t>(json, "step", path.string(), 0);
    if (step > last_step) continue;
    kept += line + "\n";
    if (json.contains("event") && json["event"] == "eval") evaluated = step;
  }
  write_file(path, kept);
  return evaluated;
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& path, int64_t last_step)
    : last_evaluation_(cut(path, last_step)) {
  file_.reset(std::fopen(path.c_str(), "ae"));
  if (!file_) throw errno_error(fmt::format("cannot write {}", path.string()), errno);
}

void MetricsLog::write(const Json& line) {
  fmt::print(file_.get(), "{}\n", json_line(line));
  std::fflush(file_.get());
}

}  // namespace expctl
