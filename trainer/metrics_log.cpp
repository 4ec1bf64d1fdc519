#include "trainer/metrics_log.h"

#include <fmt/core.h>

#include <cerrno>

#include "core/error.h"
#include "core/files.h"

namespace expctl {
namespace {

void cut(const std::filesystem::path& path, int64_t last_step) {
  if (!std::filesystem::exists(path)) return;
  const std::string text = read_file(path);
  std::string kept;
  for (size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = text.substr(begin, end - begin);
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_discarded() && json.value("step", int64_t{0}) <= last_step) kept += line + "\n";
  }
  write_file(path, kept);
}

}  // namespace

MetricsLog::MetricsLog(const std::filesystem::path& path, int64_t last_step) {
  cut(path, last_step);
  file_.reset(std::fopen(path.c_str(), "ae"));
  if (!file_) throw errno_error(fmt::format("cannot write {}", path.string()), errno);
}

void MetricsLog::write(const Json& line) {
  fmt::print(file_.get(), "{}\n", json_line(line));
  std::fflush(file_.get());
}

}  // namespace expctl
