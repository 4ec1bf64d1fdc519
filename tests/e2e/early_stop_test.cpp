// [early_stop] on real trainings of the demo: what is pruned, what is left of it, and that another scheduler
// decides as the first would have.
#include <csignal>

#include "runner/early_stopping.h"
#include "tests/e2e/command_sweep.h"
#include "tests/e2e/short_sweep.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// The learning rate decides, and the good one comes first.
constexpr const char* kRates = R"toml(
[sweep.space]
learning_rate = [2e-3, 1e-6, 2e-6, 1.5e-3]
[early_stop]
method = "asha"
min_fraction = 0.1
reduction = 2
)toml";

void write_sweep_file(const Job& job) {
  std::string toml = kSweep;
  // Long enough that a run is told before it is at its end.
  toml.replace(toml.find("max_steps = 60"), 14, "max_steps = 800");
  toml = toml.substr(0, toml.find("[sweep]")) + "[sweep]\nseeds = [1]\n" + kRates;
  write_file(job.dir / "s.toml", toml);
}

Json state_of(const Job& job, const std::string& id) {
  return read_json(job.dir / "runs" / id / "run.json");
}

}  // namespace

TEST_CASE("a sweep prunes what does not keep up, records why, and can be replayed", "[e2e]") {
  const Job job;
  job.succeeds({"demo", "demo"});
  write_sweep_file(job);
  const ProgramResult swept = job.succeeds({"sweep", "s.toml"});
  const WorkspacePaths workspace{job.dir / "runs"};
  for (const char* id : {"run2", "run3"}) {
    CHECK(state_of(job, id)["state"] == "pruned");
    CHECK_THAT(swept.err, Catch::Contains(std::string(id) + " pruned after"));
    CHECK_THAT(state_of(job, id)["message"].get<std::string>(), Catch::StartsWith("at step 80, F1 "));
    const RunPaths paths{workspace.folder(id)};
    CHECK_FALSE(std::filesystem::exists(paths.state()));
    CHECK_FALSE(std::filesystem::exists(paths.checkpoint()));
    CHECK(std::filesystem::exists(paths.metrics()));
  }
  CHECK(state_of(job, "run1")["state"] == "succeeded");
  const auto decisions = read_decisions(workspace, "sweep1");
  REQUIRE(decisions.size() >= 5);  // each at the first rung, one at least at the second
  CHECK(fault_of_decisions(decisions).empty());
  CHECK(decisions[0].report.step == 80);
  CHECK(decisions[1].report.run_id == "run1");
  CHECK(decisions[1].report.step == 160);
  job.succeeds({"registry", "check"});

  // Typed again, nothing is left to do.
  const ProgramResult again = job.succeeds({"sweep", "s.toml"});
  CHECK_THAT(again.err, !Catch::Contains("started"));

  std::string text = read_file(workspace.decisions("sweep1"));
  text.replace(text.find("\"rank\":2"), 8, "\"rank\":1");
  write_file(workspace.decisions("sweep1"), text);
  const ProgramResult spoilt = job({"registry", "check"});
  CHECK(spoilt.exit_code != 0);
  CHECK_THAT(spoilt.out + spoilt.err, Catch::Contains("does not follow from the scores before"));
}

TEST_CASE("killed while it stops runs early, a sweep goes on to the same end", "[e2e]") {
  const Job job;
  job.succeeds({"demo", "demo"});
  write_sweep_file(job);
  const WorkspacePaths workspace{job.dir / "runs"};
  const pid_t first = spawn_sweep(job.dir);
  REQUIRE(wait_until(60, [&] {
    return std::filesystem::exists(workspace.decisions("sweep1")) &&
           read_decisions(workspace, "sweep1").size() >= 3;
  }));
  ::kill(first, SIGKILL);
  ::waitpid(first, nullptr, 0);
  const auto before = read_decisions(workspace, "sweep1");
  job.succeeds({"sweep", "s.toml"});
  const auto after = read_decisions(workspace, "sweep1");
  REQUIRE(after.size() >= before.size());
  CHECK(std::vector(after.begin(), after.begin() + static_cast<std::ptrdiff_t>(before.size())) == before);
  CHECK(fault_of_decisions(after).empty());
  CHECK(state_of(job, "run2")["state"] == "pruned");
  CHECK(state_of(job, "run3")["state"] == "pruned");
  job.succeeds({"registry", "check"});
}
