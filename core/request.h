// request.json: everything that the supervisor (`expctl job`) and the worker (expctl-train) need to do one
// attempt, so that it can be replayed by hand from the folder alone.
#pragma once

#include <string>
#include <vector>

#include "core/run_spec.h"

namespace expctl {

enum class WorkerTask {
  kTrain,  ///< train from spec.init on spec.train_data, then predict spec.dev_data (where given) and score it
  kPredict,  ///< load spec.init (a checkpoint), predict spec.dev_data; scored only where that file has
             ///< answers
  kConvert,  ///< load spec.init, write it as checkpoint/
};

/// Where an attempt computes.
struct DeviceAssignment {
  std::vector<std::string> gpus;  ///< UUIDs, or indices where visible_devices = "index"; empty: on the CPU
  int threads = 1;                ///< OMP_NUM_THREADS; 0: those of a cluster's job, not known beforehand
  std::vector<int> cpu_ids;       ///< affinity; empty: not bound
};

struct WorkerRequest {
  WorkerTask task = WorkerTask::kTrain;
  std::string run_id;
  int attempt = 1;
  std::string attempt_token;  ///< unique to this attempt: outcome.json is claimed by it
  RunSpec spec;
  DeviceAssignment devices;
  std::vector<std::string> argv;  ///< the exact command line that the supervisor starts
  std::vector<std::pair<std::string, std::string>> environment;  ///< set on top of the inherited one

  // To train beside another program and compare (bench/parity); the runner asks for neither.
  std::string order;            ///< file of the data order (trainer/data_order.h); "": that of seed_data
  bool save_gradients = false;  ///< those of the first step go to gradients.safetensors
};

Json to_json(const WorkerRequest& request);
WorkerRequest worker_request_from_json(const Json& json, const std::string& source);

}  // namespace expctl
