// `expctl sweep` with shell scripts in place of a trainer: what is promised about failures, kills and going
// on.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include "core/files.h"
#include "core/json.h"
#include "tests/support/support.h"

using namespace expctl::test;
using expctl::Json;
using expctl::read_file;
using expctl::read_json;
using expctl::write_file;

namespace {

const std::string kDev =
    R"({"version":"1.1","data":[{"title":"t","paragraphs":[{"context":"the sky is blue","qas":[)"
    R"({"id":"q1","question":"what?","answers":[{"text":"blue","answer_start":11}]}]}]}]})";

/// A sweep over `modes`, each a line of shell that is given run_dir as $1; every start is noted in
/// starts.txt.
void write_sweep(const TempDir& folder, const std::string& modes, const std::string& more = "") {
  write_file(folder / "dev.json", kDev);
  write_file(folder / "s.toml",
             "[data]\ndev = \"dev.json\"\n[command]\nargv = [\"/bin/sh\", \"-c\", \"echo {run_id} >> "
             "../../starts.txt; {mode}\"]\n"
             "predictions = \"predictions.json\"\n[sweep]\nseeds = [1]\n[sweep.space]\nmode = [" +
                 modes + "]\n[resources]\ngpus = 0\nretries = 0\n" + more);
}

std::vector<std::string> sweep_argv(const TempDir& folder) {
  return {(bin_dir() / "expctl").string(), "--json", "--workspace",
          (folder / "runs").string(),      "sweep",  (folder / "s.toml").string()};
}

Json sweep(const TempDir& folder, int expected_code) {
  const ProgramResult result = run_program(sweep_argv(folder));
  INFO(result.err);
  REQUIRE(result.exit_code == expected_code);
  return Json::parse(result.out)["runs"];
}

Json by_id(const Json& runs, const std::string& id) {
  for (const auto& run : runs) {
    if (run["id"] == id) return run;
  }
  return {};
}

bool wait_until(double limit_s, const std::function<bool()>& holds) {
  for (double waited = 0; waited < limit_s; waited += 0.05) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return holds();
}

/// Whether any process works in the folder.
bool someone_in(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::error_code error;
    const auto cwd = std::filesystem::read_symlink(entry.path() / "cwd", error);
    if (!error && cwd.string().starts_with(folder.string())) return true;
  }
  return false;
}

pid_t start_sweep(const TempDir& folder) {
  const auto words = sweep_argv(folder);
  const std::string log = (folder / "sweep.log").string();
  const pid_t child = ::fork();
  if (child != 0) return child;
  if (std::freopen(log.c_str(), "w", stdout) == nullptr || std::freopen(log.c_str(), "w", stderr) == nullptr)
    ::_exit(126);
  std::vector<char*> argv;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

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

TEST_CASE("kill -9 of a sweep leaves nothing alive within 5 s, and the same line goes on", "[e2e]") {
  const TempDir folder;
  // The second mode ignores TERM and has a child in another session; once go.txt is there it succeeds.
  write_sweep(
      folder,
      R"("true", "trap '' TERM; test -e ../../go.txt && exit 0; setsid sleep 100 & sleep 100; sleep 100")");
  const pid_t first = start_sweep(folder);
  REQUIRE(wait_until(10, [&] {
    return std::filesystem::exists(folder / "starts.txt") &&
           read_file(folder / "starts.txt").find("run2") != std::string::npos &&
           std::filesystem::exists(folder / "runs/run1/outcome.json") &&
           read_json(folder / "runs/run1/run.json")["state"] == "succeeded";
  }));
  ::kill(first, SIGKILL);
  ::waitpid(first, nullptr, 0);
  CHECK(wait_until(5, [&] { return !someone_in(folder / "runs"); }));
  write_file(folder / "go.txt", "");
  const Json runs = sweep(folder, 0);
  CHECK(by_id(runs, "run2")["state"] == "succeeded");
  const std::string starts = read_file(folder / "starts.txt");
  CHECK(starts.find("run1") == starts.rfind("run1"));
  CHECK(starts.find("run2") != starts.rfind("run2"));
}

TEST_CASE("kill -9 of a supervisor ends its worker; the attempt is lost and tried again", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("test -e ../../go.txt && exit 0; touch ../../go.txt; kill -9 $PPID; sleep 100")");
  const std::string toml = read_file(folder / "s.toml");
  write_file(folder / "s.toml", toml.substr(0, toml.find("retries")) + "retries = 1\n");
  const Json runs = sweep(folder, 0);
  CHECK(runs[0]["state"] == "succeeded");
  CHECK(read_json(folder / "runs/run1/run.json")["retries_used"] == 1);
  CHECK_FALSE(someone_in(folder / "runs"));
}

TEST_CASE("TERM to a sweep interrupts what runs, and uses up no retry", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("sleep 100")");
  const pid_t child = start_sweep(folder);
  REQUIRE(wait_until(10, [&] { return std::filesystem::exists(folder / "starts.txt"); }));
  ::kill(child, SIGTERM);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 143);
  CHECK(read_json(folder / "runs/run1/run.json")["state"] == "queued");
  CHECK(read_json(folder / "runs/run1/run.json")["retries_used"] == 0);
  CHECK_FALSE(someone_in(folder / "runs"));
}

TEST_CASE("a second sweep hands its runs to the scheduler that is at work", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("sleep 2")");
  const pid_t first = start_sweep(folder);
  REQUIRE(wait_until(10, [&] { return std::filesystem::exists(folder / "starts.txt"); }));
  write_sweep(folder, R"("true")");
  const ProgramResult second = run_program(sweep_argv(folder));
  INFO(second.err);
  CHECK(second.exit_code == 0);
  CHECK_THAT(second.err, Catch::Contains("handed to it"));
  CHECK(Json::parse(second.out)["runs"][0]["state"] == "succeeded");
  int status = 0;
  ::waitpid(first, &status, 0);
  CHECK(status == 0);
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

TEST_CASE("runs that another sweep has left queued stay so, and do not hold this one up", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("sleep 100")");
  const pid_t child = start_sweep(folder);
  REQUIRE(wait_until(10, [&] { return std::filesystem::exists(folder / "starts.txt"); }));
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

TEST_CASE("a sweep under nohup outlives its terminal", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("sleep 1")");
  std::string line = "trap '' HUP; ";
  for (const auto& word : sweep_argv(folder)) line += word + " ";
  const ProgramResult result = run_program({"/bin/sh", "-c", line + "& sleep 0.5; kill -HUP $!; wait $!"});
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK(Json::parse(result.out)["runs"][0]["state"] == "succeeded");
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
