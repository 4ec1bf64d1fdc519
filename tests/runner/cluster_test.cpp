#include "runner/cluster.h"

#include <csignal>

#include "core/error.h"
#include "core/text.h"
#include "runner/cluster_executor.h"
#include "runner/pbs.h"
#include "runner/slurm.h"
#include "runner/walltime.h"
#include "tests/support/support.h"

using namespace expctl;

namespace {

JobScript example() {
  JobScript script;
  script.name = "lr 2";
  script.key = "00c0ffee";
  script.tasks = 12;
  script.gpus = 2;
  script.cpus = 8;
  script.walltime_s = 5400;
  script.executor.partition = "gpu";
  script.executor.account = "scc26";
  script.executor.max_parallel = 4;
  script.executor.extra = {"--qos=low"};
  script.expctl = "/opt/expctl/bin/expctl";
  script.folder = "/home/ann/my runs";
  script.paths = {"/home/ann/my runs/sweep1/jobs", "00c0ffee"};
  return script;
}

ToolResult said(const std::string& out, const std::string& err = "", int code = 0) {
  return {code, false, out, err};
}

std::string states(const std::optional<std::vector<ListedTask>>& tasks) {
  static const std::vector<std::string> kNames = {"unknown",   "pending",   "running",   "completed",
                                                  "failed",    "cancelled", "timed_out", "preempted",
                                                  "node_fail", "oom",       "gone"};
  if (!tasks) return "unreachable";
  std::vector<std::string> words;
  for (const auto& task : *tasks) {
    words.push_back(task.job_id + "/" + (task.index ? std::to_string(*task.index) : "*") + "=" +
                    kNames.at(static_cast<size_t>(task.state)));
  }
  return join(words, " ");
}

}  // namespace

TEST_CASE("the Slurm script asks for what the run asks for, and becomes its supervisor", "[runner]") {
  CHECK(Slurm().script(example()) == R"(#!/bin/bash
#SBATCH --job-name="expctl-lr 2"
#SBATCH --comment="expctl:00c0ffee"
#SBATCH --array=0-11%4
#SBATCH --chdir="/home/ann/my runs"
#SBATCH --output="/home/ann/my runs/sweep1/jobs/00c0ffee.log"
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --gres=gpu:2
#SBATCH --cpus-per-task=8
#SBATCH --time=1:30:00
#SBATCH --signal=B:USR1@60
#SBATCH --partition=gpu
#SBATCH --account=scc26
#SBATCH --qos=low
task=$(sed -n "$((${SLURM_ARRAY_TASK_ID:-0} + 1))p" '/home/ann/my runs/sweep1/jobs/00c0ffee.tasks')
exec /opt/expctl/bin/expctl job --attempt "${task%% *}" "${task#* }"
)");
}

TEST_CASE("the PBS script asks for what the run asks for, and becomes its supervisor", "[runner]") {
  JobScript script = example();
  script.executor.extra = {"-l place=excl"};
  CHECK(Pbs().script(script) == R"(#!/bin/bash
#PBS -N expctl-00c0ffee
#PBS -J 0-11
#PBS -W max_run_subjobs=4
#PBS -r y
#PBS -V
#PBS -j oe
#PBS -o /dev/null
#PBS -l select=1:ncpus=8:ngpus=2
#PBS -l walltime=01:30:00
#PBS -q gpu
#PBS -A scc26
#PBS -l place=excl
cd '/home/ann/my runs' || exit 1
exec >> '/home/ann/my runs/sweep1/jobs/00c0ffee.log' 2>&1
task=$(sed -n "$((${PBS_ARRAY_INDEX:-0} + 1))p" '/home/ann/my runs/sweep1/jobs/00c0ffee.tasks')
exec /opt/expctl/bin/expctl job --attempt "${task%% *}" "${task#* }"
)");
}

TEST_CASE("a run that asks for little is a short script, and for PBS no array", "[runner]") {
  JobScript script;
  script.name = "x";
  script.key = "1";
  script.expctl = "expctl";
  script.folder = "/w";
  script.paths = {"/w/sweep1/jobs", "1"};
  const std::string slurm = Slurm().script(script), pbs = Pbs().script(script);
  CHECK_THAT(slurm, Catch::Contains("--array=0-0\n"));
  for (const char* option : {"--gres", "--cpus", "--time", "--partition", "--account"})
    CHECK_THAT(slurm, !Catch::Contains(option));
  CHECK_THAT(pbs, Catch::Contains("-l select=1\n"));
  for (const char* option : {"-J", "-W", "walltime", "-q", "-A"}) CHECK_THAT(pbs, !Catch::Contains(option));
}

