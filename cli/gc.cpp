// `expctl gc`: what takes room and nothing needs.
#include <fmt/core.h>

#include <filesystem>

#include "cli/terminal.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "core/text.h"
#include "registry/registry.h"
#include "reports/table.h"
#include "runner/removal.h"

namespace expctl {
namespace {

/// One thing that may go.
struct Line {
  std::string id, what;
  int64_t bytes = 0;
};

Json lines_json(const std::vector<Line>& lines, int64_t bytes, bool deleted) {
  Json list = Json::array();
  for (const auto& line : lines)
    list.push_back({{"id", line.id}, {"what", line.what}, {"bytes", line.bytes}});
  return {{"schema_version", 1}, {"deleted", deleted}, {"bytes", bytes}, {"entries", list}};
}

int collect(const Program& program, const ClearingLimits& limits, bool deletes) {
  const WorkspacePaths workspace = program.workspace();
  Registry registry = Registry::open_existing(workspace.registry());
  std::vector<Line> lines;
  for (const auto& folder : leftovers(registry, workspace)) {
    lines.push_back({folder.lexically_proximate(workspace.root).string(), "left over", folder_bytes(folder)});
    std::error_code ignored;  // what stays is named again the next time
    if (deletes) std::filesystem::remove_all(folder, ignored);
  }
  for (const auto& one : plan_clearing(entries_in_use(registry, workspace), limits)) {
    try {
      if (deletes) clear(registry, workspace, one);
      lines.push_back({one.id, std::string(name_of(one.spare)), one.bytes});
    } catch (const Error& e) {  // it is needed by now
      say(program, fmt::format("{} of {} stay: {}", name_of(one.spare), one.id, e.what()));
    }
  }
  int64_t bytes = 0;
  std::vector<std::vector<std::string>> rows;
  for (const auto& line : lines) {
    bytes += line.bytes;
    rows.push_back({line.id, line.what, bytes_text(line.bytes)});
  }
  if (program.json)
    fmt::print("{}", json_text(lines_json(lines, bytes, deletes)));
  else if (!rows.empty())
    fmt::print("{}", render_table({"id", "what", "size"}, rows, stdout_style()));
  say(program, rows.empty() ? "nothing to clear"
               : deletes    ? fmt::format("{} freed", bytes_text(bytes))
                            : fmt::format("{} would be freed: the same with --delete", bytes_text(bytes)));
  return 0;
}

}  // namespace

void add_gc(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("gc", "List files that can be deleted; --delete deletes them");
  struct Options {
    ClearingLimits limits;
    bool deletes = false;
  };
  auto options = std::make_shared<Options>();
  verb->add_flag("--delete", options->deletes, "Delete them");
  auto* weights =
      verb->add_flag("--weights", options->limits.weights, "The weights of entries beyond the best ones too");
  verb->add_option("--keep", options->limits.keep, "How many of the best keep their weights (default: 10)")
      ->check(CLI::Range(0, kMostCounted))
      ->needs(weights);
  on_call(verb, program, [&program, options] { return collect(program, options->limits, options->deletes); });
  verb->footer(
      "Optimizer states of runs that have ended go first: a retry then begins anew. Entries with a tag, "
      "members of ensembles, what lies in a submission, and runs that may go on keep everything; scores and "
      "answers always stay.\n"
      "Example: expctl gc --weights --keep 5, and the same with --delete");
}

}  // namespace expctl
