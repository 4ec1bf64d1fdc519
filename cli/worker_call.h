// One call of expctl-train by a command that waits for it, and what it computes on.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/request.h"
#include "runner/machine_gpus.h"
#include "runner/slots.h"

namespace expctl {

struct Program;

/// The cores and GPUs of this machine, lent as `expctl sweep` lends them.
class LocalDevices {
 public:
  /// `worker` is expctl-train, which may have been built without GPUs. Throws Error where there is none.
  explicit LocalDevices(const std::filesystem::path& worker);

  /// What the resources ask for; nothing while its GPUs are in use. Throws Error where this machine does not
  /// have so much.
  std::optional<Slot> take(const ResourceSpec& wanted);

 private:
  MachineGpus gpus_;
  SlotPool pool_;
};

/// What predictions are computed on while it lives: a GPU that is free, else (which is said) all cores.
class PredictionDevices {
 public:
  explicit PredictionDevices(const Program& program);

  DeviceAssignment assignment() const { return slot_->devices(); }

 private:
  LocalDevices machine_;
  std::optional<Slot> slot_;
};

/// All cores that this process may use.
DeviceAssignment all_cores();

/// The request of a task in `folder`: no time limit, expctl-train's own command line. Throws Error where
/// there is no expctl-train.
WorkerRequest make_worker_request(WorkerTask task, RunSpec spec, const DeviceAssignment& devices,
                                  const std::filesystem::path& folder);

/// A signal has ended what this program was doing: it ends with exit code 128 + signal.
struct Interrupted {
  int signal;
};

/// Does it in `folder` under a supervisor (runner/supervisor.h). Throws Interrupted, and Error "`what`
/// failed:
/// ..." where it failed.
void call_worker(const WorkerRequest& request, const std::filesystem::path& folder, const std::string& what);

}  // namespace expctl
