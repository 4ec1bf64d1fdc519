// `expctl sweep` of commands: scores, failures, flags, and what of it can be looked at afterwards.
#include "tests/e2e/command_sweep.h"

#include <array>

#include "core/text.h"

using namespace expctl;
using namespace expctl::test;

TEST_CASE("a sweep of commands scores what succeeds, says why others failed, and does nothing twice",
          "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("echo '{\"q1\": \"blue\"}' > predictions.json", "exit 3", "kill -9 $$", "true")");
  const Json runs = sweep(folder, 4);
  REQUIRE(runs.size() == 4);
  CHECK(by_id(runs, "run1")["state"] == "succeeded");
  CHECK(by_id(runs, "run1")["f1"] == 100.0);
  CHECK(read_file(folder / "runs/run1/eval.json") == "{\"exact_match\": 100.0, \"f1\": 100.0}\n");
  CHECK(by_id(runs, "run2")["reason"] == "exit_code");
  CHECK(by_id(runs, "run3")["reason"] == "signal");
  CHECK(by_id(runs, "run4")["state"] == "succeeded");
  CHECK(by_id(runs, "run4")["f1"].is_null());
  const std::string starts = read_file(folder / "starts.txt");
  CHECK(sweep(folder, 4) == runs);
  CHECK(read_file(folder / "starts.txt") == starts);
}

TEST_CASE("files that a job calls as expctl calls its own decide nothing", "[e2e]") {
  const TempDir folder;
  // No predictions, a foreign score, a foreign outcome, a folder in the way of the next attempt's file.
  write_sweep(
      folder,
      R"("echo '{\"eval_f1\": 88}' > eval.json; echo x > outcome.json; mkdir -p nbest_predictions.json/x",)"
      R"("echo '[]' > predictions.json")");
  const Json runs = sweep(folder, 4);
  CHECK(by_id(runs, "run1")["state"] == "succeeded");
  CHECK(by_id(runs, "run1")["f1"].is_null());
  CHECK(by_id(runs, "run2")["state"] == "failed");
  CHECK(sweep(folder, 4) == runs);
}

TEST_CASE("folders and pipes of expctl's own names fail their run at most, and hold nobody else up",
          "[e2e]") {
  const TempDir folder;
  write_sweep(folder,
              R"("mkdir metrics.jsonl; sleep 1", "true", "mkfifo metrics.jsonl",)"
              R"("mkdir outcome.json; rm run.json; mkdir run.json", "mkdir environment.json; exit 1")");
  const Json runs = sweep(folder, 4);
  CHECK(by_id(runs, "run1")["state"] == "failed");
  CHECK(by_id(runs, "run2")["state"] == "succeeded");
  CHECK(by_id(runs, "run3")["state"] == "failed");
  CHECK(by_id(runs, "run4")["state"] == "succeeded");
  CHECK(by_id(runs, "run5")["reason"] == "exit_code");
}

TEST_CASE(
    "flags of sweep: --max-runs starts so many, --fail-fast none after a failure, --retry-failed tries again",
    "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("test -e ../../go.txt", "true", "true ")",
              "cpus = " + std::to_string(std::thread::hardware_concurrency()) + "\n");
  const auto with = [&](const std::string& flag, int exit_code) {
    auto words = sweep_argv(folder);
    words.push_back(flag);
    const ProgramResult result = run_program(words);
    INFO(result.err);
    CHECK(result.exit_code == exit_code);
    std::string states;
    const Json runs = Json::parse(result.out)["runs"];
    for (const char* id : {"run1", "run2", "run3"})
      states += by_id(runs, id)["state"].get<std::string>() + " ";
    return states;
  };
  CHECK(with("--fail-fast", 4) == "failed queued queued ");
  CHECK(with("--max-runs=1", 4) == "failed succeeded queued ");
  write_file(folder / "go.txt", "");
  CHECK(with("--retry-failed", 0) == "succeeded succeeded succeeded ");
}

TEST_CASE("a job that answers nothing of what it is scored on succeeds with a warning", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("echo '{}' > predictions.json", "echo '{\"q1\": \"red\"}' > predictions.json")");
  const ProgramResult result = run_program(sweep_argv(folder));
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.err,
             Catch::Contains("warning: run1: 1 of 1 questions have no answer in predictions.json; is "
                             "data.dev the file that it answers?"));
  CHECK_THAT(result.err, !Catch::Contains("warning: run2"));  // it answers, wrongly
}

