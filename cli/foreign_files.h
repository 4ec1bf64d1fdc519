// What another program has left in a folder, brought into the run folder's own form (docs/importing.md).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/run_paths.h"

namespace expctl {

/// Where to look; paths are relative to `from`.
struct ForeignPlace {
  std::filesystem::path from;  ///< a folder, or a predictions file with nothing beside it
  std::string predictions;     ///< "": predictions.json
  std::string nbest;           ///< "": as the predictions with "nbest_" before that word, where it is there
  std::string checkpoint;  ///< a folder, "." for `from` itself; "": checkpoint/, else `from` where it holds a
                           ///< model
  std::string logs;        ///< a path or glob; "": *.log, logs/*.log and logs/*.txt
};

/// What was found; every path is of a file that is there.
struct ForeignFiles {
  std::filesystem::path predictions;
  std::optional<std::filesystem::path> nbest;
  std::optional<std::filesystem::path> logits;   ///< logits.safetensors as expctl writes it
  std::optional<std::filesystem::path> command;  ///< command.txt: how it was made
  std::vector<std::filesystem::path> logs;
  std::filesystem::path checkpoint;                     ///< the folder; "" for none
  std::vector<std::filesystem::path> checkpoint_files;  ///< relative to `checkpoint`
};

/// Reads nothing. Throws Error: kNotFound where `from`, the predictions or anything else that was named is
/// not there (for predictions with the names of those that are), kUsage where a file is given and anything is
/// named in it.
ForeignFiles find_foreign_files(const ForeignPlace& place);

/// Copies all but the predictions, whose text the caller has read, as files of their own into a run folder;
/// several logs become one train.log. Throws Error for n-best or logits that cannot be read.
void take_foreign_files(const ForeignFiles& files, const RunPaths& to);

}  // namespace expctl
