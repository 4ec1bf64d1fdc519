// `expctl predict ID|CHECKPOINT_DIR --input FILE`: predictions, n-best and inference statistics for other
// questions.
#include <fmt/core.h>

#include <random>
#include <string>

#include "cli/program.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/request.h"
#include "core/text.h"
#include "registry/registry.h"
#include "runner/attempt_files.h"
#include "runner/find_worker.h"
#include "runner/slots.h"
#include "runner/supervisor.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

struct PredictOptions {
  std::string what;  ///< id or folder
  fs::path input;
  fs::path out;
};

bool is_checkpoint(const fs::path& folder) {
  return fs::is_regular_file(CheckpointPaths{folder}.config());
}

/// The training keys (for length, stride, decoding) and the checkpoint that `what` means.
RunSpec find_model(const Program& program, const std::string& what) {
  if (is_checkpoint(what)) {
    RunSpec spec;
    spec.name = fs::path(what).lexically_normal().filename().string();
    spec.train = resolve(spec.train);
    spec.init.path = fs::absolute(what).lexically_normal().string();
    return spec;
  }
  if (fs::is_directory(what)) {
    throw Error(fmt::format("{}: no config.json in it", what),
                "a checkpoint folder in Hugging Face's layout is wanted", ErrorCode::kNotFound);
  }
  const RunRecord run = Registry::open_existing(program.workspace().registry()).resolve_run(what);
  const RunPaths paths{program.workspace().folder(run.id)};
  if (!is_checkpoint(paths.checkpoint())) {
    throw Error(fmt::format("{} has no checkpoint", run.id), fmt::format("it is {}", name_of(run.state)),
                ErrorCode::kNotFound);
  }
  RunSpec spec = run_spec_from_json(run.spec, "registry: spec of " + run.id);
  spec.command = {};
  spec.init.path = paths.checkpoint().string();
  return spec;
}

WorkerRequest make_predict_request(RunSpec spec, const PredictOptions& options, const RunPaths& out) {
  spec.train_data = {};
  spec.dev_data = {fs::absolute(options.input).lexically_normal().string(), sha256_file(options.input)};
  spec.init.sha256 = sha256_folder(spec.init.path);
  spec.resources.timeout_s = 0;
  SlotPool pool(usable_cpus());
  WorkerRequest request;
  request.task = WorkerTask::kPredict;
  request.run_id = out.folder.filename().string();
  request.attempt_token = fmt::format("{:08x}{:08x}", std::random_device{}(), std::random_device{}());
  request.devices = pool.take(spec)->devices();
  request.environment = {{"OMP_NUM_THREADS", std::to_string(request.devices.threads)}};
  request.argv = {find_worker(self_path()).string(), out.folder.string()};
  request.spec = std::move(spec);
  return request;
}

fs::path output_folder(const PredictOptions& options) {
  const fs::path fallback =
      fmt::format("predictions-{}", fs::path(options.what).lexically_normal().filename().string());
  const fs::path folder = fs::absolute(options.out.empty() ? fallback : options.out).lexically_normal();
  if (fs::exists(folder) && !fs::is_empty(folder)) {
    throw Error(fmt::format("{} is not empty", folder.string()), "--out names a new folder");
  }
  return folder;
}

int predict(const Program& program, const PredictOptions& options) {
  if (!fs::is_regular_file(options.input)) {
    throw Error(fmt::format("{}: no such file", options.input.string()), "--input names a SQuAD 1.1 file",
                ErrorCode::kNotFound);
  }
  const RunPaths out{output_folder(options)};
  const WorkerRequest request = make_predict_request(find_model(program, options.what), options, out);
  write_attempt(request, out);
  const Outcome outcome = supervise(out.folder, {});
  if (outcome.end == AttemptEnd::kInterrupted) return 130;
  if (outcome.end != AttemptEnd::kSucceeded) {
    throw Error(fmt::format("predicting failed: {}", outcome.message),
                fmt::format("the whole log is {}", out.log().string()));
  }
  const bool scored = fs::exists(out.eval());
  if (program.json) {
    fmt::print("{}", json_text({{"schema_version", 1},
                                {"folder", out.folder.string()},
                                {"predictions", out.predictions().string()},
                                {"eval", scored ? read_json(out.eval()) : Json()}}));
  } else {
    fmt::print("{}\n", out.predictions().string());
    if (scored) fmt::print("{}", read_file(out.eval()));
  }
  return 0;
}

}  // namespace

void add_predict(CLI::App& app, Program& program) {
  auto* verb =
      app.add_subcommand("predict", "Predict the answers of other questions with a run's or any checkpoint");
  auto options = std::make_shared<PredictOptions>();
  verb->add_option("MODEL", options->what, "A run's id, or a checkpoint folder")->required();
  verb->add_option("--input", options->input, "SQuAD 1.1 file; answers are not needed")->required();
  verb->add_option("--out", options->out, "A new folder (default: predictions-MODEL)");
  verb->callback(
      [&program, options] { program.action = [&program, options] { return predict(program, *options); }; });
}

}  // namespace expctl
