#include "runner/supervisor.h"

#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "core/clock.h"
#include "core/environment.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "core/worker_exit.h"
#include "runner/attempt_request.h"
#include "runner/claim.h"
#include "runner/gpu_log.h"
#include "runner/job_array.h"
#include "runner/launcher.h"
#include "runner/process_table.h"
#include "runner/ranks_command.h"
#include "runner/run_log.h"
#include "runner/signal_wait.h"
#include "runner/slots.h"
#include "runner/walltime.h"

namespace expctl {
namespace {

/// One worker and the time it has left.
class Attempt {
 public:
  Attempt(const WorkerRequest& request, const RunPaths& paths, const SupervisorOptions& options,
          const Claim& claim)
      : request_(request), paths_(paths), options_(options), claim_(claim), parent_(::getppid()) {}

  Outcome run() {
    started_ = clock_.now_s();
    end_.is_command = request_.spec.is_command();
    const int64_t kills_before = out_of_memory_kills();
    log_begin_ = file_bytes(paths_.log());
    try {
      // expctl-train knows more of it, and writes it itself.
      if (end_.is_command) write_file(paths_.environment(), json_text(environment_of(request_)));
      worker_ = launch(launch_spec());
    } catch (const std::exception& e) {
      return finished(failed_outcome(FailReason::kFailedToStart, e.what()));
    }
    if (!request_.devices.gpus.empty()) gpu_log_.emplace(request_.devices.gpus, paths_.gpu_readings());
    wait_for_worker();
    end_descendants();
    take_late_signals();
    if (has_ranks_) end_.wait_status = rank_wait_status(end_.wait_status);
    end_.killed_for_memory = out_of_memory_kills() > kills_before;
    end_.says_out_of_memory = says_out_of_memory(own_log_tail());
    Outcome outcome = classify(end_);
    if (outcome.end == AttemptEnd::kInterrupted) outcome.signal = end_.out_of_walltime ? SIGUSR1 : told_by_;
    if (outcome.end == AttemptEnd::kSucceeded) run_after_success(outcome);
    if (outcome.end == AttemptEnd::kPruned) outcome.message = why_pruned_;
    if (outcome.end == AttemptEnd::kFailed && outcome.message.empty()) outcome.message = describe(outcome);
    return finished(outcome);
  }

 private:
  LaunchSpec launch_spec() const {
    LaunchSpec spec;
    spec.argv = request_.argv;
    spec.folder = paths_.folder;
    spec.log = paths_.log();
    spec.environment = request_.environment;
    spec.cpu_ids = request_.devices.cpu_ids;
    spec.parent_death_signal = SIGKILL;
    if (!end_.is_command) spec.dropped = launcher_variables();
    // mpirun would kill its ranks two seconds after it, whatever they are saving. They hear it themselves.
    if (has_ranks_) spec.blocked_signals = {SIGTERM};
    return spec;
  }

  void wait_for_worker() {
    while (!reap()) {
      const double now_s = clock_.now_s();
      const double limit = request_.spec.resources.timeout_s;
      if (now_s >= next_look_ || next_look_ > now_s + kLongestWait_s) {  // the clock may have been set back
        next_look_ = now_s + kLongestWait_s;
        cap_log(paths_.log());
        if (gpu_log_) gpu_log_->write(now_s);
        if (!end_.stopped && std::filesystem::exists(paths_.stop_request())) {
          end_.stopped = true;
          begin_end(options_.grace_s);
        }
        if (!end_.pruned && std::filesystem::exists(paths_.prune_request())) {
          end_.pruned = true;
          why_pruned_ = read_file(paths_.prune_request());
          begin_end(0);  // nobody needs the state that it would save
        }
        if (!is_current(claim_, paths_)) {
          begin_end(0);  // the cluster has started the job anew, and it runs there
        }
      }
      if (!ending_ && limit > 0 && now_s >= started_ + limit) {
        end_.timed_out = true;
        begin_end(options_.orphan_grace_s);
      }
      if (!ending_ && walltime_s_ > 0 && now_s >= started_ + walltime_s_) on_walltime_over();
      if (ending_ && now_s >= kill_at_) signal_everything(SIGKILL);
      if (ending_ && has_ranks_) ask_to_end();  // one that mpirun has started only now
      const double next = ending_ ? kill_at_ - now_s : limit > 0 ? started_ + limit - now_s : kLongestWait_s;
      const int signal = signals_.wait(std::clamp(next, kShortestWait_s, kLongestWait_s));
      if (signal != 0 && signal != SIGCHLD) on_told_to_end(signal);
    }
  }

  void on_walltime_over() {
    end_.out_of_walltime = true;
    begin_end(options_.grace_s);
  }

