// Shell: the training command lines of other programs. What is taken becomes a sweep file.
#include "experiments/recipe.h"
#include "experiments/recipe_toml.h"
#include "experiments/sweep_file.h"
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET({
  const auto recipe = expctl::read_recipe(text, "fuzz.sh");
  const std::string toml = expctl::recipe_toml(recipe, "fuzz");
  try {
    expctl::expand(expctl::parse_sweep(toml, "fuzz.toml", "/"));
  } catch (const expctl::Error&) {
    __builtin_trap();  // what import-recipe writes, sweep reads
  }
})