TEST_CASE("answers that are not where the sweep file says are missed", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("echo '{\"q1\": \"blue\"}' > predictions.json")");
  std::string file = read_file(folder / "s.toml");
  const std::string pattern = "predictions = \"predictions.json\"";
  write_file(folder / "s.toml",
             file.replace(file.find(pattern), pattern.size(), "predictions = \"out/*.json\""));
  const ProgramResult result = run_program(sweep_argv(folder));
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.err,
             Catch::Contains("it left no out/*.json in") && Catch::Contains("so it has no score"));
}

TEST_CASE("what is said stands behind the results where both go to one file", "[e2e]") {
  const TempDir folder;
  write_sweep(
      folder,
      R"("echo '{\"q1\": \"blue\"}' > predictions.json", "echo '{\"q1\": \"red\"}' > predictions.json")");
  const std::string command =
      (bin_dir() / "expctl").string() + " --workspace runs sweep s.toml > all.txt 2>&1";
  CHECK(run_program({"/bin/sh", "-c", command}, folder.path()).exit_code == 0);
  const std::string all = read_file(folder / "all.txt");
  INFO(all);
  const size_t result = all.find("run1  succeeded"), next = all.find("next: expctl");
  REQUIRE(result != std::string::npos);
  REQUIRE(next != std::string::npos);
  CHECK(result < next);
}

TEST_CASE("what commands leave is on record and can be looked at", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("echo hello from $EXPCTL_RUN_ID", "echo again")");
  sweep(folder, 0);
  const auto expctl = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {(bin_dir() / "expctl").string(), "--workspace", (folder / "runs").string()});
    const ProgramResult result = run_program(words);
    INFO(result.err);
    CHECK(result.exit_code == 0);
    return result.out;
  };
  CHECK(expctl({"logs", "run1"}) == "hello from run1\n");
  CHECK(expctl({"logs", "-f", "run1", "@"}) == "run1  hello from run1\nrun2  again\n");
  CHECK(expctl({"logs", "-f", "sweep1"}) == "run1  hello from run1\nrun2  again\n");
  CHECK_THAT(expctl({"runs", "show", "@2"}),
             Catch::Contains("succeeded") && Catch::Contains("mode=echo hello"));
  CHECK(Json::parse(expctl({"--json", "runs", "show", "run1"}))["attempts"] == 1);
  const Json environment = read_json(folder / "runs/run1/environment.json");
  CHECK(environment["threads"] == 1);
  CHECK_FALSE(environment["host"].get<std::string>().empty());
  CHECK(environment["config_commit"].is_null());  // a temporary folder is in no checkout
}

TEST_CASE("a run says of which commit its sweep file is, and whether it is so still", "[e2e]") {
  const TempDir folder;
  const auto commit_of = [&](const std::string& mode) {
    write_sweep(folder, "\"" + mode + "\"");
    const Json runs = sweep(folder, 0);
    const auto id = runs[0]["id"].get<std::string>();
    const Json commit = read_json(folder / ("runs/" + id + "/environment.json"))["config_commit"];
    return commit.is_null() ? "none" : commit.get<std::string>();
  };
  const auto git = [&](const std::string& words) {
    const ProgramResult result = run_program({"/bin/sh", "-c", "git " + words}, folder.path());
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return std::string(trim(result.out));
  };
  CHECK(commit_of("true") == "none");
  git("init -q . && git -c user.name=t -c user.email=t@t commit -q --allow-empty -m first");
  const std::string first = git("rev-parse HEAD");
  CHECK(commit_of("true 1") == first + "-dirty");  // the file is not in it
  write_sweep(folder, R"("true 2")");
  git("add s.toml && git -c user.name=t -c user.email=t@t commit -q -m second");
  const std::string second = git("rev-parse HEAD");
  CHECK(commit_of("true 2") == second);
  CHECK(commit_of("true 3") == second + "-dirty");
}

