// `expctl fetch` as a person calls it, with EXPCTL_FETCH_BASE naming a server of this machine.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "core/files.h"
#include "core/text.h"
#include "tests/support/fetch_server.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

const std::string kProgram = (bin_dir() / "expctl").string();

ProgramResult fetch(const std::vector<std::string>& words, const fs::path& folder, const std::string& base) {
  std::vector<std::string> argv = {kProgram, "fetch"};
  argv.insert(argv.end(), words.begin(), words.end());
  const std::string setting = "EXPCTL_FETCH_BASE=" + base;
  return run_program(argv, folder, {setting, "no_proxy=*"});
}

/// Starts it and kills it once some of the file is there.
void fetch_killed(const fs::path& folder, const std::string& base, const fs::path& part) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("EXPCTL_FETCH_BASE", base.c_str(), 1);
    ::execl(kProgram.c_str(), kProgram.c_str(), "-q", "fetch", "squad", "--out", folder.c_str(), nullptr);
    ::_exit(127);
  }
  std::error_code absent;
  for (int i = 0; i < 1000; ++i) {
    if (const auto size = fs::file_size(part, absent); !absent && size > 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

}  // namespace

TEST_CASE("fetch: what is not what was published is refused", "[e2e]") {
  const FetchServer server;
  const TempDir dir;
  write_file(server.folder() / "train-v1.1.json", varied_text(5000));
  write_file(server.folder() / "uncased_L-12_H-768_A-12.zip", varied_text(5000));
  const ProgramResult squad = fetch({"squad", "--out", "data"}, dir.path(), server.address("redirect"));
  CHECK(squad.exit_code == 1);
  CHECK(squad.out.empty());
  CHECK_THAT(squad.err, Contains("train-v1.1.json: not what was published: its SHA-256 is ") &&
                            Contains("not 3527663986b8295af4f7fcdff1ba1ff3f72d07d61a20f487cb238a6ef92fd955"));
  CHECK(server.requests() == std::vector<std::string>{"GET /redirect/SQuAD-explorer/dataset/train-v1.1.json ",
                                                      "GET /plain/train-v1.1.json "});
  CHECK(fs::is_empty(dir / "data"));
  const ProgramResult bert = fetch({"bert-base-uncased"}, dir.path(), server.address("plain"));
  CHECK(bert.exit_code == 1);
  CHECK_THAT(bert.err, Contains("uncased_L-12_H-768_A-12.zip: not what was published"));
  CHECK(fs::is_empty(dir / "models"));
}

TEST_CASE("fetch: offline it says what to put where", "[e2e]") {
  const TempDir dir;
  const std::string base = "http://127.0.0.1:1";
  const ProgramResult squad = fetch({"squad"}, dir.path(), base);
  CHECK(squad.exit_code == 1);
  CHECK_THAT(squad.err, Contains("cannot fetch http://127.0.0.1:1/SQuAD-explorer/dataset/train-v1.1.json: "));
  CHECK_THAT(squad.err, Contains("/dataset/dev-v1.1.json -> " + (dir / "dev-v1.1.json").string()));
  const ProgramResult bert = fetch({"bert-base-uncased"}, dir.path(), base);
  CHECK(bert.exit_code == 1);
  CHECK_THAT(bert.err, Contains("uncased_L-12_H-768_A-12.zip -> " +
                                (dir / "models/uncased_L-12_H-768_A-12.zip").string()));
}

TEST_CASE("fetch: wrong usage", "[e2e]") {
  const TempDir dir;
  const ProgramResult unknown = fetch({"squat"}, dir.path(), "");
  CHECK(unknown.exit_code == 2);
  CHECK_THAT(unknown.err, Contains("did you mean 'squad'?"));
  CHECK(fetch({"squad"}, dir.path(), "ftp://mirror").exit_code == 2);
  CHECK(fs::is_empty(dir.path()));
}

TEST_CASE("fetch: one that is killed takes its download along, and the next goes on", "[e2e]") {
  const FetchServer server;
  const TempDir dir;
  write_file(server.folder() / "train-v1.1.json", varied_text(200'000));
  const fs::path part = dir / "train-v1.1.json.part";
  fetch_killed(dir.path(), server.address("slow"), part);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const auto got = fs::file_size(part);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  REQUIRE(fs::file_size(part) == got);
  REQUIRE(got > 0);
  REQUIRE(got < 200'000);
  CHECK(fetch({"squad"}, dir.path(), server.address("plain")).exit_code == 1);  // it is not the real file
  CHECK_THAT(server.requests()[1], Contains("train-v1.1.json bytes=" + std::to_string(got) + "-"));
}
