// What an evaluation's answers depend on beside the model and the data: the names of its settings in files,
// and which of them make scores comparable.
#pragma once

#include <string>
#include <string_view>

#include "core/json.h"
#include "core/run_spec.h"

namespace expctl {

inline constexpr const char* kWindowKeys[] = {"max_seq_length", "doc_stride", "window"};
inline constexpr const char* kDecodingKeys[] = {"max_query_length", "n_best", "max_answer_length", "decode"};

/// The training key that has a setting's value in an evaluation: "eval_max_seq_length" of "max_seq_length",
/// "n_best" of "n_best".
std::string training_key(std::string_view setting);

/// One setting as --set takes it: "eval_max_seq_length=128".
std::string setting_text(const std::string& setting, const Json& value);

/// The settings of an evaluation by a resolved spec, by their names.
Json window_settings(const TrainSpec& train);
Json decoding_settings(const TrainSpec& train);

/// What a score is of: the dev data and the windows it is cut into. Entries are ranked only where it is
/// equal. An ensemble's is that of its members; of a command's windows nothing is known.
Json evaluation_settings(const RunSpec& spec);

/// The same of settings on record, which say more: how answers were decoded, in which precision.
Json evaluation_identity(const Json& settings);

}  // namespace expctl
