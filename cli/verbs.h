// The verbs of the command line.
#pragma once

#include "cli/cli11.h"
#include "cli/program.h"

namespace expctl {

/// The most that an option which counts something takes.
inline constexpr int kMostCounted = 1'000'000;

/// What the program does where the verb is called, once the whole command line has been read.
inline void on_call(CLI::App* verb, Program& program, std::function<int()> action) {
  verb->callback([&program, action = std::move(action)] { program.action = action; });
}

// One file a verb: each adds its subcommand with options and help, and sets program.action when it is called.
void add_sweep(CLI::App& app, Program& program);
void add_train(CLI::App& app, Program& program);
void add_stop(CLI::App& app, Program& program);
void add_resume(CLI::App& app, Program& program);
void add_evaluate(CLI::App& app, Program& program);
void add_predict(CLI::App& app, Program& program);
void add_ensemble(CLI::App& app, Program& program);
void add_package(CLI::App& app, Program& program);
void add_verify(CLI::App& app, Program& program);
void add_report(CLI::App& app, Program& program);
void add_runs(CLI::App& app, Program& program);
void add_replay(CLI::App& runs, Program& program);  ///< a verb of `expctl runs`
void add_compare(CLI::App& app, Program& program);
void add_tag(CLI::App& app, Program& program);
void add_rm(CLI::App& app, Program& program);
void add_gc(CLI::App& app, Program& program);
void add_logs(CLI::App& app, Program& program);
void add_serve(CLI::App& app, Program& program);
void add_score(CLI::App& app, Program& program);
void add_features(CLI::App& app, Program& program);
void add_demo(CLI::App& app, Program& program);
void add_convert(CLI::App& app, Program& program);
void add_fetch(CLI::App& app, Program& program);
void add_import(CLI::App& app, Program& program);
void add_import_recipe(CLI::App& app, Program& program);
void add_export(CLI::App& app, Program& program);
void add_registry(CLI::App& app, Program& program);
void add_doctor(CLI::App& app, Program& program);
void add_completion(CLI::App& app, Program& program);
void add_man(CLI::App& app, Program& program);
void add_job(CLI::App& app, Program& program);

}  // namespace expctl
