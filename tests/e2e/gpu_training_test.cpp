// Trainings by the CUDA path, from the sweep to an ensemble's predictions, on GPUs that the CPU plays
// (tests/emulated_gpu).
#include "core/json.h"
#include "core/run_paths.h"
#include "tests/e2e/short_sweep.h"
#include "tests/support/fake_gpus.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

constexpr const char* kGpuSweep = R"toml(
[data]
train = "demo/train.json"
dev = "few.json"
[model]
init = "demo/model"
[train]
max_steps = 3
batch_size = 4
learning_rate = 1e-3
max_seq_length = 96
doc_stride = 32
precision = "bf16"
[sweep]
seeds = [1, 2, 3]
)toml";

fs::path emulated_library() {
  return bin_dir() / "emulated_gpu/libexpctl_cuda.so";
}

/// The programs beside a library that computes on GPUs which are not there.
struct GpuMachine {
  TempDir programs;
  FakeGpus gpus{2};
  Job job;

  GpuMachine() {
    for (const char* program : {"expctl", "expctl-train"})
      fs::copy_file(bin_dir() / program, programs / program);
    fs::create_symlink(emulated_library(), programs / "libexpctl_cuda.so");
    job.expctl = (programs / "expctl").string();
    job.environment = gpus.environment();
    job.environment.emplace_back("OMP_NUM_THREADS=1");
    job.succeeds({"demo", "demo"});
    Json few = read_json(job.dir / "demo/dev.json");
    Json& articles = few["data"];
    articles.erase(articles.begin() + 1, articles.end());
    Json& paragraphs = articles[0]["paragraphs"];
    paragraphs.erase(paragraphs.begin() + 2, paragraphs.end());
    write_file(job.dir / "few.json", json_text(few));
    write_file(job.dir / "s.toml", kGpuSweep);
  }

  RunPaths run(const std::string& id) const { return {job.dir / ("runs/" + id)}; }
};

}  // namespace

TEST_CASE("a sweep trains on GPUs, and what it has trained is evaluated and combined there", "[e2e]") {
  SKIP_UNLESS(fs::exists(emulated_library()), "the CUDA path is not built");
  const GpuMachine machine;
  const Job& job = machine.job;
  job.succeeds({"sweep", "s.toml"});
  for (const char* id : {"run1", "run2", "run3"}) {
    const Json environment = read_json(machine.run(id).environment());
    CHECK(environment["gpu"] == "emulated GPU");
    CHECK(environment["precision"] == "bf16");
    CHECK(read_json(machine.run(id).request())["devices"]["gpus"].size() == 1);
  }
  CHECK(read_json(machine.run("run1").request())["devices"] !=
        read_json(machine.run("run2").request())["devices"]);

  // As the run was evaluated, on a GPU like it: the same bytes.
  job.succeeds({"evaluate", "run1"});
  const RunPaths again = machine.run("run1").evaluation("96-32");
  CHECK(read_file(again.logits()) == read_file(machine.run("run1").logits()));
  CHECK(read_json(again.environment())["gpu"] == "emulated GPU");
  CHECK_THAT(job.succeeds({"runs", "replay", "run1", "--check"}).out, !Contains("differs"));

  job.succeeds({"ensemble", "run1", "run2"});
  job.succeeds({"predict", "ens1", "--input", "few.json", "--out", "there"});
  CHECK(read_file(job.dir / "there/predictions.json") == read_file(machine.run("ens1").predictions()));

  // What others compute on a GPU is left to them.
  for (int i = 0; i < 2; ++i) machine.gpus.use(fake_uuid(i), 9000);
  const auto beside = job.succeeds({"predict", "run1", "--input", "few.json", "--out", "here"});
  CHECK_THAT(beside.err, Contains("no GPU is free: computing on the CPU"));
  CHECK(!read_json(job.dir / "here/environment.json").contains("gpu"));
}
