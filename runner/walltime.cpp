#include "runner/walltime.h"

#include <algorithm>
#include <cstdlib>

#include "core/clock.h"
#include "core/error.h"
#include "core/text.h"
#include "runner/tool_output.h"

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

std::optional<double> slurm_end(const std::string& job, double now_s) {
  const auto left_s = seconds_of(std::string(trim(answer({"squeue", "-h", "-j", job, "-o", "%L"}))));
  return left_s ? std::optional(now_s + *left_s) : std::nullopt;
}

std::optional<double> pbs_end(const std::string& job, double now_s) {
  std::optional<double> limit_s, used_s;
  for (const auto& line : split(answer({"qstat", "-f", job}), '\n')) {
    const auto equals = line.find(" = ");
    if (equals == std::string::npos) continue;
    const auto name = trim(std::string_view(line).substr(0, equals));
    const std::string value(trim(std::string_view(line).substr(equals + 3)));
    if (name == "Resource_List.walltime") limit_s = seconds_of(value);
    if (name == "resources_used.walltime") used_s = seconds_of(value);
  }
  if (!limit_s) return std::nullopt;
  return now_s + *limit_s - used_s.value_or(0);
}

}  // namespace

std::optional<double> seconds_of(const std::string& text) {
  const auto dash = text.find('-');
  double seconds = 0;
  bool is_first = true;
  for (const auto& part : split(dash == std::string::npos ? text : text.substr(dash + 1), ':')) {
    const auto value = parse_number<unsigned>(part);
    if (!value) return std::nullopt;
    seconds = seconds * (is_first ? 0 : 60) + *value;
    is_first = false;
  }
  if (dash == std::string::npos) return seconds;
  constexpr double kDay_s = 86400;
  const auto days = parse_number<unsigned>(text.substr(0, dash));
  return days ? std::optional(*days * kDay_s + seconds) : std::nullopt;
}

double job_walltime_s(const RunSpec& spec) {
  constexpr double kMargin_s = 180;  // the lead, and a warning that may come a minute early
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
  const double now_s = SystemClock().now_s();
  if (const char* job = std::getenv("SLURM_JOB_ID")) return slurm_end(job, now_s);
  if (const char* job = std::getenv("PBS_JOBID")) return pbs_end(job, now_s);
  return std::nullopt;
}

}  // namespace expctl
