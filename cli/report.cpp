// `expctl report`: the whole workspace as one page, as Markdown, or as CSV.
#include <fmt/core.h>

#include "cli/output_file.h"
#include "cli/verbs.h"
#include "cli/workspace_facts.h"
#include "core/error.h"
#include "core/json.h"
#include "reports/runs_csv.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

int report(const Program& program, const fs::path& out) {
  const std::string kind = out.extension().string();
  if (kind != ".html" && kind != ".md" && kind != ".csv")
    throw Error(fmt::format("--out {}: no such kind of report", out.string()),
                "a name that ends in .html, .md or .csv", ErrorCode::kUsage);
  const WorkspacePaths workspace = program.workspace();
  const Registry registry = Registry::open_to_look(workspace.registry());
  std::string text;
  if (kind == ".csv") {
    text = all_csv(registry.list_runs());
  } else {
    const WorkspaceFacts facts = workspace_facts(registry, workspace);
    text = kind == ".html" ? workspace_html(facts) : workspace_markdown(facts);
  }
  write_output(out, text, kind == ".csv" ? kCsvMark : kReportMark);
  if (program.json)
    fmt::print(
        "{}",
        json_text({{"schema_version", 1}, {"report", fs::absolute(out).string()}, {"bytes", text.size()}}));
  else
    fmt::print("{}\n", out.string());
  return 0;
}

}  // namespace

void add_report(CLI::App& app, Program& program) {
  auto* verb =
      app.add_subcommand("report", "Write the leaderboard, curves, ensembles, failures and more as one page");
  verb->footer("Example: expctl report --out report.html; .md and .csv make Markdown and a table");
  auto out = std::make_shared<fs::path>("report.html");
  verb->add_option("--out", *out,
                   "The file, whose ending says what it is: .html, .md, .csv (default: report.html)");
  on_call(verb, program, [&program, out] { return report(program, *out); });
}

}  // namespace expctl
