// `expctl train FILE`: one run, the sweep of one that the file's [train] and --set describe.
#include <fmt/core.h>

#include "cli/sweep_run.h"
#include "cli/verbs.h"
#include "core/error.h"

namespace expctl {
namespace {

int train(const Program& program, const SweepRunOptions& options) {
  SweepSpec sweep = read_sweep(options.file);
  for (const auto& setting : options.settings) apply_setting(sweep, setting);
  const auto runs = sweep.method == SweepMethod::kGrid
                        ? expand(sweep).size()
                        : static_cast<size_t>(sweep.trials) * sweep.seeds.size();
  if (runs != 1) {
    throw Error(fmt::format("{}: it describes {} runs; train does one", options.file, runs),
                "expctl sweep runs them all; --set key=value fixes a swept key, --set seed=1 the seed",
                ErrorCode::kUsage);
  }
  return run_sweep(program, sweep, options);
}

}  // namespace

void add_train(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("train", "Do one run: a sweep of one");
  verb->footer("Example: expctl train lr.toml --set learning_rate=3e-5 --set seed=42");
  auto options = std::make_shared<SweepRunOptions>();
  verb->add_option("FILE", options->file, "The sweep file (TOML)")->required();
  verb->add_option("--set", options->settings, "key=value in place of the file's, any number of times")
      ->allow_extra_args(false);
  verb->add_flag("--dry-run", options->dry_run, "Say what would be run; touch nothing");
  verb->add_flag("--retry-failed", options->retry_failed, "Try it again where it has failed");
  on_call(verb, program, [&program, options] { return train(program, *options); });
}

}  // namespace expctl
