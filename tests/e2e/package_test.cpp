// What is promised about a package that is killed, or finds no room: the old submission or the new one,
// whole.
#include <random>

#include "core/run_paths.h"
#include "tests/e2e/command_sweep.h"
#include "tests/e2e/short_sweep.h"
#include "tests/support/fetch_server.h"
#include "tests/support/other_user.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

/// Three runs with 6 MB of weights each, in `folder`/runs.
void make_runs(const TempDir& folder) {
  const std::string job =
      "echo '{\\\"q1\\\": \\\"blue\\\"}' > predictions.json; mkdir checkpoint; head -c 6000000 /dev/urandom "
      "> "
      "checkpoint/weights.bin";
  write_sweep(folder, "\"true; " + job + "\", \"true 2; " + job + "\", \"true 3; " + job + "\"");
  sweep(folder, 0);
}

std::vector<std::string> package_argv(const TempDir& folder, const fs::path& out,
                                      const std::vector<std::string>& more = {}) {
  std::vector<std::string> argv = {(bin_dir() / "expctl").string(),
                                   "--workspace",
                                   (folder / "runs").string(),
                                   "package",
                                   "--top",
                                   "3",
                                   "--out",
                                   out.string()};
  argv.insert(argv.end(), more.begin(), more.end());
  return argv;
}

void check_whole(const TempDir& folder, const fs::path& submission) {
  const ProgramResult verified = run_program({(bin_dir() / "expctl").string(), "verify", submission.string(),
                                              "--dev", (folder / "dev.json").string()});
  INFO(verified.out << verified.err);
  CHECK(verified.exit_code == 0);
}

