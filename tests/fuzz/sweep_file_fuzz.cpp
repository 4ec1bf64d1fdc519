// TOML: the sweep file, and what it expands to.
#include "experiments/sweep_file.h"
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET({
  const auto sweep = expctl::parse_sweep(text, "fuzz.toml", "/");
  size_t runs = sweep.seeds.size();
  for (const auto& axis : sweep.space) runs *= axis.values.size();
  if (runs < 1000) expctl::expand(sweep);
})