TEST_CASE("runs that another sweep has left queued stay so, and do not hold this one up", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("sleep 100")");
  const pid_t child = start_sweep(folder);
  ::kill(child, SIGTERM);
  ::waitpid(child, nullptr, 0);
  write_sweep(folder, R"("true")", "cpus = " + std::to_string(std::thread::hardware_concurrency()) + "\n");
  CHECK(by_id(sweep(folder, 0), "run2")["state"] == "succeeded");
  CHECK(read_json(folder / "runs/run1/run.json")["state"] == "queued");
  CHECK_FALSE(someone_in(folder / "runs"));
}

TEST_CASE("data that has changed since a run was queued is not trained on in its name", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("true", "echo ' ' >> ../../dev.json", "false")",
              "cpus = " + std::to_string(std::thread::hardware_concurrency()) + "\n");
  const Json runs = sweep(folder, 4);
  CHECK(by_id(runs, "run1")["state"] == "succeeded");
  CHECK(by_id(runs, "run3")["reason"] == "failed_to_start");
  CHECK_THAT(read_json(folder / "runs/run3/run.json")["message"].get<std::string>(),
             Catch::Contains("dev.json: it has changed"));
}

TEST_CASE("what cannot work is refused before anything is written", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("true")", "cpus = 100000\n");
  const ProgramResult cores = run_program(sweep_argv(folder));
  CHECK(cores.exit_code == 1);
  CHECK_THAT(cores.err, Catch::Contains("cpus = 100000"));
  write_sweep(folder, R"("true")");
  std::filesystem::remove(folder / "dev.json");
  const ProgramResult data = run_program(sweep_argv(folder));
  CHECK(data.exit_code == 3);
  CHECK_THAT(data.err, Catch::Contains("data.dev"));
  CHECK_FALSE(std::filesystem::exists(folder / "runs"));
}

TEST_CASE("a command that leaves no predictions to be scored is told of", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("true")");
  const ProgramResult result = run_program(sweep_argv(folder));
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.err, Catch::Contains("run1 succeeded") &&
                             Catch::Contains("it left no predictions.json in") &&
                             Catch::Contains("so it has no score"));
}

TEST_CASE("where the first three runs all fail at once the sweep pauses and says why", "[e2e]") {
  const TempDir folder;
  const std::string one_at_a_time = "cpus = " + std::to_string(std::thread::hardware_concurrency()) + "\n";
  write_sweep(folder, R"("echo no such module; exit 1", "exit 2", "test -e ../../go.txt", "true")",
              one_at_a_time);
  const ProgramResult paused = run_program(sweep_argv(folder));
  CHECK(paused.exit_code == 4);
  CHECK_THAT(paused.err, Catch::Contains("paused: the first 3 runs have failed within 30 s of their start"));
  const Json runs = Json::parse(paused.out)["runs"];
  CHECK(by_id(runs, "run3")["state"] == "failed");
  CHECK(by_id(runs, "run4")["state"] == "queued");
  CHECK(by_id(sweep(folder, 4), "run4")["state"] == "succeeded");

  // One that lives long enough, or succeeds, is hope.
  const TempDir other;
  write_sweep(other, R"("exit 1", "true", "exit 2", "exit 3", "exit 4", "true ")", one_at_a_time);
  CHECK(by_id(sweep(other, 4), "run6")["state"] == "succeeded");
}

