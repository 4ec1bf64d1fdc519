// `expctl export`: the runs for other programs: as CSV, for MLflow, for TensorBoard.
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "cli/output_file.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "registry/registry.h"
#include "reports/mlflow_store.h"
#include "reports/runs_csv.h"
#include "reports/tensorboard_export.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

struct ExportOptions {
  std::vector<std::string> ids;
  std::string where;
  bool csv = false;
  fs::path out;  ///< of --csv; "": stdout
  fs::path mlflow;
  fs::path tensorboard;
  std::string artifacts = "small";
};

/// Those that were named, or all, and of them those of which --where is true.
std::vector<RunRecord> chosen_runs(const Registry& registry, const ExportOptions& options) {
  auto runs = registry.query_runs({parse_where(options.where)});
  if (options.ids.empty()) return runs;
  std::set<std::string> wanted;
  for (const auto& run : registry.resolve_runs(options.ids)) wanted.insert(run.id);
  std::erase_if(runs, [&](const RunRecord& run) { return !wanted.contains(run.id); });
  return runs;
}

/// Where a run has gone.
struct Exported {
  std::string id;
  std::string group;
  fs::path folder;
};

void print_report(const Program& program, const std::string& kind, const fs::path& where,
                  const std::vector<Exported>& exported) {
  if (!program.json) return;
  Json list = Json::array();
  for (const auto& one : exported)
    list.push_back({{"id", one.id}, {"group", one.group}, {"folder", one.folder.string()}});
  fmt::print("{}", json_text({{"schema_version", 1},
                              {"kind", kind},
                              {"path", fs::absolute(where).lexically_normal().string()},
                              {"runs", list}}));
}

/// Runs one by one, since the curves of all together may be large.
template <typename Write>
std::vector<Exported> export_each(const Program& program, const Registry& registry,
                                  const std::vector<RunRecord>& runs, const Write& write) {
  std::vector<Exported> exported;
  for (const auto& run : runs) {
    const RunExport entry = read_run_export(registry, program.workspace(), run);
    try {
      exported.push_back({run.id, entry.group.name, write(entry)});
    } catch (const Error& e) {
      throw Error(fmt::format("{} is not exported: {}", run.id, e.what()),
                  !e.hint().empty() ? e.hint()
                                    : fmt::format("{} of {} runs were; make room or name another folder, and "
                                                  "run it again, which goes over all of them",
                                                  exported.size(), runs.size()),
                  e.code());
    }
  }
  return exported;
}

/// "6 runs of lr (sweep1)"
std::string count_text(const std::vector<Exported>& exported) {
  std::set<std::string> groups;
  for (const auto& one : exported) groups.insert(one.group);
  return fmt::format("{}{}{}", counted(exported.size(), "run"), groups.empty() ? "" : " of ",
                     join({groups.begin(), groups.end()}, ", "));
}

int export_csv(const Program& program, const ExportOptions& options, const std::vector<RunRecord>& runs) {
  if (options.out.empty()) {
    if (program.json)
      throw Error("--json has no place beside CSV on stdout", "--out FILE writes the CSV there",
                  ErrorCode::kUsage);
    fmt::print("{}", all_csv(runs));
    return 0;
  }
  write_output(options.out, all_csv(runs), kCsvMark);
  std::vector<Exported> exported;
  for (const auto& run : runs) exported.push_back({run.id, run.sweep_id, ""});
  print_report(program, "csv", options.out, exported);
  say(program, fmt::format("{}: {}", options.out.string(), counted(runs.size(), "run")));
  return 0;
}

int export_mlflow(const Program& program, const ExportOptions& options, const Registry& registry,
                  const std::vector<RunRecord>& runs) {
  const ExportedArtifacts which = options.artifacts == "none"  ? ExportedArtifacts::kNone
                                  : options.artifacts == "all" ? ExportedArtifacts::kAll
                                                               : ExportedArtifacts::kSmall;
  MlflowStore store(options.mlflow);
  const auto exported = export_each(program, registry, runs, [&](const RunExport& entry) {
    return store.write(entry, exported_files(entry, which, registry.artifacts(entry.run.id)));
  });
  print_report(program, "mlflow", options.mlflow, exported);
  say(program, fmt::format("{}: {}", options.mlflow.string(), count_text(exported)));
  say(program, fmt::format("next: MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri {}",
                           shell_quote(options.mlflow.string())));
  return 0;
}

int export_tensorboard(const Program& program, const ExportOptions& options, const Registry& registry,
                       const std::vector<RunRecord>& runs) {
  const auto exported = export_each(program, registry, runs, [&](const RunExport& entry) {
    return write_tensorboard_run(entry, options.tensorboard);
  });
  print_report(program, "tensorboard", options.tensorboard, exported);
  say(program, fmt::format("{}: {}", options.tensorboard.string(), count_text(exported)));
  say(program, fmt::format("next: tensorboard --logdir {}", shell_quote(options.tensorboard.string())));
  return 0;
}

int export_runs(const Program& program, const ExportOptions& options) {
  const Registry registry = Registry::open_to_look(program.workspace().registry());
  const auto runs = chosen_runs(registry, options);
  if (!options.mlflow.empty()) return export_mlflow(program, options, registry, runs);
  if (!options.tensorboard.empty()) return export_tensorboard(program, options, registry, runs);
  return export_csv(program, options, runs);
}

}  // namespace

void add_export(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("export", "Give the runs to other programs: CSV, MLflow, TensorBoard");
  auto options = std::make_shared<ExportOptions>();
  verb->add_option("ID", options->ids, "run3, ens1, @, a tag, or sweep1 for all of its runs (default: all)");
  verb->add_option("--where", options->where, "Those of which it is true, as in `expctl runs`");
  auto* csv =
      verb->add_flag("--csv", options->csv, "A row a run with every parameter and score (the default)");
  verb->add_option("--out", options->out, "Write the CSV to this file (default: stdout)");
  auto* mlflow =
      verb->add_option("--mlflow", options->mlflow, "Put them into this folder, an MLflow file store")
          ->type_name("DIR")
          ->excludes(csv);
  verb->add_option("--tensorboard", options->tensorboard, "Write event files below this folder")
      ->type_name("DIR")
      ->excludes(csv)
      ->excludes(mlflow);
  verb->add_option("--artifacts", options->artifacts,
                   "Files that go with --mlflow: none, small (default) or all, which is with weights and "
                   "logits")
      ->check(CLI::IsMember({"none", "small", "all"}))
      ->needs(mlflow);
  verb->footer(
      "A second export brings the first up to date. Examples:\n"
      "  expctl export > runs.csv\n"
      "  expctl export sweep1 --where 'f1>80' --mlflow mlruns\n"
      "  expctl export --tensorboard tb; tensorboard --logdir tb");
  verb->callback([&program, options] {
    if (!options->out.empty() && (!options->mlflow.empty() || !options->tensorboard.empty()))
      throw CLI::ValidationError("--out is of --csv");
    program.action = [&program, options] { return export_runs(program, *options); };
  });
}

}  // namespace expctl
