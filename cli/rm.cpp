// `expctl rm ID ..`: entries off the record, with their folders.
#include <fmt/core.h>

#include <algorithm>

#include "cli/verbs.h"
#include "core/error.h"
#include "core/text.h"
#include "registry/registry.h"
#include "runner/removal.h"

namespace expctl {
namespace {

/// Ensembles before their members, each once.
std::vector<RunRecord> resolved(const Registry& registry, const std::vector<std::string>& words) {
  std::vector<RunRecord> entries;
  for (const auto& word : words) {
    RunRecord entry = registry.resolve_run(word);
    const bool is_known =
        std::any_of(entries.begin(), entries.end(), [&](const auto& e) { return e.id == entry.id; });
    if (!is_known) entries.push_back(std::move(entry));
  }
  std::stable_partition(entries.begin(), entries.end(), [](const auto& e) { return e.is_ensemble(); });
  return entries;
}

int remove(const Program& program, const std::vector<std::string>& words, bool dry_run) {
  Registry registry = Registry::open_existing(program.workspace().registry());
  const auto entries = resolved(registry, words);
  std::vector<std::string> ids;
  for (const auto& entry : entries) ids.push_back(entry.id);
  check_removable(registry, program.workspace(), ids);  // before the first one goes
  Json list = Json::array();
  for (const auto& entry : entries) {
    const int64_t bytes = folder_bytes(program.workspace().folder(entry.id));
    if (!dry_run) remove_entry(registry, program.workspace(), entry.id);
    say(program,
        fmt::format("{} {} ({})", entry.id, dry_run ? "would be removed" : "removed", bytes_text(bytes)));
    list.push_back({{"id", entry.id}, {"bytes", bytes}});
  }
  if (program.json)
    fmt::print("{}", json_text({{"schema_version", 1}, {"removed", !dry_run}, {"entries", list}}));
  return 0;
}

}  // namespace

void add_rm(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("rm", "Remove runs or ensembles that have ended, with their folders");
  struct Options {
    std::vector<std::string> ids;
    bool dry_run = false;
  };
  auto options = std::make_shared<Options>();
  verb->add_option("ID", options->ids, "run3, ens1, a tag, ...")->required();
  verb->add_flag("--dry-run", options->dry_run, "Say what would go; touch nothing");
  on_call(verb, program, [&program, options] { return remove(program, options->ids, options->dry_run); });
  verb->footer(
      "A member of an ensemble and what lies in a submission stay. Numbers are never given again.\n"
      "Example: expctl rm run3 run4");
}

}  // namespace expctl