TEST_CASE("stop ends a run as stopped, running or queued, and resume takes it up again", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("test -e ../../go.txt || sleep 60", "true", "true ")",
              "cpus = " + std::to_string(std::thread::hardware_concurrency()) + "\n");
  const auto expctl = [&](std::vector<std::string> words, int exit_code) {
    words.insert(words.begin(), {(bin_dir() / "expctl").string(), "--workspace", (folder / "runs").string()});
    const ProgramResult result = run_program(words);
    INFO(result.err);
    CHECK(result.exit_code == exit_code);
    return result.err;
  };
  const pid_t sweeping = start_sweep(folder);
  const std::string said = expctl({"stop", "run2", "run1"}, 0);
  CHECK_THAT(said, Catch::Contains("run1 is stopped; to take it up again: expctl --workspace"));
  int status = 0;
  ::waitpid(sweeping, &status, 0);
  CHECK(WEXITSTATUS(status) == 4);
  CHECK_FALSE(someone_in(folder.path()));
  CHECK(by_id(sweep(folder, 4), "run1")["state"] == "stopped");
  CHECK(by_id(sweep(folder, 4), "run2")["state"] == "stopped");
  CHECK(read_file(folder / "starts.txt") == "run1\nrun3\n");

  CHECK_THAT(expctl({"stop", "run1"}, 1), Catch::Contains("run1 is stopped already"));
  CHECK_THAT(expctl({"resume", "run3"}, 1), Catch::Contains("run3 is succeeded, not stopped"));
  CHECK_THAT(expctl({"stop", "run9"}, 3), Catch::Contains("there is no run 'run9'"));
  CHECK_THAT(expctl({"resume", "run1", "run2"}, 0), Catch::Contains("run1 is queued"));
  // Also one that has been resumed, and all of a sweep.
  CHECK_THAT(expctl({"stop", "run1"}, 0), Catch::Contains("run1 is stopped"));
  CHECK_THAT(expctl({"resume", "sweep1"}, 0), Catch::Contains("run1 is queued") && !Catch::Contains("run2"));
  CHECK_THAT(expctl({"stop", "sweep1"}, 0), Catch::Contains("run1 is stopped") &&
                                                Catch::Contains("run2 is stopped") &&
                                                !Catch::Contains("run3"));
  CHECK_THAT(expctl({"stop", "sweep1"}, 1), Catch::Contains("sweep1: no run is queued or running"));
  CHECK_THAT(
      run_program(sweep_argv(folder)).err,
      Catch::Contains("2 stopped; to take up again: expctl --workspace") && Catch::Contains("resume sweep1"));
  CHECK_THAT(expctl({"resume", "sweep1"}, 0), Catch::Contains("run1 is queued"));
  write_file(folder / "go.txt", "");
  const Json runs = sweep(folder, 0);
  CHECK(by_id(runs, "run1")["state"] == "succeeded");
  CHECK(by_id(runs, "run2")["state"] == "succeeded");
}

TEST_CASE("a command that says it ran out of memory has that reason, and each attempt keeps its own",
          "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("test -e tried || { touch tried; echo CUDA out of memory; exit 1; }")", "");
  const std::string toml = read_file(folder / "s.toml");
  write_file(folder / "s.toml", toml.substr(0, toml.find("retries = 0")) + "retries = 1\n");
  CHECK(by_id(sweep(folder, 0), "run1")["state"] == "succeeded");
  const std::vector<std::string> show = {
      (bin_dir() / "expctl").string(), "--workspace", (folder / "runs").string(), "runs", "show", "run1"};
  const std::string text = run_program(show).out;
  CHECK_THAT(text,
             Catch::Contains("1 failed (out_of_memory) after") && Catch::Contains("; 2 succeeded after"));
}

TEST_CASE("sweep --until ends as an interrupt does, and --detach goes on without us", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("test -e ../../go.txt || sleep 60", "true")");
  auto words = sweep_argv(folder);
  words.push_back("--until=2s");
  const ProgramResult result = run_program(words);
  CHECK(result.exit_code == 130);
  CHECK_THAT(result.err, Catch::Contains("the time is up"));
  CHECK_THAT(result.err, Catch::Contains("to go on: expctl") && !Catch::Contains("--until"));
  CHECK(by_id(Json::parse(result.out)["runs"], "run1")["state"] == "queued");
  CHECK_FALSE(someone_in(folder.path()));

  write_file(folder / "go.txt", "");
  words.back() = "--detach";
  CHECK(run_program(words).exit_code == 0);
  CHECK(wait_until(20, [&] {
    const ProgramResult listed = run_program(
        {(bin_dir() / "expctl").string(), "--json", "--workspace", (folder / "runs").string(), "runs"});
    return by_id(Json::parse(listed.out)["runs"], "run1")["state"] == "succeeded";
  }));
  CHECK(wait_until(20, [&] {
    return std::filesystem::exists(folder / "runs/scheduler.log") &&
           read_file(folder / "runs/scheduler.log").find("run1 succeeded") != std::string::npos;
  }));
}

