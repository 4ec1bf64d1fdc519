// `expctl sweep` with method random and tpe: the trials are those of the file and the scores, however they
// run.
#include "core/text.h"
#include "tests/e2e/command_sweep.h"
#include "tests/support/one_node_slurm.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// A job whose F1 falls with the distance of x from 0.3, and is less for "b"; it takes some hundredths of a
/// second, or as many as slow.txt says.
constexpr const char* kJob = R"job(echo "$EXPCTL_RUN_ID" >> ../../starts.txt
test "$2" = fails && exit 1
sleep "$(cat ../../slow.txt 2>/dev/null || echo 0.0$(($$ % 9)))"
awk -v x="$1" -v k="$2" 'BEGIN {
  n = int(40 * sqrt((x - 0.3) ^ 2)) + (k == "b" ? 3 : 0)
  answer = "blue"
  for (i = 0; i < n; ++i) answer = answer " word" i
  printf "{\"q1\": \"%s\"}", answer
}' > predictions.json
)job";

void write_search(const TempDir& folder, const std::string& sampler, size_t side_by_side,
                  const std::string& second = "b") {
  write_file(folder / "dev.json", kOneQuestion);
  write_file(folder / "job.sh", kJob);
  const size_t cores = std::max(1u, std::thread::hardware_concurrency());
  write_file(folder / "s.toml",
             "[data]\ndev = \"dev.json\"\n[command]\nargv = [\"/bin/sh\", \"{sweep_dir}/job.sh\", \"{x}\", "
             "\"{k}\"]\n[sweep]\n" +
                 sampler + "\n[sweep.space]\nx = { min = 0, max = 1 }\nk = [\"a\", \"" + second +
                 "\"]\n[resources]\ngpus = 0\nretries = 0\ncpus = " +
                 std::to_string(std::max<size_t>(1, cores / side_by_side)) + "\n");
}

std::vector<Json> lines_of(const std::filesystem::path& path) {
  std::vector<Json> lines;
  for (const auto& line : split(trim(read_file(path)), '\n')) lines.push_back(Json::parse(line));
  return lines;
}

/// The configs in the order of the trials, with their scores.
std::vector<std::string> trials_of(const TempDir& folder) {
  std::vector<std::string> trials;
  for (const auto& line : lines_of(folder / "runs/sweep1/trials.jsonl"))
    trials.push_back(line["params"].dump() + " " + line["f1"].dump());
  return trials;
}

size_t count_starts(const TempDir& folder) {
  return split(trim(read_file(folder / "starts.txt")), '\n').size();
}

constexpr const char* kTpe = "method = \"tpe\"\ntrials = 24\nlag = 4";

}  // namespace

TEST_CASE("tpe gives the same trials one after the other and side by side, and finds the good ones",
          "[e2e]") {
  const TempDir one, four;
  write_search(one, kTpe, 1);
  write_search(four, kTpe, 4);
  CHECK(sweep(one, 0).size() == 24);
  CHECK(sweep(four, 0).size() == 24);
  const auto trials = trials_of(one);
  CHECK(trials.size() == 24);
  CHECK(trials_of(four) == trials);
  const auto lines = lines_of(one / "runs/sweep1/trials.jsonl");
  CHECK(lines[3]["seen"] == 0);
  CHECK(lines[23]["seen"] == 20);
  CHECK(lines[23]["runs"] == Json::array({"run24"}));
  double first = 0, last = 0;
  for (size_t i = 0; i < 10; ++i) {
    first += lines[i]["f1"].get<double>();
    last += lines[i + 14]["f1"].get<double>();
  }
  CHECK(last > first + 100);
  // All is there: nothing is started again.
  const size_t starts = count_starts(one);
  CHECK(starts == 24);
  sweep(one, 0);
  CHECK(count_starts(one) == starts);
  CHECK(trials_of(one) == trials);
}

TEST_CASE("tpe that is killed and begun again goes on with the same trials", "[e2e]") {
  const TempDir whole, killed;
  write_search(whole, kTpe, 4);
  write_search(killed, kTpe, 4);
  sweep(whole, 0);
  write_file(killed / "slow.txt", "0.1");
  for (const size_t runs : {3, 9, 15}) {
    const pid_t child = spawn_sweep(killed);
    REQUIRE(wait_until(
        20, [&] { return std::filesystem::exists(killed / "starts.txt") && count_starts(killed) >= runs; }));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    REQUIRE(wait_until(5, [&] { return !someone_in(killed / "runs"); }));
  }
  CHECK(sweep(killed, 0).size() == 24);
  CHECK(trials_of(killed) == trials_of(whole));
}

