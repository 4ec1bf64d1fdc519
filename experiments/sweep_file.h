// The sweep file: TOML to typed specs (docs/sweep_file.md). The only reader of TOML.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/run_spec.h"
#include "experiments/search_space.h"

namespace expctl {

/// How a sweep's configs are found: all of a grid, at random, or by what those before have scored.
enum class SweepMethod { kGrid, kRandom, kTpe };

/// A sweep file, checked key by key; data and init are absolute paths, not yet opened or hashed.
struct SweepSpec {
  std::string source;                              ///< the file, for messages
  std::map<std::string, std::string> places = {};  ///< where its values stand (experiments/value_places.h)
  std::string name;
  RunSpec base;                ///< train not resolved; seed as in [train]
  std::vector<int64_t> seeds;  ///< replicates of every config; at least one
  SearchSpace space;           ///< in file order; of a grid lists only
  SweepMethod method = SweepMethod::kGrid;
  int64_t trials = 0;  ///< configs of random and tpe; 0 for a grid
  int64_t sampler_seed = 0;
  int64_t lag = 4;  ///< of tpe: trial t is proposed from the results of those up to t - lag
};

/// Reads a file. Relative paths in it are taken from `folder`. Throws Error "source:line:column: ..." for the
/// first thing wrong: not TOML, unknown key (with the nearest right one), wrong type, impossible value, an
/// empty list, a duplicate value, a range that a key cannot have.
SweepSpec parse_sweep(std::string_view toml, const std::string& source, const std::filesystem::path& folder);
SweepSpec read_sweep(const std::filesystem::path& path);

/// `what` is wrong, which names a key as "doc_stride = 600: ...": behind the place where its value stands in
/// the file, "lr.toml:12:14: "; behind the file's name where it stands nowhere (a default, --set).
std::string at_its_place(const SweepSpec& sweep, const std::string& what);

/// `key=value` of --set (core/train_spec.h): the key is one of the config's parameters, with this value
/// alone; where all are fixed so, the sweep is a grid of one config. Throws Error (kUsage).
void apply_setting(SweepSpec& sweep, const std::string& setting);

/// The runs that the file alone tells, in order, seeds innermost; of a grid all, the last axis varying
/// fastest; of random all; of tpe the first ones (experiments/trials.h has the others). A pure function of
/// the sweep. Every train spec is resolved; hashes of inputs are copied from `sweep.base` as they stand.
/// Combinations that come out as the same run are one. Throws Error "source: ..." where a combination of a
/// grid is impossible, or no combination of a space that is drawn from is possible.
std::vector<RunSpec> expand(const SweepSpec& sweep);

/// The runs of one config, a run for each seed, resolved; `params` are values of swept keys. Throws Error
/// "source: ..." where it is impossible.
std::vector<RunSpec> config_runs(const SweepSpec& sweep, const Json& params);

/// Of a space that is drawn from, configs that show what may come: each value of a list and both ends of a
/// range, the other keys at their first. Those that are impossible are left out. With the first seed.
std::vector<RunSpec> sample_configs(const SweepSpec& sweep);

}  // namespace expctl
