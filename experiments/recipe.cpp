#include "experiments/recipe.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/text.h"
#include "experiments/recipe_flags.h"
#include "experiments/recipe_programs.h"
#include "experiments/shell_words.h"

namespace expctl {
namespace {

/// A command line parted at the program: what starts it, and what it is given.
struct ProgramCall {
  int line = 1;
  std::vector<std::string> launcher;
  std::string program;
  std::vector<std::string> arguments;
};

/// Programs that only name files.
bool is_no_launcher(const std::string& word) {
  static const std::vector<std::string> kOthers = {"echo", "printf", "cat",  "cp", "mv",  "ls",   "chmod",
                                                   "wget", "curl",   "test", "[",  "vim", "diff", "git"};
  return std::find(kOthers.begin(), kOthers.end(), word) != kOthers.end();
}

std::optional<ProgramCall> find_call(const ShellCommand& command) {
  const auto& words = command.words;
  const auto program = std::find_if(words.begin(), words.end(), is_recipe_program);
  if (program == words.end() || is_no_launcher(words.front())) return std::nullopt;
  return ProgramCall{command.line, {words.begin(), program}, *program, {program + 1, words.end()}};
}

ProgramCall find_one_call(const ShellScript& script, const std::string& source) {
  std::optional<ProgramCall> found;
  for (const auto& command : script.commands) {
    auto call = find_call(command);
    if (!call) continue;
    if (found) {
      throw Error(fmt::format("{}:{}: {} is called again here, after line {}", source, call->line,
                              base_name(call->program), found->line),
                  "leave one command line in the file");
    }
    found = std::move(call);
  }
  if (!found) {
    throw Error(
        fmt::format("{}: no command line of {} in it", source, recipe_program_names()),
        "give the text of the command as it is typed, e.g. bash scripts/run_squad.sh 10 5e-6 fp16 ...");
  }
  return *std::move(found);
}

/// What starts several processes, by its name or as Python's module.
bool is_launcher(const std::string& word) {
  static const std::vector<std::string> kLaunchers = {"mpirun",
                                                      "mpiexec",
                                                      "horovodrun",
                                                      "srun",
                                                      "torchrun",
                                                      "accelerate",
                                                      "torch.distributed.launch",
                                                      "torch.distributed.run",
                                                      "deepspeed"};
  return std::find(kLaunchers.begin(), kLaunchers.end(), base_name(word)) != kLaunchers.end();
}

bool is_interpreter(const std::string& word) {
  const std::string name = base_name(word);
  return name.starts_with("python") || name == "bash" || name == "sh" || name == "-u" || name == "-m" ||
         name == "launch";
}

bool is_count_flag(const std::string& name) {
  static const std::vector<std::string> kCounts = {
      "np", "n", "num_proc", "ntasks", "nproc_per_node", "num_processes", "num_gpus"};
  return std::find(kCounts.begin(), kCounts.end(), name) != kCounts.end();
}

/// The flags of the launcher with all words that follow each: "-mca pml ob1".
std::vector<std::vector<std::string>> launcher_flags(const ProgramCall& call) {
  std::vector<std::vector<std::string>> flags;
  const auto launcher = std::find_if(call.launcher.begin(), call.launcher.end(), is_launcher);
  if (launcher == call.launcher.end()) return flags;
  for (auto word = launcher + 1; word != call.launcher.end(); ++word) {
    if (word->empty() || is_interpreter(*word) || is_launcher(*word)) continue;
    if (word->starts_with('-') || flags.empty())
      flags.push_back({*word});
    else
      flags.back().push_back(*word);
  }
  return flags;
}

/// How many processes the launcher starts, one a GPU; 0 where there is none. Its other flags are not mapped.
int64_t read_launcher(const ProgramCall& call, std::vector<std::string>& unmapped) {
  const auto launcher = std::find_if(call.launcher.begin(), call.launcher.end(), is_launcher);
  if (launcher == call.launcher.end()) return 0;
  int64_t processes = 1, nodes = 1;
  for (const auto& words : launcher_flags(call)) {
    const RecipeFlag flag = split_flags(words).front();
    if (flag.value && words.size() <= 2 && is_count_flag(flag.name))
      processes = positive_count(flag.text, *flag.value);
    else if (flag.value && flag.name == "nnodes")
      nodes = positive_count(flag.text, *flag.value);
    else
      unmapped.push_back(fmt::format("{} {}", base_name(*launcher), join(words, " ")));
  }
  return processes * nodes;
}

/// Without a launcher Hugging Face's programs share each batch among the GPUs that they see.
int64_t visible_gpus(const ShellScript& script, const ProgramCall& call) {
  const auto visible = script.variables.find("CUDA_VISIBLE_DEVICES");
  if (visible == script.variables.end() || visible->second.empty()) return 0;
  const bool shares = base_name(call.program) == "run_qa.py" || base_name(call.program) == "run_squad.py";
  return shares ? static_cast<int64_t>(split(visible->second, ',').size()) : 0;
}

/// Paths with a variable in them that the text does not set.
void note_unknown_variables(Recipe& recipe) {
  for (const auto& [key, path] :
       {std::pair("train", recipe.train_file), {"dev", recipe.dev_file}, {"init", recipe.init}}) {
    if (path.find('$') == std::string::npos) continue;
    recipe.notes.push_back(fmt::format("{}: what the text does not set is left as it is, {}", key, path));
  }
}

}  // namespace

Recipe read_recipe(std::string_view text, const std::string& source) {
  const ShellScript script = read_shell(text, source);
  const ProgramCall call = find_one_call(script, source);
  const std::string place = fmt::format("{}:{}", source, call.line);
  try {
    std::vector<std::string> unmapped;
    int64_t processes = read_launcher(call, unmapped);
    if (processes == 0) processes = visible_gpus(script, call);
    Recipe recipe = program_recipe(call.program, call.arguments, processes);
    recipe.place = place;
    recipe.unmapped.insert(recipe.unmapped.end(), unmapped.begin(), unmapped.end());
    note_unknown_variables(recipe);
    resolve(recipe.train);  // throws where the values do not go together
    return recipe;
  } catch (const Error& e) {
    throw Error(fmt::format("{}: {}", place, e.what()), e.hint(), e.code());
  }
}

}  // namespace expctl
