// `expctl job RUN_FOLDER`: the leaf supervisor of one attempt; the scheduler or a cluster's job starts it,
// people do not.
#include <csignal>
#include <cstdlib>

#include "cli/command_results.h"
#include "cli/verbs.h"
#include "runner/supervisor.h"

namespace expctl {

void add_job(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("job", "Supervise one attempt of a run (started by the scheduler)");
  verb->group("");  // hidden
  auto folder = std::make_shared<std::filesystem::path>();
  verb->add_option("RUN_FOLDER", *folder, "A folder with a request.json")->required();
  auto token = std::make_shared<std::string>();
  verb->add_option("--attempt", *token, "In a cluster's job: the attempt that it was submitted for");
  on_call(verb, program, [folder, token] {
    SupervisorOptions options;
    options.token = *token;
    options.after_success = [](const WorkerRequest& request, const RunPaths& paths) {
      if (request.spec.is_command()) take_command_results(request, paths);
    };
    // A cluster kills everything 30 s (Slurm) or 10 s (PBS) after its TERM, unless set otherwise.
    constexpr double kGraceInSlurm_s = 20, kGraceInPbs_s = 7;
    if (!token->empty())
      options.grace_s = std::getenv("PBS_JOBID") == nullptr ? kGraceInSlurm_s : kGraceInPbs_s;
    const Outcome outcome = supervise(*folder, options);
    if (!token->empty() && outcome.end == AttemptEnd::kInterrupted && outcome.signal == SIGTERM) {
      std::signal(SIGTERM, SIG_DFL);  // so that the cluster sees who has ended the job
      std::raise(SIGTERM);
    }
    return outcome.end == AttemptEnd::kSucceeded ? 0 : 1;
  });
}

}  // namespace expctl
