// One run on several ranks: expctl-train under mpirun, by hand and by `expctl sweep`.
#include <fmt/core.h>

#include <cmath>
#include <map>

#include "core/text.h"
#include "tests/e2e/command_sweep.h"
#include "tests/e2e/demo_training.h"
#include "tests/e2e/short_sweep.h"
#include "tests/support/fake_gpus.h"
#include "tests/support/one_node_slurm.h"

using namespace expctl;
using namespace expctl::test;

namespace {

const std::string kTrain = (bin_dir() / "expctl-train").string();

/// "" where ranks can be started, else why not.
std::string obstacle() {
  if (run_program({"/bin/sh", "-c", "command -v mpirun"}).exit_code != 0) return "Open MPI is not installed";
  return std::filesystem::exists(bin_dir() / "libexpctl_mpi.so") ? "" : "this build has no libexpctl_mpi.so";
}

struct Demo {
  TempDir dir;
  WorkerRequest request;

  Demo() {
    REQUIRE(run_program({(bin_dir() / "expctl").string(), "demo", (dir / "demo").string()}).exit_code == 0);
    request = demo_request(dir);
    request.spec.dev_data.path = "";
    request.spec.train.max_steps = 50;
    request.spec.train.learning_rate = 1e-4;
  }

  RunPaths folder(const std::string& name) const {
    write_request_file(request, dir / name);
    return {dir / name};
  }
};

std::string ranks_line(int ranks, const RunPaths& run) {
  return fmt::format("mpirun --allow-run-as-root --bind-to none --oversubscribe -np {} {} {}", ranks, kTrain,
                     run.folder.string());
}

ProgramResult shell(const std::string& script) {
  return run_program({"/bin/sh", "-c", script});
}

/// Runs it on so many ranks; 1: without a launcher. What it prints.
std::string train(int ranks, const RunPaths& run) {
  const auto trained =
      ranks == 1 ? run_program({kTrain, run.folder.string()}) : shell(ranks_line(ranks, run));
  INFO(trained.out << trained.err);
  REQUIRE(trained.exit_code == 0);
  return trained.out;
}

/// Runs it on two ranks, and once it has done 20 steps sends `signal` to the second.
ProgramResult train_and_signal(const RunPaths& run, const std::string& signal) {
  return shell(ranks_line(2, run) + fmt::format(R"sh( &
for look in $(seq 600); do grep -q '"step":20,' {0}/metrics.jsonl 2>/dev/null && break; sleep 0.05; done
for rank in $(cat /proc/$!/task/*/children); do
  tr '\0' '\n' < /proc/$rank/environ | grep -qx OMPI_COMM_WORLD_RANK=1 && kill -{1} $rank
done
wait $!)sh",
                                                run.folder.string(), signal));
}

std::vector<double> losses(const RunPaths& run) {
  std::vector<double> all;
  for (const auto& line : split(trim(read_file(run.metrics())), '\n'))
    all.push_back(parse_json(line, "metrics.jsonl")["loss"].get<double>());
  return all;
}

std::string weights(const RunPaths& run) {
  return read_file(run.checkpoint() / "model.safetensors");
}

/// `expctl sweep` of one run on two GPUs that do not exist. What each rank would do on its GPU, it does on
/// the CPU in the folder cpu, by an expctl-train that stands beside this expctl.
struct GpuSweep {
  TempDir folder;
  FakeGpus gpus{2};
  std::string expctl = (folder / "bin/expctl").string();

  explicit GpuSweep(const std::string& more) {
    make_folder(folder / "bin");
    std::filesystem::copy(bin_dir() / "expctl", expctl);
    const auto worker = folder / "bin/expctl-train";
    write_file(worker, fmt::format(R"sh(#!/bin/sh
mkdir -p $1/cpu
rank=$OMPI_COMM_WORLD_RANK
echo "$rank of $OMPI_COMM_WORLD_SIZE, $CUDA_VISIBLE_DEVICES, slurm: $SLURM_JOB_ID" > $1/cpu/rank$rank
tr -d '\n' < $1/request.json | sed -E 's/"gpus": *\[[^]]*\]/"gpus": []/' > $1/cpu/request$rank
mv $1/cpu/request$rank $1/cpu/request.json
test $rank = 1 && test -e {0}/die && kill -9 $$
exec {1} $1/cpu
)sh",
                                   folder.path().string(), kTrain));
    std::filesystem::permissions(worker, std::filesystem::perms::owner_all);
    REQUIRE(run_program({expctl, "demo", (folder / "demo").string()}).exit_code == 0);
    std::string text = kSweep;
    text.replace(text.find("[1, 2]"), 6, "[1]");
    write_file(folder / "s.toml", text + "[resources]\ngpus = 2\nretries = 0\n" + more);
  }

  std::vector<std::string> argv() const {
    auto words = sweep_argv(folder);
    words[0] = expctl;
    return words;
  }
  RunPaths run() const { return {folder / "runs/run1"}; }
  RunPaths cpu() const { return {folder / "runs/run1/cpu"}; }
};

}  // namespace

TEST_CASE("two ranks train as one with the whole batch, with and without dropout, and the same every time",
          "[e2e]") {
  SKIP_UNLESS(obstacle().empty(), obstacle().c_str());
  Demo demo;
  for (const double dropout : {0.0, 0.1}) {
    INFO("dropout " << dropout);
    demo.request.spec.train.hidden_dropout = demo.request.spec.train.attention_dropout = dropout;
    const auto name = [&](const std::string& run) { return run + (dropout > 0 ? "-dropout" : ""); };
    const RunPaths one = demo.folder(name("one")), two = demo.folder(name("two")),
                   again = demo.folder(name("again"));
    train(1, one);
    CHECK(split(trim(train(2, two)), '\n').size() == 1);  // one of them tells
    train(2, again);
    const auto a = losses(one), b = losses(two);
    REQUIRE(a.size() == 50);
    REQUIRE(b.size() == 50);
    double largest = 0;
    for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] / b[i] - 1));
    INFO("largest relative difference of a loss: " << largest);
    CHECK(largest < 1e-5);
    CHECK(a != b);  // else the sums would not be of two parts
    CHECK(b == losses(again));
    CHECK(weights(two) == weights(again));
    CHECK(read_json(two.environment())["ranks"] == 2);
  }
}

TEST_CASE("more ranks than features in a batch: those without any wait for the others", "[e2e]") {
  SKIP_UNLESS(obstacle().empty(), obstacle().c_str());
  Demo demo;
  demo.request.spec.train.batch_size = 2;
  demo.request.spec.train.max_steps = 10;
  const RunPaths one = demo.folder("one"), three = demo.folder("three");
  train(1, one);
  train(3, three);
  const auto a = losses(one), b = losses(three);
  REQUIRE(b.size() == 10);
  for (size_t i = 0; i < a.size(); ++i) CHECK(b[i] == Approx(a[i]).epsilon(1e-5));
}

TEST_CASE("TERM to any rank ends all of them at one step, and they go on from it to the same bits", "[e2e]") {
  SKIP_UNLESS(obstacle().empty(), obstacle().c_str());
  Demo demo;
  demo.request.spec.train.max_steps = 150;
  demo.request.spec.train.hidden_dropout = 0.1;
  const RunPaths straight = demo.folder("straight"), ended = demo.folder("ended");
  train(2, straight);
  const ProgramResult first = train_and_signal(ended, "TERM");
  INFO(first.out << first.err);
  CHECK(first.exit_code == 143);
  const size_t done = losses(ended).size();
  CHECK(done >= 20);
  REQUIRE(done < 150);
  REQUIRE(std::filesystem::exists(ended.state()));
  std::filesystem::copy(ended.folder, demo.dir / "alone", std::filesystem::copy_options::recursive);
  train(2, ended);
  CHECK(losses(ended) == losses(straight));
  CHECK(weights(ended) == weights(straight));
  // Another number of ranks goes on from it too, and says that the last bits may differ.
  const RunPaths alone{demo.dir / "alone"};
  const ProgramResult other = run_program({kTrain, alone.folder.string()});
  CHECK(other.exit_code == 0);
  CHECK_THAT(other.out, Catch::Contains("2 ranks; here it is") &&
                            Catch::Contains("going on from step " + std::to_string(done)));
  CHECK(losses(alone).back() == Approx(losses(straight).back()).epsilon(1e-4));
}

TEST_CASE("a rank that dies ends the run, and the message names it", "[e2e]") {
  SKIP_UNLESS(obstacle().empty(), obstacle().c_str());
  Demo demo;
  demo.request.spec.train.max_steps = 5000;
  const RunPaths run = demo.folder("run");
  const ProgramResult killed = train_and_signal(run, "KILL");
  CHECK(killed.exit_code == 137);
  CHECK_THAT(killed.out + killed.err, Catch::Contains("process rank 1") && Catch::Contains("signal 9"));
  CHECK(losses(run).size() < 5000);
  CHECK_FALSE(someone_in(run.folder));
  // An error of a rank has its number in front.
  demo.request.spec.init.path = demo.dir / "nowhere";
  const ProgramResult failed = shell(ranks_line(2, demo.folder("failed")));
  CHECK(failed.exit_code != 0);
  CHECK_THAT(failed.err, Catch::Contains("expctl-train: rank ") && Catch::Contains("nowhere"));
}

TEST_CASE("gpus = 2: a sweep starts a rank a GPU, and a rank that dies is named in the run's outcome",
          "[e2e]") {
  SKIP_UNLESS(obstacle().empty(), obstacle().c_str());
  const GpuSweep sweep("");
  write_file(sweep.folder / "die", "");
  const auto environment = sweep.gpus.environment();
  const ProgramResult died = run_program(sweep.argv(), {}, environment);
  INFO(died.err);
  CHECK(died.exit_code == 4);
  const Json outcome = read_json(sweep.run().outcome());
  CHECK(outcome["reason"] == "signal");
  CHECK(outcome["signal"] == 9);
  CHECK(outcome["message"] == "rank 1 was ended by signal 9 (Killed)");
  CHECK_FALSE(someone_in(sweep.folder.path()));

  std::filesystem::remove(sweep.folder / "die");
  auto again = sweep.argv();
  again.push_back("--retry-failed");
  const ProgramResult result = run_program(again, {}, environment);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const std::string both = fake_uuid(0) + "," + fake_uuid(1);
  CHECK(read_file(sweep.cpu().folder / "rank0") == "0 of 2, " + both + ", slurm: \n");
  CHECK(read_file(sweep.cpu().folder / "rank1") == "1 of 2, " + both + ", slurm: \n");
  CHECK_THAT(read_file(sweep.run().command()), Catch::Contains(" mpirun --allow-run-as-root -np 2 "));
  CHECK(read_json(sweep.cpu().environment())["ranks"] == 2);
  CHECK(losses(sweep.cpu()).size() == 60);
}

TEST_CASE("gpus = 2: stopped by a person, the ranks save their state first", "[e2e]") {
  SKIP_UNLESS(obstacle().empty(), obstacle().c_str());
  const GpuSweep sweep("");
  std::string text = read_file(sweep.folder / "s.toml");
  write_file(sweep.folder / "s.toml", text.replace(text.find("max_steps = 60"), 14, "max_steps = 50000"));
  std::string line;
  for (const auto& word : sweep.gpus.environment()) line += word + " ";
  for (const auto& word : sweep.argv()) line += word + " ";
  const ProgramResult result = shell(line + fmt::format(R"sh( &
for look in $(seq 600); do grep -q '"step":20,' {0}/runs/run1/cpu/metrics.jsonl 2>/dev/null && break; sleep 0.05; done
{0}/bin/expctl --workspace {0}/runs stop run1 >&2
wait $!)sh",
                                                        sweep.folder.path().string()));
  INFO(result.err);
  const Json outcome = read_json(sweep.run().outcome());
  CHECK(outcome["state"] == "stopped");
  CHECK(outcome["exit_code"] == 143);
  CHECK(std::filesystem::exists(sweep.cpu().state()));
  CHECK_FALSE(someone_in(sweep.folder.path()));
}

TEST_CASE("gpus = 2 without mpirun is an error before anything starts", "[e2e]") {
  const GpuSweep sweep("");
  auto environment = sweep.gpus.environment();
  environment.push_back("PATH=" + (sweep.folder / "bin").string());
  for (const auto& more : {std::vector<std::string>{"--dry-run"}, std::vector<std::string>{}}) {
    auto words = sweep.argv();
    words.insert(words.end(), more.begin(), more.end());
    const ProgramResult refused = run_program(words, {}, environment);
    CHECK(refused.exit_code == 1);
    CHECK_THAT(refused.err,
               Catch::Contains("mpirun, which is not in PATH") && Catch::Contains("openmpi-bin"));
    CHECK_FALSE(std::filesystem::exists(sweep.folder / "runs"));
  }
}

TEST_CASE("gpus = 2 in a job of Slurm: the ranks are the run's own, not the job's tasks", "[e2e]") {
  SKIP_UNLESS(obstacle().empty(), obstacle().c_str());
  SKIP_UNLESS(OneNodeSlurm::obstacle().empty(), OneNodeSlurm::obstacle().c_str());
  OneNodeSlurm slurm;
  const GpuSweep sweep("[executor]\nkind = \"slurm\"\n");
  const ProgramResult result = run_program(sweep.argv());
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(read_file(sweep.cpu().folder / "rank1") == "1 of 2, 0,1, slurm: \n");
  CHECK(losses(sweep.cpu()).size() == 60);
}
