#include "cli/worker_call.h"

#include <fmt/core.h>

#include <csignal>

#include "cli/program.h"
#include "core/error.h"
#include "runner/attempt_files.h"
#include "runner/claim.h"
#include "runner/find_worker.h"
#include "runner/slots.h"
#include "runner/supervisor.h"

namespace expctl {

WorkerRequest make_worker_request(WorkerTask task, RunSpec spec, const std::filesystem::path& folder) {
  spec.resources.timeout_s = 0;
  GpuPool no_gpus;
  SlotPool pool(usable_cpus(), no_gpus, false);
  WorkerRequest request;
  request.task = task;
  request.run_id = folder.filename().string();
  request.attempt_token = new_token();
  request.devices = pool.take(ResourceSpec{}, false)->devices();
  request.environment = {{"OMP_NUM_THREADS", std::to_string(request.devices.threads)}};
  request.argv = {find_worker(self_path()).string(), folder.string()};
  request.spec = std::move(spec);
  return request;
}

int call_worker(const WorkerRequest& request, const std::filesystem::path& folder, const std::string& what) {
  write_attempt(request, RunPaths{folder});
  const Outcome outcome = supervise(folder, {});
  if (outcome.end == AttemptEnd::kInterrupted) return outcome.signal != 0 ? outcome.signal : SIGTERM;
  if (outcome.end != AttemptEnd::kSucceeded) throw Error(fmt::format("{} failed: {}", what, outcome.message));
  return 0;
}

}  // namespace expctl
