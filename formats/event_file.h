// The records of an event file as TensorBoard reads it: a file is version_record() and then any others, one
// after the other.
//
// Sources: TensorFlow's record_writer.h (the frame: length, masked CRC-32C of the length, payload, masked
// CRC-32C of the payload), event.proto, summary.proto, tensor.proto; of the table of parameters TensorBoard's
// plugins/hparams/plugin_data.proto. A message is written field by field; no generated code is needed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/json.h"

namespace expctl {

/// When and at which step something was so; the time in Unix seconds.
struct EventPlace {
  double time = 0;
  int64_t step = 0;
};

/// The frame of one record.
std::string event_record(std::string_view payload);

/// What a file begins with.
std::string version_record(double time);

/// A point of a curve. TensorBoard's readers want single precision; NaN and infinity are values.
std::string scalar_record(EventPlace place, std::string_view tag, double value);

/// Markdown, which TensorBoard shows under "Text".
std::string text_record(EventPlace place, std::string_view tag, std::string_view markdown);

/// The parameters of a run (numbers, bools and texts), for the table under "HParams". Runs of one group are
/// shown together.
std::string parameters_record(double time, const Json& parameters, std::string_view group);

enum class SessionEnd { kSucceeded = 1, kFailed = 2 };
/// How the run ended, for the same table.
std::string session_end_record(double time, SessionEnd end);

}  // namespace expctl
