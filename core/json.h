// JSON as expctl reads and writes it: members keep their order, and every complaint names the source.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace expctl {

using Json = nlohmann::ordered_json;

/// Parses a whole text. Throws Error "source:line:column: ..." on anything that is not one JSON value, and on
/// values nested more than 256 deep.
Json parse_json(std::string_view text, const std::string& source);

/// Reads and parses a file. Throws Error (kNotFound where there is no such file).
Json read_json(const std::filesystem::path& path);

/// The member `key` of an object as T. Throws Error "source: 'key' is missing" or "... has the wrong type";
/// an integer type takes integers that it can hold, and no real number.
template <typename T>
T json_get(const Json& object, const char* key, const std::string& source);

/// The same, with a value for where the member is absent or null.
template <typename T>
T json_get(const Json& object, const char* key, const std::string& source, T fallback);

/// Null for nothing.
template <typename T>
Json json_or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

/// The text of `value` for a file: indented by two, a line break at the end; invalid UTF-8 is replaced, never
/// thrown.
std::string json_text(const Json& value);

/// One line, without the line break.
std::string json_line(const Json& value);

/// A scalar as people write it: a text bare, a number as Python prints it.
std::string scalar_text(const Json& value);

[[noreturn]] void throw_json_member(const char* key, const std::string& source, bool missing);

/// nlohmann's own conversion to an integer wraps, and of a real number out of range it is undefined.
bool is_integer_between(const Json& value, int64_t min, uint64_t max);

template <typename T>
T json_get(const Json& object, const char* key, const std::string& source) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (found == object.end()) throw_json_member(key, source, true);
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    using Limits = std::numeric_limits<T>;
    if (!is_integer_between(*found, static_cast<int64_t>(Limits::min()),
                            static_cast<uint64_t>(Limits::max())))
      throw_json_member(key, source, false);
  }
  try {
    return found->template get<T>();
  } catch (const nlohmann::json::exception&) {
    throw_json_member(key, source, false);
  }
}

template <typename T>
T json_get(const Json& object, const char* key, const std::string& source, T fallback) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (found == object.end() || found->is_null()) return fallback;
  return json_get<T>(object, key, source);
}

}  // namespace expctl
