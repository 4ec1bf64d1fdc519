// `expctl sweep` on a machine of 8 GPUs that do not exist.
#include <algorithm>
#include <map>

#include "core/text.h"
#include "tests/e2e/command_sweep.h"
#include "tests/support/fake_gpus.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// Each job notes its GPUs and when it had them.
void write_gpu_sweep(const TempDir& folder, const std::string& script, const std::string& more) {
  write_file(folder / "s.toml",
             "[command]\nargv = [\"/bin/sh\", \"-c\", \"echo $CUDA_VISIBLE_DEVICES > devices; "
             "date +%s%N > begin; " +
                 script + "; date +%s%N > end\"]\n" + more);
}

struct Use {
  int64_t begin, end;
  std::string run;
};

/// When each GPU was used, and by whom.
std::map<std::string, std::vector<Use>> uses_of(const TempDir& folder, const Json& runs) {
  std::map<std::string, std::vector<Use>> uses;
  for (const auto& run : runs) {
    const auto id = run["id"].get<std::string>();
    const std::filesystem::path of = folder / ("runs/" + id);
    for (const auto& gpu : split(trim(read_file(of / "devices")), ','))
      uses[gpu].push_back({std::stoll(read_file(of / "begin")), std::stoll(read_file(of / "end")), id});
  }
  return uses;
}

ProgramResult sweep_on(const FakeGpus& gpus, const TempDir& folder, std::vector<std::string> more = {}) {
  auto words = sweep_argv(folder);
  words.insert(words.end(), more.begin(), more.end());
  return run_program(words, {}, gpus.environment());
}

}  // namespace

TEST_CASE("jobs of 1, 2 and 4 GPUs fill 8 of them, and no two ever share one", "[e2e]") {
  const TempDir folder;
  const FakeGpus gpus(8);
  write_gpu_sweep(folder, "sleep $(printf 0.%03d $((10 + {seed} * 37 % 190)))",
                  "[sweep]\nseeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]\n"
                  "[sweep.space]\ngpus = [1, 4, 2]\n");
  const ProgramResult result = sweep_on(gpus, folder);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const Json runs = Json::parse(result.out)["runs"];
  REQUIRE(runs.size() == 48);
  for (const auto& run : runs) {
    CHECK(run["state"] == "succeeded");
    const auto id = run["id"].get<std::string>();
    const auto devices = split(trim(read_file(folder / ("runs/" + id + "/devices"))), ',');
    CHECK(static_cast<int64_t>(devices.size()) == run["params"]["gpus"].get<int64_t>());
  }
  auto uses = uses_of(folder, runs);
  CHECK(uses.size() == 8);
  for (auto& [gpu, its] : uses) {
    std::sort(its.begin(), its.end(), [](const Use& a, const Use& b) { return a.begin < b.begin; });
    for (size_t i = 1; i < its.size(); ++i) {
      INFO(gpu << ": " << its[i - 1].run << " and " << its[i].run);
      CHECK(its[i - 1].end <= its[i].begin);
    }
  }
}

TEST_CASE("runs_per_gpu lets so many runs share a GPU, and gpus = 0 hides all of them", "[e2e]") {
  const TempDir folder;
  const FakeGpus gpus(1);
  write_gpu_sweep(folder, "while [ $(ls ../*/begin | wc -l) -lt 2 ]; do sleep 0.05; done",
                  "[sweep]\nseeds = [1, 2]\n[resources]\nruns_per_gpu = 2\n");
  const ProgramResult result = sweep_on(gpus, folder);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);  // each has seen the other begin
  CHECK(read_file(folder / "runs/run1/devices") == fake_uuid(0) + "\n");
  CHECK(read_file(folder / "runs/run2/devices") == fake_uuid(0) + "\n");

  const TempDir none;
  write_gpu_sweep(none, "test -n ${{CUDA_VISIBLE_DEVICES+set}", "[resources]\ngpus = 0\n");
  CHECK(sweep_on(gpus, none).exit_code == 0);
  CHECK(read_file(none / "runs/run1/devices") == "\n");
}

TEST_CASE("numbers in place of UUIDs, an inherited mask, and --gpus", "[e2e]") {
  const TempDir folder;
  const FakeGpus gpus(4);
  write_gpu_sweep(folder, "echo $CUDA_DEVICE_ORDER > order", "[resources]\nvisible_devices = \"index\"\n");
  auto environment = gpus.environment();
  environment.push_back("CUDA_VISIBLE_DEVICES=3,2");
  auto words = sweep_argv(folder);
  words.push_back("--gpus=2");
  const ProgramResult result = run_program(words, {}, environment);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(read_file(folder / "runs/run1/devices") == "2\n");
  CHECK(read_file(folder / "runs/run1/order") == "PCI_BUS_ID\n");
  words.back() = "--gpus=1";
  const ProgramResult refused = run_program(words, {}, environment);
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err, Catch::Contains("--gpus: '1' names no GPU that is left to choose"));
}

TEST_CASE("a GPU that another program uses is left alone, and more than there are is refused", "[e2e]") {
  const TempDir folder;
  const FakeGpus gpus(2);
  gpus.use(fake_uuid(0), 30'000);
  write_gpu_sweep(folder, "true", "[sweep]\nseeds = [1, 2, 3]\n");
  const ProgramResult result = sweep_on(gpus, folder);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.err,
             Catch::Contains(fake_uuid(0) + ") is set aside: another program uses 29.3 GiB of it"));
  for (const char* id : {"run1", "run2", "run3"})
    CHECK(read_file(folder / (std::string("runs/") + id + "/devices")) == fake_uuid(1) + "\n");

  write_gpu_sweep(folder, "true ", "[resources]\ngpus = 3\n");
  const ProgramResult refused = sweep_on(gpus, folder);
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Catch::Contains("gpus = 3: there are 2 GPUs to use"));
}

TEST_CASE("runs that need a GPU which is set aside hold up no others", "[e2e]") {
  const TempDir folder;
  const FakeGpus gpus(2);
  gpus.use(fake_uuid(0), 30'000);
  std::string seeds = "1";
  for (int seed = 2; seed <= 25; ++seed) seeds += ", " + std::to_string(seed);
  // The last of the small ones frees the GPU.
  write_gpu_sweep(
      folder,
      "test $(ls -d ../*/end | wc -l) -lt 24 || rm " + (gpus.folder() / ("used/" + fake_uuid(0))).string(),
      "[sweep]\nseeds = [" + seeds + "]\n[sweep.space]\ngpus = [2, 1]\n");
  auto words = sweep_argv(folder);
  words.push_back("--until=60s");
  const ProgramResult result = run_program(words, {}, gpus.environment());
  INFO(result.err);
  CHECK_THAT(result.err, Catch::Contains("is free again"));
  for (const auto& run : Json::parse(result.out)["runs"]) CHECK(run["state"] == "succeeded");
}
