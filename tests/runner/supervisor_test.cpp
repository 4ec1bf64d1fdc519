// Real processes: /bin/sh scripts in place of a worker, supervised in this process.
#include "runner/supervisor.h"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "core/error.h"
#include "core/files.h"
#include "core/worker_exit.h"
#include "runner/attempt_request.h"
#include "runner/process_table.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

namespace {

/// Tests run side by side: each process has a token of its own.
const std::string kToken = "supervisor-test-" + std::to_string(::getpid());

/// One attempt of `sh -c script`.
WorkerRequest request_for(const std::string& script, bool command = true) {
  WorkerRequest request;
  request.run_id = "run1";
  request.attempt_token = kToken;
  request.argv = {"/bin/sh", "-c", script};
  request.environment = {{kAttemptVariable, kToken}};
  if (command) request.spec.command.argv = request.argv;
  return request;
}

Outcome run(const WorkerRequest& request, const TempDir& folder, SupervisorOptions options = {}) {
  options.grace_s = 0.5;
  options.orphan_grace_s = 0.3;
  write_attempt(request, {folder.path()});
  return supervise(folder.path(), options);
}

/// Sends this process a signal after a while.
std::thread signal_later(int signal, double delay_s) {
  return std::thread([=] {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    std::this_thread::sleep_for(std::chrono::duration<double>(delay_s));
    ::kill(::getpid(), signal);
  });
}

}  // namespace

TEST_CASE("every way in which a worker can end has its outcome", "[runner]") {
  struct Row {
    std::string script;
    bool command;
    AttemptEnd end;
    FailReason reason;
    int exit_code, signal;
  };
  const std::vector<Row> rows = {
      {"exit 0", true, AttemptEnd::kSucceeded, FailReason::kNone, 0, 0},
      {"exit 9", true, AttemptEnd::kFailed, FailReason::kExitCode, 9, 0},
      {"kill -9 $$", true, AttemptEnd::kFailed, FailReason::kSignal, 0, 9},
      {"kill -11 $$", true, AttemptEnd::kFailed, FailReason::kSignal, 0, 11},
      {"exit 75", false, AttemptEnd::kFailed, FailReason::kDiverged, 75, 0},
      {"exit 75", true, AttemptEnd::kFailed, FailReason::kExitCode, 75, 0},
      {"exit 143", false, AttemptEnd::kInterrupted, FailReason::kNone, 143, 0},
      {"exit 143", true, AttemptEnd::kFailed, FailReason::kExitCode, 143, 0},
  };
  for (const auto& row : rows) {
    const TempDir folder;
    INFO(row.script);
    const Outcome outcome = run(request_for(row.script, row.command), folder);
    CHECK(outcome.end == row.end);
    CHECK(outcome.reason == row.reason);
    CHECK(outcome.exit_code == row.exit_code);
    CHECK(outcome.signal == row.signal);
    const RunPaths paths{folder.path()};
    CHECK(outcome == outcome_from_json(read_json(paths.outcome()), "outcome.json"));
  }
}

TEST_CASE("a kill for lack of memory is told from another", "[runner]") {
  WorkerEnd end;
  end.wait_status = SIGKILL;
  end.is_command = true;
  CHECK(classify(end).reason == FailReason::kSignal);
  end.killed_for_memory = true;
  CHECK(classify(end).reason == FailReason::kOutOfMemory);
  end.timed_out = true;
  CHECK(classify(end).reason == FailReason::kTimedOut);
}

TEST_CASE("a run that is asked to be pruned ends at once, with the reason", "[runner]") {
  const TempDir folder;
  const auto paths = RunPaths{folder.path()};
  const Outcome outcome =
      run(request_for("trap '' TERM; echo at step 40 >prune.request; sleep 100; sleep 100", false), folder);
  CHECK(outcome.end == AttemptEnd::kPruned);
  CHECK(outcome.reason == FailReason::kNone);
  CHECK(outcome.message == "at step 40\n");
  CHECK(outcome.ended - outcome.started < 10);
  CHECK(read_json(paths.outcome())["state"] == "pruned");
}

TEST_CASE("a program that is not there fails to start", "[runner]") {
  const TempDir folder;
  WorkerRequest request = request_for("");
  request.argv = {"/no/such/program"};
  const Outcome outcome = run(request, folder);
  CHECK(outcome.reason == FailReason::kFailedToStart);
  CHECK_THAT(outcome.message, Catch::Contains("/no/such/program") && Catch::Contains("No such file"));
}

TEST_CASE("the log holds both streams, and its end is the message of a failure", "[runner]") {
  const TempDir folder;
  const Outcome outcome = run(request_for("echo first; echo boom >&2; pwd; exit 3"), folder);
  const std::string log = read_file(RunPaths{folder.path()}.log());
  CHECK_THAT(log, Catch::StartsWith("first\nboom\n") && Catch::Contains(folder.path().filename().string()));
  CHECK_THAT(outcome.message, Catch::Contains("boom"));
}

