// What the verbs share: the global flags, where this program lies, and how a verb says what to run.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <filesystem>
#include <functional>

#include "core/run_paths.h"
#include "reports/table.h"

namespace expctl {

/// The most that an option which counts something takes.
inline constexpr int kMostCounted = 1'000'000;

struct Program {
  std::filesystem::path workspace_dir;  ///< --workspace, EXPCTL_WORKSPACE, or ./runs; made absolute by main
  bool json = false;
  bool quiet = false;
  std::vector<std::string> arguments;  ///< as they were typed, without the program's name
  std::function<int()> action;         ///< set by the verb that was called; returns the exit code

  WorkspacePaths workspace() const { return {workspace_dir}; }
};

/// The path of the running program itself (/proc/self/exe).
std::filesystem::path self_path();

/// Whether stderr is a terminal that may be animated and coloured (NO_COLOR, TERM=dumb).
bool stderr_is_interactive();

/// Of a table on stdout: as wide as its terminal, coloured but for NO_COLOR and TERM=dumb; plain where it is
/// none.
TableStyle stdout_style();

/// Of --help: as wide as stdout's terminal, 80 columns where it is none.
size_t help_width();

/// " --workspace DIR" for a command to type next, "" where the workspace is the usual one.
std::string workspace_option(const Program& program);

/// Throws Error where a folder to be made is there and not empty, or is a file. `hint`: what to do then.
void check_new_folder(const std::filesystem::path& folder, const std::string& hint);

/// "expctl" and the words, quoted for a shell.
std::string command_text(const std::vector<std::string>& words);

/// Writes what was printed to stdout so far. Returns the first error that this has met (errno), 0 for none.
int flush_stdout();

/// A line on stderr, also with --quiet. It stands behind what was printed before, where both go to one file.
void tell(const std::string& line);

/// The same, unless --quiet.
void say(const Program& program, const std::string& line);

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
