// JSON files of the size of a dataset, read by simdjson. What is wrong in one is said in the words of
// core/json.h.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace expctl {

using JsonElement = simdjson::dom::element;

/// A parsed text; its elements live as long as it does.
class JsonDocument {
 public:
  /// Throws Error "source:line:column: ..." on anything that is not one JSON value, perhaps after a byte
  /// order mark.
  JsonDocument(std::string_view text, const std::string& source);
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;
  JsonElement root() const { return root_; }

 private:
  simdjson::dom::parser parser_;
  JsonElement root_;
};

/// The member `key`, of several the last one as in Python; nothing where there is none, or no object.
std::optional<JsonElement> find_member(JsonElement object, std::string_view key);

/// Members of an object. Throw Error "where: 'key' is missing" or "... has the wrong type"; with a fallback
/// for where the member is absent or null.
simdjson::dom::array array_member(JsonElement object, const char* key, const std::string& where);
std::string text_member(JsonElement object, const char* key, const std::string& where);
std::string text_member(JsonElement object, const char* key, const std::string& where, const char* fallback);
int64_t integer_member(JsonElement object, const char* key, const std::string& where, int64_t fallback);

}  // namespace expctl
