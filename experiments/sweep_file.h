// The sweep file: TOML to typed specs (docs/sweep_file.md). The only reader of TOML.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/run_spec.h"

namespace expctl {

/// One swept key: its values in file order.
struct SweepAxis {
  std::string key;
  std::vector<Json> values;
};

/// A sweep file, checked key by key; data and init are absolute paths, not yet opened or hashed.
struct SweepSpec {
  std::string source;  ///< the file, for messages
  std::string name;
  RunSpec base;                  ///< train not resolved; seed as in [train]
  std::vector<int64_t> seeds;    ///< replicates of every config; at least one
  std::vector<SweepAxis> space;  ///< in file order
};

/// Reads a file. Relative paths in it are taken from `folder`. Throws Error "source:line:column: ..." for the
/// first thing wrong: not TOML, unknown key (with the nearest right one), wrong type, impossible value, an
/// empty list, a duplicate value.
SweepSpec parse_sweep(std::string_view toml, const std::string& source, const std::filesystem::path& folder);
SweepSpec read_sweep(const std::filesystem::path& path);

/// `key=value` of --set (core/train_spec.h): fixes a key, which is swept no more. Throws Error (kUsage).
void apply_setting(SweepSpec& sweep, const std::string& setting);

/// The runs of a grid, in order: the last axis varies fastest, seeds innermost. A pure function of the sweep.
/// Every train spec is resolved; hashes of inputs are copied from `sweep.base` as they stand. Combinations
/// that come out as the same run are one. Throws Error "source: ..." where a combination is impossible.
std::vector<RunSpec> expand(const SweepSpec& sweep);

}  // namespace expctl