TEST_CASE("squeue's lines are states of tasks", "[runner]") {
  Slurm slurm;
  CHECK(states(slurm.listed(said("7|0|RUNNING|expctl:k\n7|1|PENDING|expctl:k\n7|2|CANCELLED|expctl:k\n"
                                 "7|3|OUT_OF_MEMORY|expctl:k\n7|4|TIMEOUT|expctl:k\n7|5|NODE_FAIL|expctl:k\n"
                                 "7|6|COMPLETING|expctl:k\n7|7|PREEMPTED|expctl:k\n7|8|BRAND_NEW|expctl:k\n"
                                 "9|3|RUNNING|someone's own\n8|N/A|RUNNING|a|b\n\n"))) ==
        "7/0=running 7/1=pending 7/2=cancelled 7/3=oom 7/4=timed_out 7/5=node_fail 7/6=running 7/7=preempted "
        "7/8=unknown 9/3=running");
  const auto others = slurm.listed(said("9|3|RUNNING|a comment of the site\n"));
  CHECK(others->front().key == "");
  CHECK(states(slurm.listed(said(""))).empty());
  CHECK(states(slurm.listed(
            said("", "slurm_load_jobs error: Unable to contact slurm controller (connect failure)", 1))) ==
        "unreachable");
  CHECK(states(slurm.listed({0, true, "7|0|RUNNING|expctl:k\n", ""})) == "unreachable");
}

TEST_CASE("qstat's entries are states of tasks", "[runner]") {
  Pbs pbs;
  const std::string text =
      "Job Id: 12[].host\n    Job_Name = expctl-k\n    job_state = B\n    Variable_List = A=1,\n\tB=2 = "
      "3,\n\t"
      "job_state = F\n\nJob Id: 12[0].host\n    job_state = R\n\nJob Id: 12[1].host\n    job_state = X\n"
      "    Exit_status = 0\n\nJob Id: 12[2].host\n    job_state = X\n    Exit_status = -29\n\n"
      "Job Id: 12[3].host\n    job_state = X\n    Exit_status = 271\n\nJob Id: 12[4].host\n    job_state = "
      "X\n"
      "    Exit_status = 271\n    comment = job killed: walltime 152 exceeded limit 120\n\n"
      "Job Id: 13.host\n    Job_Name = expctl-j\n    job_state = F\n    Exit_status = 2\n\n"
      "Job Id: 14.host\n    job_state = F\n";
  const auto tasks = pbs.listed(said(text, "qstat: Unknown Job Id 99.host\n", 153));
  CHECK(states(tasks) ==
        "12[].host/*=pending 12[].host/0=running 12[].host/1=completed 12[].host/2=timed_out "
        "12[].host/3=cancelled 12[].host/4=timed_out 13.host/0=failed 14.host/0=cancelled");
  CHECK(tasks->front().key == "k");
  CHECK(states(pbs.listed(said("", "qstat: cannot connect to server host (errno=15010)", 255))) ==
        "unreachable");
}

TEST_CASE("a job's id is what the cluster says, and a refusal is told in its words", "[runner]") {
  CHECK(Slurm().submitted_id(said("4242\n")) == "4242");
  CHECK(Slurm().submitted_id(said("4242;green\n", "sbatch: warning: x")) == "4242");
  CHECK(Pbs().submitted_id(said("4242[].host\n")) == "4242[].host");
  CHECK_FALSE(Slurm().submitted_id(said("", "sbatch: error: Unable to contact slurm controller", 1)));
  CHECK_FALSE(Pbs().submitted_id({137, true, "", ""}));
  CHECK_THROWS_WITH(Slurm().submitted_id(said("", "sbatch: error: Invalid qos", 1)),
                    Catch::Contains("Invalid qos"));
  CHECK_THROWS_WITH(Pbs().submitted_id(said("", "qsub: Unknown queue", 1)), Catch::Contains("Unknown queue"));
  CHECK(Slurm().job_name("7", 3) == "7_3");
  CHECK(Pbs().job_name("7[].host", 3) == "7[3].host");
  CHECK(Pbs().job_name("7.host", 0) == "7.host");
  CHECK(Slurm().cancel_command({"7_3", "7_4"}) == std::vector<std::string>{"scancel", "7_3", "7_4"});
  CHECK(Pbs().cancel_command({"7.host"}) == std::vector<std::string>{"qdel", "7.host"});
}