/// Starts a program and sends it the signal after so many milliseconds; how it has ended, for waitpid().
int status_after(const std::vector<std::string>& words, int milliseconds, int signal) {
  std::fflush(nullptr);  // or the child says it too
  const pid_t child = ::fork();
  if (child == 0) {
    std::vector<char*> argv;
    for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    if (std::freopen("/dev/null", "w", stdout) != nullptr &&
        std::freopen("/dev/null", "w", stderr) != nullptr)
      ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  ::kill(child, signal);
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

/// Whether it had not ended before.
bool killed_after(const std::vector<std::string>& words, int milliseconds) {
  return WIFSIGNALED(status_after(words, milliseconds, SIGKILL));
}

/// Everything that lies beside the folders of the test's own making.
std::vector<std::string> debris(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  return names;
}

}  // namespace

TEST_CASE("package: kill -9 at any moment leaves the old submission or the new one", "[e2e]") {
  const TempDir folder;
  make_runs(folder);
  const fs::path out = folder / "out/submission";
  REQUIRE(run_program(package_argv(folder, out)).exit_code == 0);
  std::mt19937 random(6);
  int killed = 0;
  for (int i = 0; i < 25; ++i) {
    const auto milliseconds = static_cast<int>(random() % 160);
    killed += killed_after(package_argv(folder, out, {"--replace"}), milliseconds) ? 1 : 0;
    check_whole(folder, out);
  }
  CHECK(killed > 3);
  // Where there was none, there is none or a whole one.
  for (int i = 0; i < 10; ++i) {
    const fs::path first = folder / "out/first";
    fs::remove_all(first);
    killed_after(package_argv(folder, first), static_cast<int>(random() % 160));
    if (fs::exists(first)) check_whole(folder, first);
  }
  // The next one clears away what killed ones have left.
  REQUIRE(run_program(package_argv(folder, out, {"--replace"})).exit_code == 0);
  fs::remove_all(folder / "out/first");
  REQUIRE(run_program(package_argv(folder, folder / "out/first")).exit_code == 0);
  CHECK(debris(folder / "out").size() == 2);
}

TEST_CASE("package: Ctrl-C at any moment leaves nothing half made", "[e2e]") {
  const TempDir folder;
  make_runs(folder);
  const fs::path out = folder / "out/submission";
  REQUIRE(run_program(package_argv(folder, out)).exit_code == 0);
  std::mt19937 random(7);
  int interrupted = 0;
  for (int i = 0; i < 25; ++i) {
    const int status =
        status_after(package_argv(folder, out, {"--replace"}), static_cast<int>(random() % 160), SIGINT);
    const bool is_early = WIFSIGNALED(status);  // it had not begun to take signals
    CHECK((is_early || WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 130));
    interrupted += !is_early && WEXITSTATUS(status) == 130 ? 1 : 0;
    CHECK(debris(folder / "out") == std::vector<std::string>{"submission"});
    check_whole(folder, out);
  }
  CHECK(interrupted > 0);
}

TEST_CASE("package: without room there is one error, and nothing is left", "[e2e]") {
  const SmallDisk disk("10m");
  SKIP_UNLESS(disk.is_mounted(), "mounting a file system needs root");
  const TempDir folder;
  make_runs(folder);
  const auto before = debris(disk.path());
  const ProgramResult full = run_program(package_argv(folder, disk.path() / "submission"));
  CHECK(full.exit_code == 1);
  CHECK_THAT(full.err, Contains("No space left on device"));
  CHECK(debris(disk.path()) == before);
  // There is room for the folder, not for the archive of what cannot be compressed.
  disk.grow_to("30m");
  const ProgramResult archive = run_program(package_argv(folder, disk.path() / "submission", {"--archive"}));
  INFO(archive.err);
  CHECK(archive.exit_code == 1);
  CHECK_THAT(archive.err, Contains("submission.tar.zst") && Contains("No space left on device"));
  check_whole(folder, disk.path() / "submission");
  CHECK(debris(disk.path()).size() == before.size() + 1);
}

TEST_CASE(
    "package: --replace takes the place of a submission only, and what is there is not overwritten without",
    "[e2e]") {
  const TempDir folder;
  make_runs(folder);
  const fs::path out = folder / "submission";
  REQUIRE(run_program(package_argv(folder, out, {"--archive"})).exit_code == 0);
  const ProgramResult again = run_program(package_argv(folder, out));
  CHECK(again.exit_code == 1);
  CHECK_THAT(again.err, Contains("is there already") && Contains("--replace"));
  CHECK(run_program(package_argv(folder, out, {"--archive", "--replace"})).exit_code == 0);
  make_folder(folder / "mine");
  write_file(folder / "mine/thesis.txt", "all my work");
  const ProgramResult mine = run_program(package_argv(folder, folder / "mine", {"--replace"}));
  CHECK(mine.exit_code == 1);
  CHECK_THAT(mine.err, Contains("is no submission"));
  CHECK(read_file(folder / "mine/thesis.txt") == "all my work");
}

TEST_CASE("package: the archive unpacks to the folder, byte for byte", "[e2e]") {
  const TempDir folder;
  make_runs(folder);
  const fs::path out = folder / "submission";
  REQUIRE(run_program(package_argv(folder, out, {"--archive"})).exit_code == 0);
  make_folder(folder / "judge");
  const ProgramResult unpacked =
      run_program({"/bin/tar", "--use-compress-program=unzstd", "-xf",
                   (folder / "submission.tar.zst").string(), "-C", (folder / "judge").string()});
  SKIP_UNLESS(unpacked.exit_code == 0, "no tar with zstd");
  const ProgramResult same =
      run_program({"/usr/bin/diff", "-r", out.string(), (folder / "judge/submission").string()});
  INFO(same.out);
  CHECK(same.exit_code == 0);
  check_whole(folder, folder / "judge/submission");
}

TEST_CASE("package: its entries stay until the folder has been deleted and is forgotten", "[e2e]") {
  const TempDir folder;
  make_runs(folder);
  const fs::path out = folder / "trial";
  const ProgramResult made = run_program(package_argv(folder, out));
  REQUIRE(made.exit_code == 0);
  CHECK_THAT(made.err, Contains("--dev " + (folder / "dev.json").string()));
  const auto expctl = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {(bin_dir() / "expctl").string(), "--workspace", (folder / "runs").string()});
    return run_program(words);
  };
  CHECK(expctl({"package", "--forget", "--out", out.string()}).exit_code == 1);  // it is there
  fs::remove_all(out);
  const ProgramResult refused = expctl({"rm", "run1"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains("expctl package --forget --out " + out.string()));
  CHECK_THAT(expctl({"package", "--forget", "--out", out.string() + "/"}).err, Contains("run1, run2, run3"));
  CHECK(expctl({"package", "--forget", "--out", out.string()}).exit_code == 3);
  CHECK(expctl({"rm", "run1"}).exit_code == 0);
  CHECK(expctl({"registry", "check"}).exit_code == 0);
}

