// Who has taken an attempt. A request is done once: by the supervisor that makes the first claim, or, where a
// cluster has requeued the job, by the one that makes the next.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/request.h"
#include "core/run_paths.h"

namespace expctl {

/// The job of a cluster that this process runs in, from its environment.
struct ClusterJob {
  std::string id;              ///< an array's task "7_3" (Slurm), "7[3].server" (PBS); "": in none
  std::optional<int> restart;  ///< how often it has been requeued; PBS does not say
  int cpus = 0;                ///< that it was given; 0: not said
};
ClusterJob this_cluster_job();

struct Claim {
  std::string token;  ///< of the request
  int number = 0;     ///< how many claims of the request were made before
  int attempt = 1;    ///< each claim is an attempt of its own
  std::string job;    ///< ClusterJob::id; "": a scheduler on this machine started it
  int restart = 0;
  double time = 0;  ///< Unix seconds
};

/// Of a new request: no other has it.
std::string new_token();

/// The token of the attempt that a claim stands for; the request's for its first.
std::string attempt_token(const Claim& claim);

/// All claims of the request with this token, the first one first.
std::vector<Claim> read_claims(const RunPaths& paths, const std::string& token);

/// Whether `job` may take up what `newest` had: it is the same job, requeued, or begun anew by a cluster that
/// has forgotten (then the attempt must have said its end, else it may still live). Another job never may, so
/// that a request which was submitted twice runs once.
bool may_take_over(const Claim& newest, bool has_ended, const ClusterJob& job);

/// Claims the request for this process. Throws Error "attempt 2 has been taken already" where somebody else
/// has, or where it has ended and was not interrupted.
Claim take_claim(const WorkerRequest& request, const RunPaths& paths, const ClusterJob& job, double now_s);

/// The file of the newest claim there is, whoever's.
std::filesystem::path newest_claim_file(const RunPaths& paths);

/// Whether this claim is still the newest.
bool is_current(const Claim& claim, const RunPaths& paths);

}  // namespace expctl