TEST_CASE("how an attempt on a cluster has ended follows from its folder and the cluster's word",
          "[runner]") {
  using S = TaskState;
  const auto end = [](std::optional<AttemptEnd> written, S state, bool settled, bool withdrawn = false,
                      bool may_go_on = false, int signal = 0) -> std::string {
    AttemptView view;
    view.state = state;
    view.is_settled = settled;
    view.is_withdrawn = withdrawn;
    view.may_go_on = may_go_on;
    if (written) {
      view.written.emplace();
      view.written->end = *written;
      view.written->signal = signal;
    }
    const auto outcome = end_of_attempt(view);
    if (!outcome) return "";
    return outcome->end == AttemptEnd::kFailed ? std::string(name_of(outcome->reason))
                                               : std::string(name_of(outcome->end));
  };
  const auto nothing = std::optional<AttemptEnd>();
  const auto interrupted = AttemptEnd::kInterrupted;
  // What is written is final, whatever the cluster says; an interruption has to be explained.
  CHECK(end(AttemptEnd::kSucceeded, S::kUnknown, false) == "succeeded");
  CHECK(end(AttemptEnd::kSucceeded, S::kCancelled, true) == "succeeded");
  CHECK(end(AttemptEnd::kStopped, S::kRunning, false) == "stopped");
  CHECK(end(interrupted, S::kUnknown, false) == "");
  CHECK(end(interrupted, S::kRunning, false) == "");
  CHECK(end(interrupted, S::kPending, false) == "interrupted");
  CHECK(end(interrupted, S::kFailed, false) == "interrupted");
  CHECK(end(interrupted, S::kGone, false) == "interrupted");
  CHECK(end(interrupted, S::kCancelled, false) == "stopped");
  CHECK(end(interrupted, S::kCancelled, false, true) == "interrupted");
  CHECK(end(interrupted, S::kTimedOut, false) == "timed_out");
  CHECK(end(interrupted, S::kTimedOut, false, false, true) == "interrupted");
  CHECK(end(interrupted, S::kFailed, false, false, false, SIGUSR1) == "timed_out");
  CHECK(end(interrupted, S::kFailed, false, false, true, SIGUSR1) == "interrupted");
  // Without a word nothing is concluded before the cluster has been sure for a while.
  for (const auto state : {S::kFailed, S::kGone, S::kCancelled, S::kTimedOut, S::kNodeFailed, S::kPending})
    CHECK(end(nothing, state, false) == "");
  CHECK(end(nothing, S::kUnknown, true) == "");
  CHECK(end(nothing, S::kRunning, true) == "");
  CHECK(end(nothing, S::kCompleted, true) == "lost");
  CHECK(end(nothing, S::kGone, true) == "lost");
  CHECK(end(nothing, S::kOutOfMemory, true) == "out_of_memory");
  CHECK(end(interrupted, S::kOutOfMemory, false) == "out_of_memory");
  CHECK(end(nothing, S::kPreempted, true) == "interrupted");
  CHECK(end(nothing, S::kNodeFailed, true) == "interrupted");
  CHECK(end(nothing, S::kCancelled, true) == "stopped");
  CHECK(end(nothing, S::kTimedOut, true) == "timed_out");
}

TEST_CASE("an attempt that ran out of its job's time keeps what it has written", "[runner]") {
  AttemptView view;
  view.written.emplace();
  view.written->end = AttemptEnd::kInterrupted;
  view.written->signal = SIGUSR1;
  view.written->started = 100;
  view.written->ended = 160;
  view.written->max_rss_bytes = 7;
  view.state = TaskState::kFailed;
  for (const bool may_go_on : {false, true}) {
    view.may_go_on = may_go_on;
    const Outcome outcome = end_of_attempt(view).value();
    CHECK(outcome.end == (may_go_on ? AttemptEnd::kInterrupted : AttemptEnd::kFailed));
    CHECK(outcome.started == 100);
    CHECK(outcome.ended == 160);
    CHECK(outcome.max_rss_bytes == 7);
  }
}

