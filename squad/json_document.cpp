#include "squad/json_document.h"

#include <fmt/core.h>

#include "core/error.h"
#include "core/json.h"

namespace expctl {
namespace {

JsonElement member(JsonElement object, const char* key, const std::string& where) {
  const auto found = find_member(object, key);
  if (!found) throw_json_member(key, where, true);
  return *found;
}

bool is_there(const std::optional<JsonElement>& found) {
  return found && !found->is_null();
}

template <typename T>
T value_of(JsonElement element, const char* key, const std::string& where) {
  T value;
  if (element.get(value) != simdjson::SUCCESS) throw_json_member(key, where, false);
  return value;
}

std::string text_of(JsonElement element, const char* key, const std::string& where) {
  return std::string(value_of<std::string_view>(element, key, where));
}

}  // namespace

JsonDocument::JsonDocument(std::string_view text, const std::string& source) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const auto error = parser_.parse(text.data(), text.size()).get(root_);
  if (error == simdjson::SUCCESS) return;
  parse_json(text, source);  // says where and what
  throw Error(fmt::format("{}: cannot be read: {}", source, simdjson::error_message(error)),
              "are all its integers within 64 bits?");
}

std::optional<JsonElement> find_member(JsonElement object, std::string_view key) {
  std::optional<JsonElement> found;
  simdjson::dom::object members;
  if (object.get(members) != simdjson::SUCCESS) return found;
  for (const auto member : members) {
    if (member.key == key) found = member.value;
  }
  return found;
}

simdjson::dom::array array_member(JsonElement object, const char* key, const std::string& where) {
  return value_of<simdjson::dom::array>(member(object, key, where), key, where);
}

std::string text_member(JsonElement object, const char* key, const std::string& where) {
  return text_of(member(object, key, where), key, where);
}

std::string text_member(JsonElement object, const char* key, const std::string& where, const char* fallback) {
  const auto found = find_member(object, key);
  return is_there(found) ? text_of(*found, key, where) : fallback;
}

int64_t integer_member(JsonElement object, const char* key, const std::string& where, int64_t fallback) {
  const auto found = find_member(object, key);
  return is_there(found) ? value_of<int64_t>(*found, key, where) : fallback;
}

}  // namespace expctl
