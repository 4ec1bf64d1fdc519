// A run as TensorBoard reads it: one event file of its curves, parameters and scores.
#pragma once

#include <filesystem>
#include <string>

#include "reports/run_export.h"

namespace expctl {

/// The whole file: version, parameters (as text and as a row of the HParams table), the points of
/// metrics.jsonl, then the scores and how it ended. While a run goes on, the file of a moment is the
/// beginning of each later one.
std::string tensorboard_events(const RunExport& entry);

/// Writes it to folder/GROUP/ID. A file of an earlier export is added to where the new one only goes on,
/// which a TensorBoard at work sees, else replaced. Returns the folder of the run. Throws Error, and writes
/// nothing, where that folder has the run of another workspace or what expctl has not written.
std::filesystem::path write_tensorboard_run(const RunExport& entry, const std::filesystem::path& folder);

}  // namespace expctl