TEST_CASE("every way in which a run can fail is its own reason, with the end of its log, in runs show",
          "[e2e]") {
  const TempDir folder;
  write_sweep(
      folder,
      R"("true", "echo first; echo boom; exit 3", "echo before; kill -SEGV $$", "echo waiting; sleep 60",)"
      R"("echo torch.OutOfMemoryError: no memory; exit 1", "echo alone; kill -9 $PPID; sleep 60")",
      "timeout = \"1s\"\n");
  const auto show = [&](const std::string& id, std::vector<std::string> more = {}) {
    std::vector<std::string> words = {(bin_dir() / "expctl").string(), "--workspace",
                                      (folder / "runs").string()};
    words.insert(words.end(), more.begin(), more.end());
    words.insert(words.end(), {"runs", "show", id});
    return run_program(words).out;
  };
  sweep(folder, 4);
  const std::vector<std::array<std::string, 4>> rows = {
      {"run2", "exit_code", "first", "boom"},
      {"run3", "signal", "ended by signal 11 (Segmentation fault)", "before"},
      {"run4", "timed_out", "ended after its time limit of 1 s", "waiting"},
      {"run5", "out_of_memory", "torch.OutOfMemoryError: no memory", "1 failed (out_of_memory) after"},
      {"run6", "lost", "its supervisor died", "alone"}};
  for (const auto& [id, reason, message, log] : rows) {
    INFO(id);
    CHECK(Json::parse(show(id, {"--json"}))["reason"] == reason);
    CHECK_THAT(show(id), Catch::Contains("failed") && Catch::Contains(reason) && Catch::Contains(message) &&
                             Catch::Contains(log));
  }
  write_file(folder / "s.toml", "[command]\nargv = [\"/no/such/program\"]\n");
  sweep(folder, 4);
  CHECK_THAT(show("run7"),
             Catch::Contains("failed_to_start") && Catch::Contains("cannot start /no/such/program"));
}

TEST_CASE("runs that are stopped while others start end as they should, and the sweep goes on", "[e2e]") {
  const TempDir folder;
  write_file(folder / "s.toml",
             "[command]\nargv = [\"/bin/sh\", \"-c\", \"echo {run_id} >> ../../starts.txt; sleep 0.05\"]\n"
             "[sweep]\nseeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]\n");
  const pid_t sweeping = start_sweep(folder);
  std::vector<std::string> words = {(bin_dir() / "expctl").string(), "--workspace",
                                    (folder / "runs").string(), "stop"};
  for (int run = 20; run > 0; --run) words.push_back("run" + std::to_string(run));
  const ProgramResult stopped = run_program(words);
  INFO(stopped.err);
  int status = 0;
  ::waitpid(sweeping, &status, 0);
  CHECK(WEXITSTATUS(status) == 4);
  const ProgramResult listed = run_program(
      {(bin_dir() / "expctl").string(), "--json", "--workspace", (folder / "runs").string(), "runs"});
  const Json runs = Json::parse(listed.out)["runs"];
  REQUIRE(runs.size() == 20);
  for (const auto& run : runs) {
    INFO(run.dump());
    CHECK((run["state"] == "succeeded" || run["state"] == "stopped"));
  }
  CHECK_FALSE(someone_in(folder / "runs"));
}

TEST_CASE("a sweep outlives whoever reads its messages", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("sleep 0.3", "true")");
  std::string line;
  for (const auto& word : sweep_argv(folder)) line += word + " ";
  const std::string code = (folder / "code").string();
  run_program({"/bin/sh", "-c", "(" + line + " > /dev/null; echo $? > " + code + ") 2>&1 | true"});
  CHECK(wait_until(10, [&] { return std::filesystem::exists(code); }));
  CHECK(read_file(code) == "0\n");
}

TEST_CASE("a job that makes a folder of its log fails no other, and is tried again", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("rm train.log; mkdir train.log; exit 1", "true")");
  CHECK(by_id(sweep(folder, 4), "run2")["state"] == "succeeded");
  auto words = sweep_argv(folder);
  words.push_back("--retry-failed");
  CHECK(run_program(words).exit_code == 4);
}

TEST_CASE("a run whose folder cannot be used fails, and the others do not", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("true", "exit 0", "true; true")");
  auto first = sweep_argv(folder);
  first.insert(first.end(), {"--max-runs", "1"});
  REQUIRE(run_program(first).exit_code == 0);
  make_folder(folder / "runs/run2");
  std::filesystem::create_symlink("attempt.claim.1", folder / "runs/run2/attempt.claim.1");  // of itself
  const Json runs = sweep(folder, 4);
  CHECK(by_id(runs, "run2")["reason"] == "failed_to_start");
  CHECK(by_id(runs, "run3")["state"] == "succeeded");
}
