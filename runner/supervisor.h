// The leaf supervisor, `expctl job RUN_FOLDER`: does one attempt of one run and says in outcome.json how it
// ended.
//
// The same on this machine and inside a cluster's job. It never opens the registry. While it lives it is a
// subreaper, so that nothing which the worker started can escape it; when its parent dies it is sent SIGTERM
// (launch() arranges that) and ends everything within orphan_grace_s and a second.
#pragma once

#include <filesystem>
#include <functional>

#include "core/outcome.h"
#include "core/request.h"
#include "core/run_paths.h"

namespace expctl {

struct SupervisorOptions {
  double grace_s = 30;  ///< from TERM to KILL where someone asks for an end: a worker saves its state in it
  double orphan_grace_s = 3;  ///< the same where the parent died, or the time limit passed
  /// In a cluster's job: the token of the attempt that the job was submitted for. "": a scheduler on this
  /// machine is the parent.
  std::string token;
  /// Called when a command has ended with 0, before the outcome is written; what it throws makes the attempt
  /// a failed one.
  std::function<void(const WorkerRequest&, const RunPaths&)> after_success;
};

/// Reads request.json, claims the attempt, starts request.argv in the folder, waits, ends every descendant,
/// writes outcome.json (last, atomically) and returns what is in it. Signals TERM, INT and HUP end the
/// attempt as interrupted; a second one kills at once; USR1 or the executor's time say that the cluster's job
/// is about to end. Throws Error, and writes nothing, where the request cannot be read, is another than
/// `token` says, or another supervisor has claimed the attempt. Where another takes the claim over, all is
/// ended and nothing is written.
Outcome supervise(const std::filesystem::path& folder, const SupervisorOptions& options);

/// What is known when the worker has ended.
struct WorkerEnd {
  int wait_status = 0;       ///< as waitpid() gives it
  bool told_to_end = false;  ///< by a signal to the supervisor
  bool timed_out = false;
  bool out_of_walltime = false;     ///< the cluster's job was about to end
  bool stopped = false;             ///< by a person: stop_request() was there
  bool pruned = false;              ///< prune_request() was there
  bool killed_for_memory = false;   ///< the kernel counted such a kill in this cgroup
  bool says_out_of_memory = false;  ///< the end of the attempt's log
  bool is_command = false;  ///< else expctl-train, whose exit codes have meanings (core/worker_exit.h)
};

/// The state, reason, exit code and signal that follow; a pure function. An attempt that succeeded while it
/// was told to end has succeeded.
Outcome classify(const WorkerEnd& end);

}  // namespace expctl
