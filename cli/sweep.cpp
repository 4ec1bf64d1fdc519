// `expctl sweep FILE`: every (config, seed) of a sweep file; run again, it goes on where it stopped.
#include "cli/sweep_run.h"
#include "cli/until.h"
#include "cli/verbs.h"
#include "core/clock.h"

namespace expctl {

void add_sweep(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("sweep", "Run every (config, seed) of a sweep file; again, to go on");
  verb->footer(
      "Examples: expctl sweep lr.toml --dry-run, then expctl sweep lr.toml --detach --until 07:30\n"
      "          expctl sweep lr.toml --replicate 8 --best 2");
  auto options = std::make_shared<SweepRunOptions>();
  verb->add_option("FILE", options->file, "The sweep file (TOML)")->required();
  verb->add_flag("--dry-run", options->dry_run,
                 "Say what would be run, for a cluster by which script; touch nothing");
  verb->add_flag("--retry-failed", options->retry_failed, "Try failed runs again");
  verb->add_flag("--fail-fast", options->fail_fast, "Start nothing more once a run has failed");
  verb->add_option("--max-runs", options->max_runs,
                   "Start at most N runs; the rest stay queued and do not change the exit code")
      ->check(CLI::Range(1, kMostCounted));
  verb->add_option("--gpus", options->gpus,
                   "Use these GPUs only: nvidia-smi's numbers or UUIDs, separated by commas");
  auto* replicate = verb->add_option("--replicate", options->replicate,
                                     "Once all has ended: more seeds for the best configs, until each has N")
                        ->check(CLI::Range(2, 1000));
  verb->add_option("--best", options->best, "So many configs get them (default: 2)")
      ->check(CLI::Range(1, kMostCounted))
      ->needs(replicate);
  auto until = std::make_shared<std::string>();
  verb->add_option(
      "--until", *until,
      "Stop at this time, as Ctrl-C does: 07:30 (the next one), 2026-06-01T07:30, or 90m, 8h from now");
  verb->add_option("--executor", options->executor,
                   "Run on this machine or as jobs of a cluster, whatever the file says")
      ->check(CLI::IsMember({"local", "slurm", "pbs"}));
  verb->add_flag("--detach", options->detach, "Go on in the background once everything is checked");
  verb->callback([&program, options, until] {
    if (!until->empty()) options->until = parse_until(*until, SystemClock().now_s());
    program.action = [&program, options] { return run_sweep(program, read_sweep(options->file), *options); };
  });
}

}  // namespace expctl
