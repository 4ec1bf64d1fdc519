// Slurm by its commands: sbatch, squeue, scancel (22.05 and later). Accounting is never asked: many clusters
// have none.
#pragma once

#include "runner/cluster.h"

namespace expctl {

class Slurm : public Cluster {
 public:
  std::string script(const JobScript& script) const override;
  std::vector<std::string> submit_command(const std::filesystem::path& script) const override;
  std::optional<std::string> submitted_id(const ToolResult& result) const override;
  std::vector<std::string> list_command(const std::vector<JobArray>& arrays) const override;
  std::optional<std::vector<ListedTask>> listed(const ToolResult& result) override;
  std::string job_name(const std::string& job_id, size_t index) const override;
  std::vector<std::string> cancel_command(const std::vector<std::string>& job_names) const override;
};

}  // namespace expctl
