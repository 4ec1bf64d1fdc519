#include "runner/launcher.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/process/v2/posix/default_launcher.hpp>
#include <boost/process/v2/posix/vfork_launcher.hpp>
#include <boost/process/v2/process.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <map>

#include "core/error.h"
#include "core/text.h"

namespace expctl {
namespace {
namespace process = boost::process::v2;
using boost::system::error_code;

#ifdef __SANITIZE_THREAD__
using Launcher = process::posix::default_launcher;  // ThreadSanitizer makes a fork of vfork
#else
using Launcher = process::posix::vfork_launcher;  // copies no page tables
#endif

std::map<std::string, std::string> merged_environment(const LaunchSpec& spec) {
  std::map<std::string, std::string> merged;
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    const bool is_dropped = std::any_of(spec.dropped.begin(), spec.dropped.end(),
                                        [&](const auto& beginning) { return text.starts_with(beginning); });
    if (equals != std::string_view::npos && !is_dropped)
      merged[std::string(text.substr(0, equals))] = text.substr(equals + 1);
  }
  for (const auto& [name, value] : spec.environment) merged[name] = value;
  return merged;
}

/// Boost's hooks around fork and exec. Boost calls a hook only where its signature fits exactly;
/// on_exec_error is looked up with five arguments and called with four (a slip of 1.81), so both are
/// declared. Between vfork and exec the child borrows this process's memory: only async-signal-safe calls are
/// allowed there, and all that they need is allocated before.
class ChildSetup {
 public:
  ChildSetup(const LaunchSpec& spec, const std::map<std::string, std::string>& environment)
      : folder_(spec.folder.string()),
        log_(spec.log.string()),
        errors_(spec.errors.string()),
        kept_(spec.kept_descriptors),
        death_signal_(spec.parent_death_signal),
        bound_(!spec.cpu_ids.empty()),
        parent_(::getpid()) {
    for (const auto& [name, value] : environment) variables_.push_back(name + "=" + value);
    for (const auto& variable : variables_) pointers_.push_back(variable.c_str());
    pointers_.push_back(nullptr);
    CPU_ZERO(&cpus_);
    for (const int cpu : spec.cpu_ids) CPU_SET(static_cast<size_t>(cpu), &cpus_);
    ::sigemptyset(&blocked_);
    for (const int signal : spec.blocked_signals) ::sigaddset(&blocked_, signal);
  }

  template <typename AnyLauncher>
  error_code on_setup(AnyLauncher& launcher, const boost::filesystem::path&, const char* const*&) {
    launcher.env = pointers_.data();
    return {};
  }

  template <typename AnyLauncher>
  error_code on_exec_setup(AnyLauncher&, const boost::filesystem::path&, const char* const*&) {
    errno = 0;
    return prepare() ? error_code{} : error_code(errno, boost::system::system_category());
  }

  template <typename AnyLauncher>
  void on_exec_error(AnyLauncher&, const boost::filesystem::path&, const char* const*&, const error_code&) {
    ::_exit(127);  // Boost would call exit(): buffers written twice, destructors run in the child.
  }
  template <typename AnyLauncher>
  void on_exec_error(AnyLauncher&, const error_code&, const boost::filesystem::path&, const char* const*&,
                     const error_code&);

 private:
  /// In the child. False, with errno set, where something cannot be had.
  bool prepare() const {
    if (::setsid() < 0) return false;
    if (death_signal_ != 0) {
      if (::prctl(PR_SET_PDEATHSIG, death_signal_) != 0) return false;
      if (::getppid() != parent_) ::_exit(127);  // it died before prctl
    }
    if (bound_ && ::sched_setaffinity(0, sizeof cpus_, &cpus_) != 0) return false;
    if (::chdir(folder_.c_str()) != 0) return false;
    const int null_fd = ::open("/dev/null", O_RDONLY);
    const int log_fd = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (null_fd < 0 || log_fd < 0) return false;
    const int error_fd =
        errors_.empty() ? log_fd : ::open(errors_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (error_fd < 0) return false;
    if (::dup2(null_fd, 0) < 0 || ::dup2(log_fd, 1) < 0 || ::dup2(error_fd, 2) < 0) return false;
    ::sigprocmask(SIG_SETMASK, &blocked_, nullptr);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) std::signal(signal, SIG_DFL);
    if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return false;
    for (const int fd : kept_) {
      if (::fcntl(fd, F_SETFD, 0) != 0) return false;
    }
    return true;
  }

  std::string folder_;
  std::string log_;
  std::string errors_;
  std::vector<int> kept_;
  int death_signal_;
  bool bound_;
  pid_t parent_;
  cpu_set_t cpus_{};
  sigset_t blocked_{};
  std::vector<std::string> variables_;
  std::vector<const char*> pointers_;
};

Error cannot_start(const std::string& program, const std::string& why) {
  return Error(fmt::format("cannot start {}: {}", program, why), "is it installed, executable, and on PATH?");
}

}  // namespace

std::filesystem::path find_program(const std::string& name, const std::string& path) {
  if (name.find('/') != std::string::npos) return name;
  for (const auto& folder : split(path, ':')) {
    const auto candidate = std::filesystem::path(folder.empty() ? "." : folder) / name;
    std::error_code unreadable;
    if (std::filesystem::is_regular_file(candidate, unreadable) && ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
  }
  return {};
}

bool is_in_path(const std::string& name) {
  const char* path = std::getenv("PATH");
  return path != nullptr && !find_program(name, path).empty();
}

pid_t launch(const LaunchSpec& spec) {
  if (spec.argv.empty()) throw Error("cannot start an empty command line");
  const auto environment = merged_environment(spec);
  const auto path = environment.find("PATH");
  const auto program = find_program(spec.argv[0], path == environment.end() ? "/usr/bin:/bin" : path->second);
  if (program.empty()) throw cannot_start(spec.argv[0], "no such program in PATH");
  boost::asio::io_context context;
  Launcher launcher;
  error_code error;
  ChildSetup setup(spec, environment);
  const std::vector<std::string> arguments(spec.argv.begin() + 1, spec.argv.end());
  auto child =
      launcher(context.get_executor(), error, boost::filesystem::path(program.string()), arguments, setup);
  if (error) {
    if (launcher.pid > 0) ::waitpid(launcher.pid, nullptr, 0);
    throw cannot_start(spec.argv[0], error.message());
  }
  child.detach();
  return launcher.pid;
}

}  // namespace expctl