TEST_CASE("package: --eval ranks by another evaluation and hands in its answers, both are shown", "[e2e]") {
  const Job job;
  job.succeeds({"demo", "demo"});
  write_file(job.dir / "s.toml", kSweep);
  job.succeeds({"sweep", "s.toml"});
  job.succeeds({"ensemble", "run1", "run2"});
  for (const char* id : {"run1", "run2", "ens1"})
    job.succeeds({"evaluate", id, "--name", "short", "--set", "eval_max_seq_length=48"});
  CHECK(job({"package", "--top", "3", "--eval", "nothing"}).exit_code == 3);
  job.succeeds({"package", "--top", "3", "--eval", "short", "--unseen", "demo/dev.json"});
  const Json summary = read_json(job.dir / "submission/summary.json");
  CHECK(summary["evaluation"]["max_seq_length"] == 48);
  for (const auto& entry : summary["entries"]) {
    const fs::path folder = job.dir / "submission" / entry["folder"].get<std::string>();
    const RunPaths evaluated =
        RunPaths{job.dir / "runs" / entry["id"].get<std::string>()}.evaluation("short");
    for (const char* file : {"predictions.json", "nbest_predictions.json", "eval.json"})
      CHECK(read_file(folder / file) == read_file(evaluated.folder / file));
    // The unseen questions here are those of the dev data.
    CHECK(read_file(folder / "unseen/predictions.json") == read_file(folder / "predictions.json"));
    const ProgramResult again =
        run_program({(folder / "eval_only.sh").string(), "demo/dev.json"}, job.dir.path(),
                    {"PATH=" + bin_dir().string() + ":/usr/bin:/bin"});
    INFO(again.err);
    CHECK(again.out == read_file(folder / "eval.json"));
  }
  const std::string methodology = read_file(job.dir / "submission/methodology.md");
  CHECK_THAT(methodology, Contains("evaluation `short`") && Contains("| default |"));
  job.succeeds({"verify", "submission", "--dev", "demo/dev.json", "--train", "demo/train.json", "--init",
                "demo/model", "--unseen", "demo/dev.json"});
}

TEST_CASE("package: another user verifies it in another folder, with no workspace near", "[e2e]") {
  SKIP_UNLESS(has_nobody(), "no other user that may run the program");
  const TempDir judge;
  let_others_read(judge.path());
  {
    const Job job;
    job.succeeds({"demo", "demo"});
    write_file(job.dir / "s.toml", kSweep);
    job.succeeds({"sweep", "s.toml"});
    job.succeeds({"ensemble", "run1", "run2"});
    job.succeeds({"package", "--top", "3"});
    fs::copy(job.dir / "submission", judge / "handed-in", fs::copy_options::recursive);
    fs::copy(job.dir / "demo", judge / "demo", fs::copy_options::recursive);
  }
  const ProgramResult verified =
      run_as_nobody({(bin_dir() / "expctl").string(), "--json", "verify", (judge / "handed-in").string(),
                     "--dev", (judge / "demo/dev.json").string(), "--train",
                     (judge / "demo/train.json").string(), "--init", (judge / "demo/model").string()});
  INFO(verified.out << verified.err);
  CHECK(verified.exit_code == 0);
  for (const auto& check : Json::parse(verified.out)["checks"]) CHECK(check["result"] == "passed");
}
