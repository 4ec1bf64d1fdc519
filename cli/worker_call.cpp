#include "cli/worker_call.h"

#include <fmt/core.h>

#include <csignal>

#include "cli/program.h"
#include "core/clock.h"
#include "core/error.h"
#include "runner/attempt_request.h"
#include "runner/claim.h"
#include "runner/find_worker.h"
#include "runner/supervisor.h"

namespace expctl {

LocalDevices::LocalDevices(const std::filesystem::path& worker)
    : pool_(usable_cpus(), gpus_.pool(), computes_on_gpus(worker)) {
  gpus_.pool().look(SystemClock().now_s());  // which of them are free
}

std::optional<Slot> LocalDevices::take(const ResourceSpec& wanted) {
  pool_.check({wanted, false});
  return pool_.take({wanted, false});
}

PredictionDevices::PredictionDevices(const Program& program) : machine_(find_worker(self_path())) {
  ResourceSpec wanted;
  slot_ = machine_.take(wanted);
  if (slot_) return;
  say(program, "no GPU is free: computing on the CPU");
  wanted.gpus = 0;
  slot_ = machine_.take(wanted);
}

DeviceAssignment all_cores() {
  GpuPool no_gpus;
  SlotPool pool(usable_cpus(), no_gpus, false);
  return pool.take({})->devices();
}

WorkerRequest make_worker_request(WorkerTask task, RunSpec spec, const DeviceAssignment& devices,
                                  const std::filesystem::path& folder) {
  spec.resources.timeout_s = 0;
  WorkerRequest request;
  request.task = task;
  request.run_id = folder.filename().string();
  request.attempt_token = new_token();
  request.devices = devices;
  request.environment = device_environment(devices, ResourceSpec{});
  request.argv = {find_worker(self_path()).string(), folder.string()};
  request.spec = std::move(spec);
  return request;
}

void call_worker(const WorkerRequest& request, const std::filesystem::path& folder, const std::string& what) {
  write_attempt(request, RunPaths{folder});
  const Outcome outcome = supervise(folder, {});
  if (outcome.end == AttemptEnd::kInterrupted)
    throw Interrupted{outcome.signal != 0 ? outcome.signal : SIGTERM};
  if (outcome.end != AttemptEnd::kSucceeded) throw Error(fmt::format("{} failed: {}", what, outcome.message));
}

}  // namespace expctl