TEST_CASE("a worker gets no descriptor beyond 0, 1, 2, and none of our blocked signals", "[runner]") {
  const TempDir folder;
  CHECK(run(request_for("ls /proc/self/fd | wc -l; grep SigBlk /proc/self/status"), folder).end ==
        AttemptEnd::kSucceeded);
  // ls has one more open, the folder that it reads.
  CHECK(read_file(RunPaths{folder.path()}.log()) == "4\nSigBlk:\t0000000000000000\n");
}

TEST_CASE("a native worker does not take a launcher's variables for its own, and mpirun hears no TERM",
          "[runner]") {
  const std::vector<std::string> names = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "SLURM_JOB_ID"};
  for (const auto& name : names) ::setenv(name.c_str(), "1", 1);
  const auto log_of = [](WorkerRequest request) {
    const TempDir folder;
    CHECK(run(request, folder).end == AttemptEnd::kSucceeded);
    return read_file(RunPaths{folder.path()}.log());
  };
  // By these programs themselves: a shell unblocks what it has found blocked.
  const auto blocked = [&](WorkerRequest request) {
    request.argv = {"/bin/grep", "SigBlk", "/proc/self/status"};
    return log_of(request);
  };
  const std::string script = "env | grep -c -e _RANK= -e SLURM_ || true";
  WorkerRequest native = request_for(script, false);
  CHECK(log_of(native) == "0\n");
  CHECK(log_of(request_for(script)) == "3\n");
  CHECK(blocked(native) == "SigBlk:\t0000000000000000\n");
  native.spec.resources.gpus = 2;
  CHECK(blocked(native) == "SigBlk:\t0000000000004000\n");
  for (const auto& name : names) ::unsetenv(name.c_str());
}

TEST_CASE("a signal that ended a rank is the run's", "[runner]") {
  const TempDir folder;
  WorkerRequest request = request_for(
      "echo 'mpirun noticed that process rank 1 with PID 0 on node vm exited on signal 9 (Killed).'; exit "
      "137",
      false);
  request.spec.resources.gpus = 2;
  const Outcome outcome = run(request, folder);
  CHECK(outcome.reason == FailReason::kSignal);
  CHECK(outcome.signal == SIGKILL);
  CHECK(outcome.message == "rank 1 was ended by signal 9 (Killed)");
}

TEST_CASE("the time limit ends a worker that ignores TERM", "[runner]") {
  const TempDir folder;
  WorkerRequest request = request_for("trap '' TERM; while true; do sleep 1; done");
  request.spec.resources.timeout_s = 0.3;
  const Outcome outcome = run(request, folder);
  CHECK(outcome.reason == FailReason::kTimedOut);
  CHECK(outcome.signal == SIGKILL);
  CHECK(outcome.ended - outcome.started < 3);
  CHECK(processes_of_attempt(kToken).empty());
}

TEST_CASE("a supervisor that is told to end interrupts the attempt, and a worker may still save",
          "[runner]") {
  const TempDir folder;
  auto later = signal_later(SIGTERM, 0.3);
  const Outcome outcome =
      run(request_for("trap 'echo saved; exit 143' TERM; while true; do sleep 0.05; done"), folder);
  later.join();
  CHECK(outcome.end == AttemptEnd::kInterrupted);
  CHECK(outcome.exit_code == kExitTerminated);
  CHECK_THAT(read_file(RunPaths{folder.path()}.log()), Catch::Contains("saved"));
}

TEST_CASE("what a worker leaves behind is ended, also in a session of its own", "[runner]") {
  const TempDir folder;
  const Outcome outcome =
      run(request_for("setsid sh -c '(sleep 60 &) ; sleep 60' & sleep 0.2; exit 0"), folder);
  CHECK(outcome.end == AttemptEnd::kSucceeded);
  CHECK(processes_of_attempt(kToken).empty());
}

TEST_CASE("an attempt is taken once", "[runner]") {
  const TempDir folder;
  run(request_for("exit 0"), folder);
  CHECK_THROWS_WITH(supervise(folder.path(), {}), Catch::Contains("has been taken"));
}

TEST_CASE("results that cannot be read make a successful command a failed run", "[runner]") {
  const TempDir folder;
  SupervisorOptions options;
  options.after_success = [](const WorkerRequest&, const RunPaths&) {
    throw Error("predictions.json: not JSON");
  };
  const Outcome outcome = run(request_for("exit 0"), folder, options);
  CHECK(outcome.end == AttemptEnd::kFailed);
  CHECK_THAT(outcome.message, Catch::Contains("not JSON"));
}
