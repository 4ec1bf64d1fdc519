// `expctl registry check|rebuild|backup`: the database itself, against the folders of its workspace.
#include "registry/registry.h"

#include <fmt/core.h>

#include <ctime>

#include "cli/terminal.h"
#include "cli/verbs.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/text.h"
#include "registry/maintenance.h"
#include "reports/table.h"
#include "runner/file_lock.h"
#include "runner/rebuild.h"
#include "runner/record_check.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

struct CheckOptions {
  bool hashes = false;
  bool mend = false;
};

void mend(const Program& program, const Registry& registry) {
  const FileLock lock = lock_idle_workspace(program.workspace());
  for (const auto& left : mend_files(registry, program.workspace())) say(program, left);
}

int check(const Program& program, const CheckOptions& options) {
  const WorkspacePaths workspace = program.workspace();
  const Registry registry = Registry::open_to_look(workspace.registry());
  if (options.mend) mend(program, registry);
  const auto differences = check_records(registry, workspace, options.hashes);
  const size_t entries = registry.list_runs().size();
  if (program.json) {
    Json list = Json::array();
    for (const auto& d : differences)
      list.push_back({{"id", d.id}, {"what", d.what}, {"where", d.where}, {"remedy", d.remedy}});
    fmt::print("{}", json_text({{"schema_version", 1},
                                {"registry", workspace.registry().string()},
                                {"entries", entries},
                                {"hashes", options.hashes},
                                {"differences", list}}));
  } else if (differences.empty()) {
    fmt::print("{} their folders\n", counted(static_cast<size_t>(entries), "run or ensemble agrees with",
                                             "runs and ensembles agree with"));
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const auto& d : differences)
      rows.push_back(
          {d.id, d.what, fs::path(d.where).lexically_proximate(workspace.root).string(), d.remedy});
    fmt::print("{}", render_table({"id", "difference", "where", "what to do"}, rows, stdout_style()));
  }
  return differences.empty() ? 0 : static_cast<int>(ErrorCode::kError);
}

int rebuild(const Program& program, bool force) {
  const Rebuilt rebuilt = rebuild_registry(program.workspace(), force);
  bool is_whole = true;
  Json list = Json::array();
  for (const auto& note : rebuilt.notes) {
    is_whole = is_whole && !note.is_left_out;
    list.push_back({{"id", note.where}, {"what", note.what}, {"left_out", note.is_left_out}});
  }
  if (program.json) {
    fmt::print(
        "{}", json_text({{"schema_version", 1},
                         {"registry", program.workspace().registry().string()},
                         {"sweeps", rebuilt.sweeps},
                         {"runs", rebuilt.runs},
                         {"ensembles", rebuilt.ensembles},
                         {"set_aside", rebuilt.set_aside.empty() ? Json() : Json(rebuilt.set_aside.string())},
                         {"notes", list}}));
  } else {
    for (const auto& note : rebuilt.notes)
      fmt::print("{}{}: {}\n", note.where, note.is_left_out ? " is left out" : "", note.what);
    fmt::print("{}: {}, {}, {}\n", program.workspace().registry().string(), counted(rebuilt.sweeps, "sweep"),
               counted(rebuilt.runs, "run"), counted(rebuilt.ensembles, "ensemble"));
  }
  if (!rebuilt.set_aside.empty())
    say(program, fmt::format("what was there before is kept as {}", rebuilt.set_aside.string()));
  return is_whole ? 0 : static_cast<int>(ErrorCode::kError);
}

/// registry-20260601-073000.db
std::string backup_name(double now) {
  const auto seconds = static_cast<std::time_t>(now);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  char text[48] = {};
  std::strftime(text, sizeof text, "registry-%Y%m%d-%H%M%S.db", &local);
  return text;
}

int backup(const Program& program, fs::path file) {
  const fs::path registry = program.workspace().registry();
  if (file.empty()) file = program.workspace_dir / backup_name(SystemClock().now_s());
  if (const fs::path folder = fs::absolute(file).parent_path(); !fs::is_directory(folder))
    throw Error(fmt::format("{}: no such folder", folder.string()), "make it, or name another",
                ErrorCode::kNotFound);
  Registry::open_existing(registry);  // says what is wrong with one that is missing, damaged or newer
  copy_registry(registry, file);
  if (program.json)
    fmt::print("{}", json_text({{"schema_version", 1}, {"file", fs::absolute(file).string()}}));
  else
    fmt::print("{}\n", file.string());
  say(program,
      fmt::format("to go back to it while no sweep is at work: mv it to {} and remove {}-wal and -shm",
                  registry.string(), registry.filename().string()));
  return 0;
}

void add_check(CLI::App& registry, Program& program) {
  auto* verb = registry.add_subcommand(
      "check", "Compare it with the folders of its workspace; exit code 1 where anything differs");
  auto options = std::make_shared<CheckOptions>();
  verb->add_flag("--hashes", options->hashes, "Read every file of every run, and compare its SHA-256 too");
  verb->add_flag("--mend", options->mend,
                 "First write run.json and the sweeps' files anew where they differ from the registry");
  verb->footer("For example, before a submission: expctl registry check --hashes");
  on_call(verb, program, [&program, options] { return check(program, *options); });
}

void add_rebuild(CLI::App& registry, Program& program) {
  auto* verb = registry.add_subcommand("rebuild", "Make it anew from the folders, ids and all");
  auto force = std::make_shared<bool>(false);
  verb->add_flag("--force", *force, "Where there is one: keep it as registry.db.old-1 (-2, ...)");
  verb->footer(
      "For example, after registry.db was lost: expctl registry rebuild\n"
      "Exit code 1 where a folder had to be left out.");
  on_call(verb, program, [&program, force] { return rebuild(program, *force); });
}

void add_backup(CLI::App& registry, Program& program) {
  auto* verb = registry.add_subcommand("backup", "Copy it, also while a sweep is at work");
  auto file = std::make_shared<fs::path>();
  verb->add_option("FILE", *file, "A new file (default: registry-DATE-TIME.db in the workspace)");
  verb->footer("For example: expctl registry backup /backup/registry-monday.db");
  on_call(verb, program, [&program, file] { return backup(program, *file); });
}

}  // namespace

void add_registry(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("registry", "Check, rebuild or back up the database of the runs");
  add_check(*verb, program);
  add_rebuild(*verb, program);
  add_backup(*verb, program);
  verb->footer("For example: expctl registry check");
  verb->require_subcommand(1);
}

}  // namespace expctl
