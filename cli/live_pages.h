// The pages of `expctl serve` as the workspace is now: gathers what they show from the registry, which is
// opened to read only, and from the run folders. Nothing is written.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "cli/curve_cache.h"
#include "cli/page_request.h"
#include "core/run_paths.h"
#include "registry/registry.h"
#include "runner/nvml.h"

namespace expctl {

class LivePages {
 public:
  explicit LivePages(WorkspacePaths workspace) : workspace_(std::move(workspace)), nvml_(Nvml::load()) {}

  /// Nothing where there is no such sweep or run. Throws Error. May be called by several threads at once.
  std::optional<std::string> page(const PageAddress& address);

 private:
  std::string home(const Registry& registry, const ListChoice& choice) const;
  std::string run_list(const Registry& registry, const ListChoice& choice) const;
  std::optional<std::string> sweep(const Registry& registry, const PageAddress& address);
  std::optional<std::string> run(const Registry& registry, const std::string& id);
  std::optional<std::string> log(const Registry& registry, const std::string& id) const;
  std::string devices(const Registry& registry);

  /// The first of those that are running (of a sweep, where one is named), and how far they are.
  std::vector<LiveRun> running(const Registry& registry, const std::string& sweep_id, size_t limit) const;
  LiveRun live(const Registry& registry, RunRecord run) const;
  SweepLine sweep_line(const Registry& registry, SweepTotals totals) const;
  std::vector<Series> best_losses(const Registry& registry, const std::string& sweep_id);
  DeviceUse device_use(LiveRun live) const;
  std::vector<GpuLine> gpus();

  WorkspacePaths workspace_;
  std::unique_ptr<Nvml> nvml_;
  std::mutex nvml_mutex_;
  CurveCache curves_;
};

}  // namespace expctl
