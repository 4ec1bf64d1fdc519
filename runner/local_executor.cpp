#include "runner/local_executor.h"

#include <fmt/core.h>
#include <sys/wait.h>

#include <csignal>

#include "core/error.h"
#include "runner/attempt_results.h"
#include "runner/launcher.h"
#include "runner/process_table.h"
#include "runner/signal_wait.h"

namespace expctl {

LocalExecutor::LocalExecutor(GpuPool& gpus, std::filesystem::path expctl, bool native_gpus)
    : expctl_(std::move(expctl)), slots_(usable_cpus(), gpus, native_gpus) {}

std::string LocalExecutor::obstacle(const Demand& wanted) const {
  try {
    slots_.check(wanted);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

void LocalExecutor::start(RunningAttempt attempt, Slot slot, const RunPaths& paths,
                          const std::string& token) {
  // A GPU stays locked until the supervisor has ended what uses it, also where this process is killed.
  LaunchSpec spec;
  spec.argv = {expctl_.string(), "job", paths.folder.string()};
  spec.folder = paths.folder;
  spec.log = paths.log();
  spec.environment = {{kAttemptVariable, token}};
  spec.kept_descriptors = slot.lock_descriptors();
  spec.parent_death_signal = SIGTERM;
  const pid_t pid = launch(spec);
  attempts_.push_back({std::move(attempt), pid, token, std::move(slot)});
}

std::vector<RunningAttempt*> LocalExecutor::running() {
  std::vector<RunningAttempt*> all;
  for (auto& child : attempts_) all.push_back(&child.attempt);
  return all;
}

std::vector<LocalExecutor::Ended> LocalExecutor::collect(const WorkspacePaths& workspace) {
  std::vector<Ended> all;
  for (size_t i = 0; i < attempts_.size();) {
    if (::waitpid(attempts_[i].supervisor, nullptr, WNOHANG) == 0) {
      ++i;
      continue;
    }
    auto child = std::move(attempts_[i]);
    attempts_.erase(attempts_.begin() + static_cast<std::ptrdiff_t>(i));
    const RunningAttempt& attempt = child.attempt;
    auto outcome = read_outcome(workspace.run(attempt.run.id), attempt.attempt);
    if (!outcome) wait_for_leftovers(child.token, 0);  // nobody else will end them
    all.push_back({attempt.run, std::move(outcome), attempt.attempt, attempt.started, child.told});
  }
  return all;
}

void LocalExecutor::end_all() {
  for (auto& child : attempts_) {
    if (!child.told || all_told_) ::kill(child.supervisor, SIGTERM);
    child.told = true;
  }
  all_told_ = true;
}

bool LocalExecutor::end_trainings() {
  bool found = false;
  for (auto& child : attempts_) {
    if (child.told || child.attempt.spec.is_command()) continue;
    ::kill(child.supervisor, SIGTERM);
    found = child.told = true;
  }
  return found;
}

void wait_for_leftovers(const std::string& token, double patience_s) {
  constexpr double kPause_s = 0.05;
  constexpr int kTries = 200;
  SignalWait signals({SIGCHLD});
  std::vector<pid_t> alive;
  for (int i = 0; i < kTries; ++i) {
    alive = processes_of_attempt(token);
    if (alive.empty()) return;
    if (i * kPause_s >= patience_s) {
      for (const pid_t pid : alive) ::kill(pid, SIGKILL);
    }
    signals.wait(kPause_s);
  }
  throw Error(fmt::format("process {} of an earlier attempt cannot be ended", alive.front()),
              "end it by hand, then run the same command again");
}

}  // namespace expctl
