#include "tests/support/fetch_server.h"

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "core/files.h"
#include "core/text.h"

namespace expctl::test {
namespace fs = std::filesystem;

FetchServer::FetchServer() {
  ::setenv("no_proxy", "*", 1);  // where this machine has a proxy, it knows nothing of the server
  const std::string script = (source_dir() / "tests/support/fetch_server.py").string();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execlp("python3", "python3", script.c_str(), folder().c_str(), nullptr);
    ::_exit(127);
  }
  for (int i = 0; i < 1000 && !fs::exists(folder_ / "port.txt"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  REQUIRE(fs::exists(folder_ / "port.txt"));
}

FetchServer::~FetchServer() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::string FetchServer::address(const std::string& manner) const {
  return "http://127.0.0.1:" + read_file(folder_ / "port.txt") + "/" + manner;
}

std::vector<std::string> FetchServer::requests() const {
  if (!fs::exists(folder_ / "log.txt")) return {};
  auto lines = split(read_file(folder_ / "log.txt"), '\n');
  lines.pop_back();  // what follows the last line break
  return lines;
}

std::string varied_text(size_t bytes) {
  std::string text;
  for (size_t i = 0; text.size() < bytes; ++i) text += std::to_string(i * i) + "\n";
  text.resize(bytes);
  return text;
}

void run_python(const std::string& script, const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {"python3", "-c", script};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const ProgramResult result = run_program(argv);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
}

SmallDisk::SmallDisk(const std::string& size) {
  mounted_ = ::mount("tmpfs", path().c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
}

SmallDisk::~SmallDisk() {
  if (mounted_) ::umount2(path().c_str(), MNT_DETACH);
}

void SmallDisk::grow_to(const std::string& size) const {
  REQUIRE(::mount("tmpfs", path().c_str(), "tmpfs", MS_REMOUNT, ("size=" + size).c_str()) == 0);
}

}  // namespace expctl::test
