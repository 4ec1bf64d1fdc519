// `expctl tag ID NAME`: a name of one's own for a run, which every verb takes in place of its id.
#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "cli/verbs.h"
#include "core/error.h"
#include "registry/registry.h"
#include "runner/record_files.h"

namespace expctl {
namespace {

void check_name(const std::string& name) {
  const bool is_plain = std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  });
  constexpr size_t kLongest = 64;
  if (name.empty() || name.size() > kLongest || name[0] == '-' || !is_plain || parse_id(name)) {
    throw Error(fmt::format("'{}' cannot be a tag", name),
                "up to 64 letters, digits, '-', '_' and '.', and not like run3", ErrorCode::kUsage);
  }
}

/// Where there is a run file: one that was never started has none.
void write_again(const Registry& registry, const std::string& id, const WorkspacePaths& workspace) {
  const RunPaths paths = workspace.run(id);
  if (std::filesystem::exists(paths.run())) write_run_file(registry, id, paths);
}

int tag(const Program& program, const std::string& word, const std::string& name) {
  check_name(name);
  Registry registry = Registry::open_existing(program.workspace().registry());
  const RunRecord run = registry.resolve_run(word);
  const std::string before = registry.set_tag(name, run.id, [&](const std::string& owner) {
    write_again(registry, run.id, program.workspace());
    if (!owner.empty() && owner != run.id) write_again(registry, owner, program.workspace());
  });
  say(program,
      fmt::format("{} is {}{}", name, run.id,
                  before.empty() || before == run.id ? "" : fmt::format(", and {} no more", before)));
  return 0;
}

int untag(const Program& program, const std::string& name) {
  Registry registry = Registry::open_existing(program.workspace().registry());
  const std::string before = registry.remove_tag(
      name, [&](const std::string& owner) { write_again(registry, owner, program.workspace()); });
  if (before.empty())
    throw Error(fmt::format("there is no tag '{}'", name), "expctl runs show ID shows those of a run",
                ErrorCode::kNotFound);
  say(program, fmt::format("{} is no longer {}", before, name));
  return 0;
}

}  // namespace

void add_tag(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("tag", "Give a run a name of your own");
  struct Options {
    std::string id, name, removed;
  };
  auto options = std::make_shared<Options>();
  verb->add_option("ID", options->id, "run3, ens1, @ (the newest), ...");
  verb->add_option("NAME", options->name, "If another run has this name, it moves here");
  verb->add_option("--remove", options->removed, "Take a name away instead");
  verb->callback([&program, options] {
    const bool adds = !options->id.empty() && !options->name.empty();
    if (adds == !options->removed.empty() || (!adds && !options->id.empty()))
      throw CLI::ValidationError("give ID and NAME, or --remove NAME");
    program.action = [&program, options] {
      return options->removed.empty() ? tag(program, options->id, options->name)
                                      : untag(program, options->removed);
    };
  });
  verb->footer("Example: expctl tag run3 best; expctl runs show best");
}

}  // namespace expctl