  /// A cluster sends TERM to all processes of a job, and the worker may be gone before this process has it.
  void take_late_signals() {
    constexpr double kLate_s = 0.5;
    const double until = clock_.now_s() + (in_cluster() && end_.wait_status != 0 && !ending_ ? kLate_s : 0);
    for (double left = 0; !end_.told_to_end && left >= 0; left = until - clock_.now_s()) {
      const int signal = signals_.wait(left);
      if (signal == SIGTERM || signal == SIGINT) {
        told_by_ = signal;
        end_.told_to_end = true;
      }
    }
  }

  bool in_cluster() const { return !options_.token.empty(); }

  /// Whether the job's time cannot be what the signal is about; Slurm may send it a minute before its time.
  bool is_much_too_early() const {
    constexpr double kEarliest_s = 90;
    return walltime_s_ > 0 && clock_.now_s() < started_ + walltime_s_ - kEarliest_s;
  }

  void on_told_to_end(int signal) {
    if (signal == SIGUSR1) {
      if (!in_cluster() || ending_) return;
      if (!is_much_too_early()) return on_walltime_over();
      signal = SIGTERM;  // some clusters preempt with the signal that a job has asked for
    }
    told_by_ = signal;
    const bool again = ending_ && end_.told_to_end;
    end_.told_to_end = true;
    const bool is_orphan = ::getppid() != parent_;
    begin_end(is_orphan ? options_.orphan_grace_s : options_.grace_s);
    if (is_orphan) kill_at_ = std::min(kill_at_, clock_.now_s() + options_.orphan_grace_s);
    if (again) kill_at_ = 0;
  }

  /// The shorter grace holds where there are several reasons.
  void begin_end(double grace_s) {
    const double kill_at = clock_.now_s() + grace_s;
    kill_at_ = ending_ ? std::min(kill_at_, kill_at) : kill_at;
    if (!std::exchange(ending_, true)) ask_to_end();
  }

  /// mpirun gives each rank a process group of its own.
  void ask_to_end() {
    ::kill(-worker_, SIGTERM);
    if (!has_ranks_) return;
    for (const pid_t rank : descendants(worker_)) ::kill(rank, SIGTERM);
  }

  void signal_everything(int signal) {
    ::kill(-worker_, signal);
    for (const pid_t pid : descendants(::getpid())) ::kill(pid, signal);
  }

  /// Takes in whatever has ended, adopted orphans too; true once the worker itself has.
  bool reap() {
    int status = 0;
    pid_t pid = 0;
    while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
      if (pid != worker_) continue;
      end_.wait_status = status;
      worker_ended_ = true;
    }
    return worker_ended_;
  }

  /// Orphans come to this process, a subreaper, as their parents end: killed until none is left.
  void end_descendants() {
    while (true) {
      int status = 0;
      pid_t pid = 0;
      while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
      }
      if (pid < 0 && errno == ECHILD) return;
      for (const pid_t left : descendants(::getpid())) ::kill(left, SIGKILL);
      signals_.wait(kShortestWait_s);
    }
  }

  void run_after_success(Outcome& outcome) {
    if (!options_.after_success) return;
    try {
      options_.after_success(request_, paths_);
    } catch (const std::exception& e) {
      outcome = failed_outcome(FailReason::kExitCode, e.what());
    }
  }

  std::string describe(const Outcome& outcome) const {
    switch (outcome.reason) {
      case FailReason::kTimedOut:
        return fmt::format("ended after its time limit of {} s", request_.spec.resources.timeout_s);
      case FailReason::kOutOfMemory:
        return outcome.signal != 0 ? "the kernel ended it for lack of memory" : last_words();
      case FailReason::kDiverged:
        return "the loss or the gradient is no finite number";
      case FailReason::kSignal:
        if (const std::string rank = lost_rank(); !rank.empty()) return rank;
        return fmt::format("ended by signal {} ({})", outcome.signal, ::strsignal(outcome.signal));
      default:
        if (const std::string rank = lost_rank(); !rank.empty()) return rank;
        return last_words();
    }
  }

  /// Of what this attempt has written.
  std::string own_log_tail() const { return file_tail(paths_.log(), log_begin_); }

  /// The one that ended the run; "" where it has no ranks.
  std::string lost_rank() const { return has_ranks_ ? ended_rank(own_log_tail()) : ""; }

  std::string last_words() const {
    constexpr int kLines = 3;
    return std::string(trim(tail_lines(trim(own_log_tail()), kLines)));
  }

  Outcome finished(Outcome outcome) const {
    rusage usage{};
    ::getrusage(RUSAGE_CHILDREN, &usage);
    constexpr int64_t kKibibyte = 1024;
    outcome.max_rss_bytes = usage.ru_maxrss * kKibibyte;
    return of_attempt(std::move(outcome), request_.attempt, started_, clock_.now_s());
  }

