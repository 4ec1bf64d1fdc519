// What the running runs compute on.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "reports/page_parts.h"
#include "reports/render.h"

namespace expctl {
namespace {

/// A GPU of `host`, this machine: a cluster's job has another's, whose numbers mean nothing here.
bool is_used_by(const GpuLine& gpu, const DeviceUse& use, const std::string& host) {
  if (!use.host.empty() && use.host != host) return false;
  return std::any_of(use.gpus.begin(), use.gpus.end(), [&](const std::string& name) {
    return name == gpu.uuid || name == std::to_string(gpu.index);
  });
}

/// Of one GPU; bars and texts are "" where it does not tell.
Json gpu_json(const GpuLine& gpu, const DeviceFacts& facts) {
  Json runs = Json::array();
  for (const auto& use : facts.uses) {
    if (is_used_by(gpu, use, facts.host)) runs.push_back({{"id", use.live.run.id}});
  }
  const auto gib = [](int64_t bytes) { return std::ldexp(static_cast<double>(bytes), -30); };
  const double total = gib(gpu.memory_bytes);
  const auto busy = gpu.utilization_percent;
  const double used = gib(gpu.memory_used.value_or(0));
  return {{"index", gpu.index},
          {"uuid", gpu.uuid},
          {"name", gpu.name},
          {"runs", runs},
          {"busy_bar", busy ? fraction_bar(static_cast<double>(*busy) / 100) : ""},
          {"busy", busy ? fmt::format("{} %", *busy) : ""},
          {"memory_bar", gpu.memory_used && total > 0 ? fraction_bar(used / total) : ""},
          {"memory", gpu.memory_used ? fmt::format("{:.1f} of {:.1f} GiB", used, total) : ""},
          {"power", gpu.power_w ? fmt::format("{:.0f} W", *gpu.power_w) : ""},
          {"clock", gpu.sm_clock_mhz ? fmt::format("{} MHz", *gpu.sm_clock_mhz) : ""}};
}

/// "0-3, 8".
std::string ranges_text(std::vector<int> numbers) {
  std::sort(numbers.begin(), numbers.end());
  std::vector<std::string> parts;
  for (size_t i = 0; i < numbers.size();) {
    size_t end = i + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
    parts.push_back(end - i == 1 ? std::to_string(numbers[i])
                                 : fmt::format("{}-{}", numbers[i], numbers[end - 1]));
    i = end;
  }
  return join(parts, ", ");
}

/// nvidia-smi's number where it is one of this machine's.
std::string gpu_name(const std::string& name, const std::vector<GpuLine>& gpus) {
  for (const auto& gpu : gpus) {
    if (gpu.uuid == name) return std::to_string(gpu.index);
  }
  return name;
}

Json use_json(const DeviceUse& use, const std::vector<GpuLine>& gpus) {
  std::vector<std::string> names;
  for (const auto& gpu : use.gpus) names.push_back(gpu_name(gpu, gpus));
  Json row = live_json(use.live);
  row["id"] = use.live.run.id;
  row["host"] = use.host;
  row["gpus"] = names.empty() ? "none" : join(names, ", ");
  row["threads"] = use.threads > 0 ? std::to_string(use.threads) : "";
  row["cores"] = use.cpu_ids.empty() ? "not bound" : ranges_text(use.cpu_ids);
  return row;
}

/// By minutes before now.
Series before_now(Series series, double now, const std::string& name) {
  series.name = name;
  for (auto& [time, value] : series.points) time = (time - now) / 60;
  return series;
}

void add_charts(Json& charts, const DeviceUse& use, const DeviceFacts& facts) {
  for (const auto& gpu : use.curves) {
    const std::string where = fmt::format("{}, GPU {}: ", use.live.run.id, gpu_name(gpu.gpu, facts.gpus));
    add_chart(charts, before_now(gpu.utilization_percent, facts.now, where + "busy, %"), "minutes");
    add_chart(charts, before_now(gpu.memory_gib, facts.now, where + "memory, GiB"), "minutes");
  }
}

}  // namespace

std::string device_page(const DeviceFacts& facts) {
  Json gpus = Json::array(), uses = Json::array(), charts = Json::array();
  for (const auto& gpu : facts.gpus) gpus.push_back(gpu_json(gpu, facts));
  for (const auto& use : facts.uses) {
    uses.push_back(use_json(use, facts.gpus));
    add_charts(charts, use, facts);
  }
  const auto used = std::count_if(gpus.begin(), gpus.end(), [](const Json& g) { return !g["runs"].empty(); });
  const Json page = {{"gpus_used", used},      {"gpu_count", facts.gpus.size()},
                     {"cpus", facts.cpus},     {"running_count", facts.uses.size()},
                     {"queued", facts.queued}, {"gpus_any", !gpus.empty()},
                     {"gpus", gpus},           {"uses_any", !uses.empty()},
                     {"uses", uses},           {"charts_any", !charts.empty()},
                     {"charts", charts}};
  return framed(facts.workspace, "Devices", PageTab::kDevices, render("devices.html", page, Escape::kHtml));
}

}  // namespace expctl
