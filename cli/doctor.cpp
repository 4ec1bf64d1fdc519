// `expctl doctor`: what this machine has of what expctl needs, a line each.
#include <fmt/core.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "cli/verbs.h"
#include "core/error.h"
#include "core/json.h"
#include "core/text.h"
#include "core/version.h"
#include "registry/journal.h"
#include "runner/find_worker.h"
#include "runner/launcher.h"
#include "runner/machine_gpus.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

struct Check {
  std::string name;
  bool ok;
  std::string what;
};

/// The nearest folder that exists: where a workspace that is not there yet would be made.
fs::path existing_parent(fs::path path) {
  while (!path.empty() && !fs::exists(path)) path = path.parent_path();
  return path;
}

Check check_worker() {
  try {
    const fs::path worker = find_worker(self_path());
    return {"trainer", true,
            fmt::format("{}, computes on {}", worker.string(),
                        computes_on_gpus(worker) ? "the CPU and on GPUs" : "the CPU only")};
  } catch (const Error& e) {
    return {"trainer", false, e.what()};
  }
}

Check check_workspace(const fs::path& workspace) {
  const fs::path folder = existing_parent(workspace);
  if (::access(folder.c_str(), W_OK) != 0) {
    return {"workspace", false, fmt::format("{} cannot be written", folder.string())};
  }
  std::error_code error;
  const auto space = fs::space(folder, error);
  const double gib = error ? 0.0 : static_cast<double>(space.available) / (1 << 30);
  return {"workspace", gib >= 5, fmt::format("{}, {:.0f} GiB free", workspace.string(), gib)};
}

/// SQLite's write-ahead log needs shared memory, which network file systems do not have.
Check check_file_system(const fs::path& workspace) {
  try {
    const FileSystem system = file_system_at(workspace);
    const bool is_local = system.journal == JournalMode::kWal;
    return {"file system", true,
            fmt::format("{}{}: the registry's journal is {}{}", system.name,
                        is_local ? "" : ", of the network", is_local ? "WAL" : "TRUNCATE",
                        is_local ? "" : "; commands wait for each other, a local disk is faster")};
  } catch (const Error& e) {
    return {"file system", false, e.what()};
  }
}

Check check_cpu() {
  return {"cpu", true, fmt::format("{} hardware threads", std::thread::hardware_concurrency())};
}

Check check_gpus() {
  try {
    const MachineGpus gpus;
    std::vector<std::string> names;
    for (const auto& gpu : gpus.devices())
      names.push_back(fmt::format("{} {} ({})", gpu.index, gpu.name, gpu.uuid));
    return {"gpus", true, names.empty() ? "none that may be used" : join(names, ", ")};
  } catch (const Error& e) {
    return {"gpus", false, e.what()};
  }
}

/// The programs that some commands call where they are asked to: none of them has to be there.
Check check_programs() {
  const std::pair<const char*, const char*> known[] = {{"mpirun", "a run on several GPUs"},
                                                       {"curl", "expctl fetch"},
                                                       {"sbatch", "--executor slurm"},
                                                       {"qsub", "--executor pbs"}};
  std::vector<std::string> parts;
  for (const auto& [name, purpose] : known) {
    parts.push_back(is_in_path(name) ? fmt::format("{} is there", name)
                                     : fmt::format("{} is not, {} would need it", name, purpose));
  }
  return {"programs", true, join(parts, "; ")};
}

int run_doctor(const Program& program) {
  const Check checks[] = {check_worker(),
                          check_workspace(program.workspace_dir),
                          check_file_system(program.workspace_dir),
                          check_cpu(),
                          check_gpus(),
                          check_programs()};
  bool ok = true;
  Json list = Json::array();
  for (const auto& check : checks) {
    ok = ok && check.ok;
    list.push_back({{"name", check.name}, {"ok", check.ok}, {"what", check.what}});
    if (!program.json) fmt::print("{:4} {:12} {}\n", check.ok ? "ok" : "BAD", check.name, check.what);
  }
  if (program.json) {
    fmt::print(
        "{}\n",
        json_line(
            {{"schema_version", 1}, {"version", version()}, {"build_id", build_id()}, {"checks", list}}));
  }
  return ok ? 0 : static_cast<int>(ErrorCode::kError);
}

}  // namespace

void add_doctor(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("doctor", "Check what this machine has of what expctl needs");
  verb->footer("Example: expctl doctor");
  on_call(verb, program, [&program] { return run_doctor(program); });
}

}  // namespace expctl