TEST_CASE("tpe whose runs another sweep's scheduler starts proposes while it waits", "[e2e]") {
  const TempDir alone, guest;
  write_search(alone, kTpe, 2);
  sweep(alone, 0);
  write_sweep(guest, "\"sleep 4\"");
  const pid_t host = start_sweep(guest);
  write_search(guest, kTpe, 2);
  const ProgramResult result = run_program(sweep_argv(guest));
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.err, Catch::Contains("handed to it"));
  ::waitpid(host, nullptr, 0);
  std::vector<std::string> trials;
  for (const auto& line : lines_of(guest / "runs/sweep2/trials.jsonl"))
    trials.push_back(line["params"].dump() + " " + line["f1"].dump());
  CHECK(trials == trials_of(alone));
}

TEST_CASE("tpe as jobs of Slurm gives the same trials", "[e2e]") {
  SKIP_UNLESS(OneNodeSlurm::obstacle().empty(), OneNodeSlurm::obstacle().c_str());
  const std::string sampler = "method = \"tpe\"\ntrials = 13\nlag = 3\nseeds = [1, 2]";
  const TempDir here, cluster;
  write_search(here, sampler, 2);
  sweep(here, 0);
  OneNodeSlurm slurm;
  write_search(cluster, sampler, 2);
  write_file(cluster / "s.toml", read_file(cluster / "s.toml") + "[executor]\nkind = \"slurm\"\n");
  CHECK(sweep(cluster, 0).size() == 26);
  CHECK(trials_of(cluster) == trials_of(here));
}

TEST_CASE("flags of a tpe sweep: --dry-run says what is known, --max-runs and --fail-fast end it", "[e2e]") {
  const TempDir folder;
  write_search(folder, kTpe, 1);
  const auto with = [&](const std::string& flag, int exit_code) {
    auto words = sweep_argv(folder);
    words.push_back(flag);
    const ProgramResult result = run_program(words);
    INFO(result.err);
    CHECK(result.exit_code == exit_code);
    return Json::parse(result.out);
  };
  const Json plan = with("--dry-run", 0);
  CHECK(plan["runs"].size() == 4);
  CHECK(plan["to_come"] == 20);
  CHECK_FALSE(std::filesystem::exists(folder / "runs"));
  with("--max-runs=6", 0);
  CHECK(count_starts(folder) == 6);
  const Json later = with("--dry-run", 0);
  CHECK(later["runs"].size() == 10);
  CHECK(later["to_come"] == 14);
  CHECK(later["runs"][0]["params"] == plan["runs"][0]["params"]);
  CHECK(later["runs"][5]["plan"] == "succeeded, skipped");
  CHECK(sweep(folder, 0).size() == 24);
  const TempDir failing;
  write_search(failing, kTpe, 1, "fails");
  auto words = sweep_argv(failing);
  words.push_back("--fail-fast");
  CHECK(run_program(words).exit_code == 4);
  CHECK(count_starts(failing) < 24);
}

TEST_CASE("a trial that failed is passed over, and tried again it changes no other trial", "[e2e]") {
  const TempDir folder;
  write_search(folder, kTpe, 2);
  // The eighth trial fails the first time.
  write_file(folder / "job.sh",
             "test \"$EXPCTL_RUN_ID\" = run8 -a ! -e ../../go.txt && exit 1\n" + std::string(kJob));
  CHECK(sweep(folder, 4).size() == 24);
  const auto before = lines_of(folder / "runs/sweep1/trials.jsonl");
  CHECK(before[7]["ended"] == true);
  CHECK(before[7]["f1"].is_null());
  write_file(folder / "go.txt", "");
  auto words = sweep_argv(folder);
  words.push_back("--retry-failed");
  const ProgramResult again = run_program(words);
  INFO(again.err);
  CHECK(again.exit_code == 0);
  CHECK(Json::parse(again.out)["runs"].size() == 24);
  CHECK(count_starts(folder) == 24);
  const auto after = lines_of(folder / "runs/sweep1/trials.jsonl");
  REQUIRE(after.size() == 24);
  for (size_t i = 0; i < 24; ++i) CHECK(after[i]["params"] == before[i]["params"]);
  CHECK(after[7]["f1"].is_number());
}

TEST_CASE("random trials are all known from the beginning", "[e2e]") {
  const TempDir folder;
  write_search(folder, "method = \"random\"\ntrials = 6\nseeds = [1, 2]", 2);
  CHECK(sweep(folder, 0).size() == 12);
  CHECK(sweep(folder, 0).size() == 12);
  CHECK(count_starts(folder) == 12);
}