TEST_CASE("a PBS that keeps no history is asked without it", "[runner]") {
  Pbs pbs;
  JobArray array;
  array.job_id = "7[].host";
  CHECK(pbs.list_command({array}) == std::vector<std::string>{"qstat", "-t", "-f", "-x", "7[].host"});
  CHECK_FALSE(pbs.listed(said("", "qstat: PBS is not configured to maintain job history\n", 35)));
  CHECK(pbs.list_command({array}) == std::vector<std::string>{"qstat", "-t", "-f", "7[].host"});
  CHECK(pbs.listed(said("", "qstat: Unknown Job Id 7[].host", 153))->empty());
}

TEST_CASE("more arrays of a sweep keep to its cap together", "[runner]") {
  CHECK(may_submit(50, 0, 0) == 50);
  CHECK(may_submit(50, 10, 0) == 50);
  CHECK(may_submit(5000, 0, 4) == 1000);
  CHECK(may_submit(50, 0, 4) == 50);  // the array itself keeps to it
  CHECK(may_submit(50, 4, 4) == 0);
  CHECK(may_submit(50, 3, 4) == 1);
  CHECK(may_submit(1, 1, 4) == 1);
}

TEST_CASE("a job's walltime leaves time to save", "[runner]") {
  RunSpec spec;
  CHECK(job_walltime_s(spec) == 0);
  CHECK(usable_walltime_s(spec) == 0);
  spec.resources.timeout_s = 3600;
  CHECK(job_walltime_s(spec) == 3780);
  CHECK(usable_walltime_s(spec) > 3600);  // the run's own limit comes first
  spec.executor.time_s = 600;
  CHECK(job_walltime_s(spec) == 600);
  CHECK(usable_walltime_s(spec) == 540);
  spec.executor.time_s = 60;
  CHECK(usable_walltime_s(spec) == 40);
}

TEST_CASE("times as clusters write them", "[runner]") {
  CHECK(seconds_of("5:00") == 300);
  CHECK(seconds_of("01:30:00") == 5400);
  CHECK(seconds_of("2-03:04:05") == 2 * 86400 + 3 * 3600 + 4 * 60 + 5);
  for (const char* text : {"UNLIMITED", "NOT_SET", "", "1-", "x-1:00", "1:-5"}) CHECK_FALSE(seconds_of(text));
}

TEST_CASE("a request is claimed once, and again only by the same job that was requeued", "[runner]") {
  Claim claim;
  claim.job = "7_3";
  claim.restart = 1;
  CHECK(may_take_over(claim, false, {"7_3", 2, 0}));
  CHECK_FALSE(may_take_over(claim, false, {"7_3", 1, 0}));
  CHECK(may_take_over(claim, true, {"7_3", 1, 0}));
  CHECK_FALSE(may_take_over(claim, true, {"8_3", 2, 0}));
  CHECK_FALSE(may_take_over(claim, true, {}));
  claim.job = "";
  CHECK_FALSE(may_take_over(claim, true, {}));

  const test::TempDir folder;
  const RunPaths paths{folder.path()};
  WorkerRequest request;
  request.attempt_token = "t";
  request.attempt = 3;
  const Claim first = take_claim(request, paths, {"7_3", 0, 0}, 100);
  CHECK(first.attempt == 3);
  CHECK_THROWS_WITH(take_claim(request, paths, {"9_3", 5, 0}, 101),
                    Catch::Contains("attempt 3 has been taken"));
  CHECK(is_current(first, paths));
  const Claim second = take_claim(request, paths, {"7_3", 1, 0}, 102);
  CHECK(second.attempt == 4);
  CHECK_FALSE(is_current(first, paths));
  CHECK(is_current(second, paths));
  CHECK(attempt_token(first) == "t");
  CHECK(attempt_token(second) == "t.1");
  CHECK(read_claims(paths, "t").size() == 2);
  CHECK(read_claims(paths, "another").empty());
}
