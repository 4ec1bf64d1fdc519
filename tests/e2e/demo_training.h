// request.json for trainings of the demo.
#pragma once

#include "core/files.h"
#include "core/request.h"
#include "core/run_paths.h"
#include "tests/support/support.h"

namespace expctl::test {

/// A training of the demo that lies in `dir`, three epochs without dropout on 2 threads.
inline WorkerRequest demo_request(const TempDir& dir) {
  WorkerRequest request;
  request.run_id = "run1";
  request.devices.threads = 2;
  TrainSpec& train = request.spec.train;
  train.epochs = 3;
  train.max_answer_length = 8;
  train.learning_rate = 2e-3;
  train.warmup_ratio = 0.1;
  train.hidden_dropout = train.attention_dropout = 0;
  train.max_seq_length = 192;
  train.doc_stride = 64;
  train.precision = train.eval_precision = "fp32";
  request.spec.train_data.path = dir / "demo/train.json";
  request.spec.dev_data.path = dir / "demo/dev.json";
  request.spec.init.path = dir / "demo/model";
  return request;
}

inline void write_request_file(WorkerRequest request, const std::filesystem::path& run) {
  request.spec.train = resolve(request.spec.train);
  make_folder(run);
  write_file(RunPaths{run}.request(), json_text(to_json(request)));
}

}  // namespace expctl::test
