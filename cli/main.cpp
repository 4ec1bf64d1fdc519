// expctl: reads the command line, calls one verb, turns Error into a message and an exit code. The only place
// that exits.
#include <fmt/core.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "cli/help.h"
#include "cli/reference.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "cli/worker_call.h"
#include "core/error.h"
#include "core/text.h"
#include "core/threads.h"
#include "core/version.h"
#include "runner/slots.h"

namespace expctl {
namespace {

int fail(const Error& e) {
  tell(fmt::format("expctl: {}", e.what()) + (e.hint().empty() ? "" : fmt::format("\n  hint: {}", e.hint())));
  return static_cast<int>(e.code());
}

/// Whether all that was printed to stdout is there; says why where it is not.
bool is_output_whole() {
  const int error = flush_stdout();
  if (error == 0 || error == EPIPE) return true;  // EPIPE: whoever read has seen enough
  fail(errno_error("cannot write to stdout", error));
  return false;
}

std::vector<std::string> verb_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* verb : app.get_subcommands([](const CLI::App* a) { return !a->get_group().empty(); })) {
    names.push_back(verb->get_name());
  }
  return names;
}

/// The word where a verb was expected and none is called so; "" where that is not what is wrong.
std::string unknown_verb(const CLI::App& app, int argc, char** argv) {
  if (verb_names(app).empty() || app.get_require_subcommand_min() == 0) return "";
  bool is_after = app.get_parent() == nullptr;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (is_after && word == "--workspace") ++i;  // and its folder
    if (is_after && word[0] != '-') return word;
    is_after = is_after || word == app.get_name();
  }
  return "";
}

/// What was not expected, as it was typed, and what may have been meant.
std::string unexpected_words(const CLI::App& app, const std::vector<std::string>& words) {
  std::vector<std::string> known = verb_names(app);
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) known.push_back("--" + name);
  }
  return fmt::format("not expected: {}{}", join(words, " "), did_you_mean(words.front(), known));
}

/// Help and version go to stdout with 0; everything else is a usage error.
int report_parse(const CLI::App& app, const CLI::ParseError& e, int argc, char** argv) {
  const CLI::App* deepest = &app;
  std::string name = app.get_name();
  while (!deepest->get_subcommands().empty()) {
    deepest = deepest->get_subcommands().front();
    name += " " + deepest->get_name();
  }
  const std::string word = unknown_verb(*deepest, argc, argv);
  if (e.get_exit_code() == 0 && word.empty()) return app.exit(e);
  std::string what = e.what();
  if (!word.empty())
    what = fmt::format("there is no '{} {}'{}", name, word, did_you_mean(word, verb_names(*deepest)));
  else if (const auto extras = app.remaining(true);
           dynamic_cast<const CLI::ExtrasError*>(&e) != nullptr && !extras.empty())
    what = unexpected_words(*deepest, extras);
  return fail(Error(what, fmt::format("{} --help says more", name), ErrorCode::kUsage));
}

struct VerbGroup {
  std::string title;
  std::vector<void (*)(CLI::App&, Program&)> verbs;
};

/// What CLI11 calls the group of a verb that is in none.
constexpr const char* kNoGroup = "Subcommands";

/// As --help lists them, in the order in which they are used.
std::vector<VerbGroup> verb_groups() {
  return {{"Run", {add_sweep, add_train, add_stop, add_resume, add_logs}},
          {"Look", {add_runs, add_compare, add_report, add_serve}},
          {"Combine and hand in", {add_ensemble, add_evaluate, add_predict, add_package, add_verify}},
          {"Data and models",
           {add_demo, add_fetch, add_convert, add_import, add_import_recipe, add_export, add_score,
            add_features}},
          {"Housekeeping",
           {add_tag, add_rm, add_gc, add_registry, add_doctor, add_completion, add_job, add_man}}};
}

int run(int argc, char** argv) {
  CLI::App app{"expctl: from a sweep file to a checkable submission (BERT on SQuAD 1.1)", "expctl"};
  Program program;
  program.workspace_dir = "runs";
  app.set_version_flag("--version", fmt::format("expctl {} ({})", version(), build_id()));
  app.add_option("--workspace", program.workspace_dir,
                 "Folder of the registry and the runs (default: ./runs)")
      ->envname("EXPCTL_WORKSPACE");
  app.add_flag("--json", program.json, "Machine-readable output on stdout");
  app.add_flag("-q,--quiet", program.quiet, "No progress and no hints on stderr");
  app.formatter(std::make_shared<HelpFormatter>(help_width()));
  app.require_subcommand(1);
  app.fallthrough();
  for (const auto& group : verb_groups()) {
    for (auto* add : group.verbs) add(app, program);
    for (auto* verb : app.get_subcommands([](const CLI::App* a) { return a->get_group() == kNoGroup; }))
      verb->group(group.title);
  }
  app.footer(exit_codes_text());  // after the verbs, which would inherit it
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return report_parse(app, e, argc, argv);
  }
  set_thread_count(static_cast<int64_t>(usable_cpus().size()));
  program.arguments.assign(argv + 1, argv + argc);
  if (program.workspace_dir.empty())
    throw Error("--workspace is empty", "name a folder, or leave it out for ./runs", ErrorCode::kUsage);
  program.workspace_dir = std::filesystem::absolute(program.workspace_dir).lexically_normal();
  return program.action();
}

}  // namespace
}  // namespace expctl

int main(int argc, char** argv) {
  std::signal(SIGCHLD, SIG_DFL);  // ignored by who started it, the ends of children would not be seen
  try {
    const int code = expctl::run(argc, argv);
    return expctl::is_output_whole() ? code : static_cast<int>(expctl::ErrorCode::kError);
  } catch (const expctl::Interrupted& interrupted) {
    return 128 + interrupted.signal;
  } catch (const expctl::Error& e) {
    return expctl::fail(e);
  } catch (const std::exception& e) {
    return expctl::fail(expctl::Error(e.what()));
  }
}
