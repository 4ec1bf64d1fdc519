// The registry's file as a whole: copying it, and making it of rows that are known from elsewhere.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "registry/records.h"

namespace expctl {

/// Copies the registry as it is at one moment, whoever is writing meanwhile, to a file that must not exist;
/// the copy is one file, checked and synced. Throws Error and leaves no file.
void copy_registry(const std::filesystem::path& from, const std::filesystem::path& to);

/// Every row of a registry but the metrics. Ids and positions are given, what one row says of others is so:
/// sweeps, members and runs of sweeps are there, no two runs are of one config and seed, no two tags alike.
struct RegistryRows {
  struct Sweep {
    SweepRecord record;
    std::vector<std::string> runs;  ///< that it describes
  };
  std::map<IdKind, int64_t> highest_ids;
  std::vector<Sweep> sweeps;
  std::vector<EntryRecord> entries;
};

/// Makes a registry of these rows in a file that must not exist, synced. `metrics_of` is asked for each
/// entry, so that never all of them are in memory. Throws Error and leaves a file that is of no use.
void write_registry(const std::filesystem::path& path, const RegistryRows& rows,
                    const std::function<std::vector<MetricRecord>(const EntryRecord&)>& metrics_of);

/// Renames a registry that nobody else has open to `to`, which must not exist, as one file without a log; one
/// that is damaged, or none, with what SQLite has left beside it. Throws Error (kRegistry) where somebody has
/// it open.
void set_registry_aside(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace expctl
