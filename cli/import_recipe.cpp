// `expctl import-recipe FILE`: another program's training command line becomes a sweep file.
#include <fmt/core.h>

#include <iostream>
#include <iterator>

#include "cli/verbs.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "experiments/recipe_toml.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

struct RecipeOptions {
  std::string file;  ///< "-": stdin
  fs::path out;      ///< "": stdout
};

std::string read_text(const std::string& file) {
  if (file != "-") return read_file(file);
  return {std::istreambuf_iterator<char>(std::cin), {}};
}

void print_json(const Recipe& recipe, const std::string& toml, const fs::path& out) {
  Json train = Json::object();
  for (const auto& key : train_keys()) train[std::string(key.name)] = get_train_key(recipe.train, key);
  fmt::print("{}", json_text({{"schema_version", 1},
                              {"program", recipe.program},
                              {"train", train},
                              {"gpus", recipe.gpus},
                              {"notes", recipe.notes},
                              {"unmapped", recipe.unmapped},
                              {"implied", recipe.implied},
                              {"out", out.empty() ? Json() : Json(out.string())},
                              {"sweep_file", toml}}));
}

int import_recipe(const Program& program, const RecipeOptions& options) {
  const bool is_stdin = options.file == "-";
  const Recipe recipe = read_recipe(read_text(options.file), is_stdin ? "stdin" : options.file);
  const std::string name = !options.out.empty() ? options.out.stem().string()
                           : is_stdin           ? "recipe"
                                                : fs::path(options.file).stem().string();
  const std::string toml = recipe_toml(recipe, name);
  if (!options.out.empty()) {
    if (!create_file(options.out, toml))
      throw Error(fmt::format("{} is there already", options.out.string()), "--out names a new file");
  }
  if (program.json)
    print_json(recipe, toml, options.out);
  else if (options.out.empty())
    fmt::print("{}", toml);
  for (const auto& note : recipe.notes) say(program, note);
  for (const auto& words : recipe.unmapped) say(program, fmt::format("could not be mapped: {}", words));
  if (!options.out.empty())
    say(program, fmt::format("next: expctl sweep {} --dry-run", shell_quote(options.out.string())));
  return 0;
}

}  // namespace

void add_import_recipe(CLI::App& app, Program& program) {
  auto* verb =
      app.add_subcommand("import-recipe", "Make a sweep file of another program's training command line");
  auto options = std::make_shared<RecipeOptions>();
  verb->add_option("FILE", options->file,
                   "A text with the command line of Hugging Face's run_qa.py or run_squad.py, NVIDIA's "
                   "run_squad.sh or run_squad.py, or Lambda's run_squad_hvd.py; - for stdin")
      ->required();
  verb->add_option("--out", options->out, "The sweep file to make (default: stdout)");
  verb->footer(
      "Paths are kept as they are: put the sweep file where the command would have been run. Example:\n"
      "  echo 'bash scripts/run_squad.sh 10 5e-6 fp16 true 8' | expctl import-recipe - --out nvidia.toml\n"
      "  expctl sweep nvidia.toml --dry-run");
  on_call(verb, program, [&program, options] { return import_recipe(program, *options); });
}

}  // namespace expctl
