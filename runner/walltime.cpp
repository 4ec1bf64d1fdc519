#include "runner/walltime.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <map>

#include "core/error.h"
#include "core/text.h"
#include "runner/tool_call.h"

namespace expctl {
namespace {

constexpr double kAnswer_s = 10;

std::string answer(const std::vector<std::string>& argv) {
  try {
    const ToolResult result = ToolCall(argv, kAnswer_s).wait();
    return result.exit_code == 0 ? result.out : "";
  } catch (const Error&) {
    return "";  // not installed here
  }
}

std::optional<double> slurm_end(const std::string& job) {
  const std::string text(trim(answer({"squeue", "-h", "-j", job, "-o", "%e"})));
  std::tm time{};
  if (::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &time) == nullptr) return std::nullopt;  // NONE
  time.tm_isdst = -1;
  return static_cast<double>(std::mktime(&time));
}

/// "HH:MM:SS"
std::optional<double> seconds_of(const std::string& text) {
  double seconds = 0;
  for (const auto& part : split(text, ':')) {
    int value = 0;
    const auto [end, failed] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (failed != std::errc() || end != part.data() + part.size()) return std::nullopt;
    seconds = seconds * 60 + value;
  }
  return seconds;
}

std::optional<double> pbs_end(const std::string& job, double now) {
  std::optional<double> limit, used;
  for (const auto& line : split(answer({"qstat", "-f", job}), '\n')) {
    const auto equals = line.find(" = ");
    if (equals == std::string::npos) continue;
    const auto name = trim(std::string_view(line).substr(0, equals));
    const std::string value(trim(std::string_view(line).substr(equals + 3)));
    if (name == "Resource_List.walltime") limit = seconds_of(value);
    if (name == "resources_used.walltime") used = seconds_of(value);
  }
  if (!limit) return std::nullopt;
  return now + *limit - used.value_or(0);
}

}  // namespace

double job_walltime_s(const RunSpec& spec) {
  constexpr double kMargin_s = 120;
  if (spec.executor.time_s > 0) return spec.executor.time_s;
  return spec.resources.timeout_s > 0 ? spec.resources.timeout_s + kMargin_s : 0;
}

double walltime_lead_s(double walltime_s) {
  constexpr double kLead_s = 60;
  return std::min(kLead_s, walltime_s / 3);
}

double usable_walltime_s(const RunSpec& spec) {
  const double walltime_s = job_walltime_s(spec);
  return walltime_s - walltime_lead_s(walltime_s);
}

std::optional<double> allocation_end() {
  if (const char* job = std::getenv("SLURM_JOB_ID")) return slurm_end(job);
  if (const char* job = std::getenv("PBS_JOBID"))
    return pbs_end(job, static_cast<double>(std::time(nullptr)));
  return std::nullopt;
}

}  // namespace expctl
