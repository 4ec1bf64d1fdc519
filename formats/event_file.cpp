#include "formats/event_file.h"

#include <span>

#include "formats/crc32c.h"
#include "formats/wire_writer.h"

namespace expctl {
namespace {

constexpr uint64_t kFloat = 1, kString = 7;  // tensorflow.DataType

uint32_t checksum(std::string_view bytes) {
  return masked_crc32c(std::as_bytes(std::span(bytes)));
}

WireWriter event(EventPlace place) {
  WireWriter message;
  message.real(1, place.time);
  if (place.step != 0) message.number(2, static_cast<uint64_t>(place.step));
  return message;
}

/// An Event with a Summary of the one value.
std::string summary_record(EventPlace place, const WireWriter& value) {
  WireWriter summary;
  summary.message(1, value);
  return event_record(event(place).message(5, summary).written());
}

/// SummaryMetadata: which part of TensorBoard the value is for.
WireWriter metadata(std::string_view plugin, std::string_view content) {
  WireWriter plugin_data, message;
  plugin_data.bytes(1, plugin);
  if (!content.empty()) plugin_data.bytes(2, content);
  message.message(1, plugin_data);
  return message;
}

/// A TensorProto of one dimension.
WireWriter tensor(uint64_t type, uint64_t size) {
  WireWriter dimension, shape, message;
  if (size > 0) dimension.number(1, size);
  shape.message(2, dimension);
  message.number(1, type).message(2, shape);
  return message;
}

/// HParamsPluginData lies in the metadata; the value itself is an empty tensor.
std::string hparams_record(double time, std::string_view tag, const WireWriter& data) {
  WireWriter value;
  value.bytes(1, tag).message(8, tensor(kFloat, 0)).message(9, metadata("hparams", data.written()));
  return summary_record({time, 0}, value);
}

/// google.protobuf.Value
WireWriter parameter_value(const Json& value) {
  WireWriter message;
  if (value.is_boolean())
    message.number(4, value.get<bool>() ? 1 : 0);
  else if (value.is_number())
    message.real(2, value.get<double>());
  else
    message.bytes(3, scalar_text(value));
  return message;
}

}  // namespace

std::string event_record(std::string_view payload) {
  std::string record;
  append_fixed64(record, payload.size());
  append_fixed32(record, checksum(record));
  record += payload;
  append_fixed32(record, checksum(payload));
  return record;
}

std::string version_record(double time) {
  return event_record(event({time, 0}).bytes(3, "brain.Event:2").written());
}

std::string scalar_record(EventPlace place, std::string_view tag, double number) {
  WireWriter value;
  value.bytes(1, tag).real32(2, static_cast<float>(number));
  return summary_record(place, value);
}

std::string text_record(EventPlace place, std::string_view tag, std::string_view markdown) {
  WireWriter value, text = tensor(kString, 1);
  text.bytes(8, markdown);
  value.bytes(1, tag).message(8, text).message(9, metadata("text", ""));
  return summary_record(place, value);
}

std::string parameters_record(double time, const Json& parameters, std::string_view group) {
  WireWriter session, data;
  for (const auto& [key, value] : parameters.items()) {
    WireWriter entry;
    entry.bytes(1, key).message(2, parameter_value(value));
    session.message(1, entry);
  }
  session.bytes(4, group).real(5, time);
  data.message(3, session);
  return hparams_record(time, "_hparams_/session_start_info", data);
}

std::string session_end_record(double time, SessionEnd end) {
  WireWriter session, data;
  session.number(1, static_cast<uint64_t>(end)).real(2, time);
  data.message(4, session);
  return hparams_record(time, "_hparams_/session_end_info", data);
}

}  // namespace expctl
