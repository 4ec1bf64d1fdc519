#include "core/json.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"

namespace expctl {
namespace {

std::string position(std::string_view text, size_t byte) {
  const auto before = text.substr(0, std::min(byte > 0 ? byte - 1 : 0, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto line_begin = before.rfind('\n');
  const auto column = line_begin == std::string_view::npos ? before.size() + 1 : before.size() - line_begin;
  return fmt::format("{}:{}", line, column);
}

}  // namespace

Json parse_json(std::string_view text, const std::string& source) {
  try {
    return Json::parse(text);
  } catch (const nlohmann::json::parse_error& e) {
    std::string what = e.what();
    const auto detail = what.find("syntax error");
    if (detail != std::string::npos) what = what.substr(detail);
    throw Error(fmt::format("{}:{}: not valid JSON: {}", source, position(text, e.byte), what));
  } catch (const nlohmann::json::out_of_range&) {
    throw Error(fmt::format("{}: it holds a number that is too large", source));
  }
}

Json read_json(const std::filesystem::path& path) {
  return parse_json(read_file(path), path.string());
}

std::string json_text(const Json& value) {
  return value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string json_line(const Json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string scalar_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_float() ? format_number(value.get<double>()) : value.dump();
}

void throw_json_member(const char* key, const std::string& source, bool missing) {
  throw Error(fmt::format("{}: '{}' {}", source, key, missing ? "is missing" : "has the wrong type"));
}

bool is_integer_between(const Json& value, int64_t min, uint64_t max) {
  if (value.is_number_unsigned()) return value.get<uint64_t>() <= max;
  if (!value.is_number_integer()) return false;
  const auto number = value.get<int64_t>();
  return number >= min && (number < 0 || static_cast<uint64_t>(number) <= max);
}

}  // namespace expctl