  static constexpr double kShortestWait_s = 0.02;
  static constexpr double kLongestWait_s = 1;

  const WorkerRequest& request_;
  const RunPaths& paths_;
  const SupervisorOptions& options_;
  const Claim& claim_;
  const pid_t parent_;
  const bool has_ranks_ = rank_count(request_.spec) > 1;
  /// Seconds that a cluster's job may take before it has to save its state.
  const double walltime_s_ = in_cluster() ? usable_walltime_s(request_.spec) : 0;
  SystemClock clock_;
  SignalWait signals_{SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1};
  pid_t worker_ = 0;
  bool worker_ended_ = false;
  int told_by_ = 0;
  std::string why_pruned_;
  bool ending_ = false;
  double started_ = 0;
  double kill_at_ = 0;
  double next_look_ = 0;
  int64_t log_begin_ = 0;
  std::optional<GpuLog> gpu_log_;
  WorkerEnd end_;
};

/// What nobody knew when the job was submitted. The request keeps its token: that of the attempt's claim
/// follows from it.
void complete_request(WorkerRequest& request, const Claim& claim, const ClusterJob& job) {
  request.attempt = claim.attempt;
  const auto cores = static_cast<int>(usable_cpus().size());
  request.devices.threads = job.cpus > 0 ? std::min(job.cpus, cores) : cores;
  // What the environment names where the job has asked for none is not its own.
  const char* gpus = std::getenv("CUDA_VISIBLE_DEVICES");
  if (job_script_for(request.spec).gpus > 0 && gpus != nullptr && *gpus != '\0')
    request.devices.gpus = split(gpus, ',');
  std::erase_if(request.environment, [](const auto& one) { return one.first == "OMP_NUM_THREADS"; });
  request.environment.emplace_back("OMP_NUM_THREADS", std::to_string(request.devices.threads));
}

}  // namespace

Outcome classify(const WorkerEnd& end) {
  Outcome outcome;
  const int status = end.wait_status;
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  const bool native = !end.is_command && WIFEXITED(status);
  if (WIFEXITED(status) && outcome.exit_code == 0) {
    outcome.end = AttemptEnd::kSucceeded;
  } else if (end.stopped) {
    outcome.end = AttemptEnd::kStopped;
    outcome.message = "stopped by a person";
  } else if (end.pruned) {
    outcome.end = AttemptEnd::kPruned;
  } else if (end.timed_out) {
    outcome.reason = FailReason::kTimedOut;
  } else if (end.out_of_walltime && end.is_command) {
    outcome.reason = FailReason::kTimedOut;  // another try would get as far
  } else if (end.out_of_walltime) {
    outcome.end = AttemptEnd::kInterrupted;
    outcome.message = "the time of the cluster's job was over";
  } else if (end.told_to_end || (native && outcome.exit_code == kExitTerminated)) {
    outcome.end = AttemptEnd::kInterrupted;
    outcome.message = "told to end";
  } else if (native && outcome.exit_code == kExitDiverged) {
    outcome.reason = FailReason::kDiverged;
  } else if (native && outcome.exit_code == kExitOutOfMemory) {
    outcome.reason = FailReason::kOutOfMemory;
  } else if ((end.killed_for_memory && outcome.signal == SIGKILL) ||
             (end.is_command && end.says_out_of_memory)) {
    outcome.reason = FailReason::kOutOfMemory;
  } else {
    outcome.reason = outcome.signal != 0 ? FailReason::kSignal : FailReason::kExitCode;
  }
  return outcome;
}

Outcome supervise(const std::filesystem::path& folder, const SupervisorOptions& options) {
  const RunPaths paths{std::filesystem::absolute(folder).lexically_normal()};
  WorkerRequest request = worker_request_from_json(read_json(paths.request()), paths.request().string());
  const bool in_cluster = !options.token.empty();
  if (in_cluster && request.attempt_token != options.token) {
    throw Error(
        fmt::format("{}: another attempt has been made since this job was submitted", folder.string()),
        "nothing is to be done");
  }
  const ClusterJob job = in_cluster ? this_cluster_job() : ClusterJob{};
  const Claim claim = take_claim(request, paths, job, SystemClock().now_s());
  if (claim.number > 0) remove_results(paths);  // of the attempt before: this one may leave none
  if (in_cluster) {
    complete_request(request, claim, job);
    write_request(request, paths, paths.folder);
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  // It holds the signals back until the outcome is written: none may end this process before.
  Attempt attempt(request, paths, options, claim);
  const Outcome outcome = attempt.run();
  // A twin of this job (a requeue) may have been given a newer attempt meanwhile; then the outcome is not
  // ours to write.
  if (is_current(claim, paths)) {
    remove_folder_at(paths.outcome());
    write_file(paths.outcome(), json_text(to_json(outcome)));
  }
  return outcome;
}

}  // namespace expctl
