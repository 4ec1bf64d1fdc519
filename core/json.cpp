#include "core/json.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

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

bool has_repeated(const Json::object_t& members) {
  if (members.size() > 8) {
    std::unordered_set<std::string_view> names;
    for (const auto& [name, value] : members) names.insert(name);
    return names.size() != members.size();
  }
  for (auto one = members.begin(); one != members.end(); ++one) {
    for (auto other = std::next(one); other != members.end(); ++other) {
      if (one->first == other->first) return true;
    }
  }
  return false;
}

/// Of members with one name the last one stays, in the first one's place, as in Python.
void remove_repeated(Json::object_t& members) {
  if (!has_repeated(members)) return;
  Json::object_t kept;
  std::unordered_map<std::string, size_t> places;
  for (auto& [name, value] : members) {
    const auto [place, is_new] = places.emplace(name, kept.size());
    if (is_new)
      kept.emplace_back(name, std::move(value));
    else
      kept.begin()[static_cast<std::ptrdiff_t>(place->second)].second = std::move(value);
  }
  members = std::move(kept);
}

/// As deep as values may be nested: copying and writing them takes a call a level.
constexpr size_t kDeepest = 256;

/// Builds the value that is parsed. nlohmann's own looks through all members of an object before it adds one,
/// and a file of predictions has tens of thousands.
class Builder {
 public:
  Json result;
  std::string failure;              ///< empty: none
  std::optional<size_t> failed_at;  ///< where it is not valid JSON
  bool is_number_too_large = false;

  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(Json::number_integer_t value) { return add(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return add(value); }
  bool number_float(Json::number_float_t value, const std::string&) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(Json::binary_t& value) { return add(std::move(value)); }
  bool start_object(size_t) { return open(Json::object()); }
  bool start_array(size_t) { return open(Json::array()); }
  bool key(std::string& name) {
    key_ = std::move(name);
    return true;
  }
  bool end_object() {
    remove_repeated(open_.back()->get_ref<Json::object_t&>());
    return end_array();
  }
  bool end_array() {
    open_.pop_back();
    return true;
  }
  bool parse_error(size_t byte, const std::string&, const nlohmann::json::exception& e) {
    failure = e.what();
    failed_at = byte;
    is_number_too_large = dynamic_cast<const nlohmann::json::out_of_range*>(&e) != nullptr;
    return false;
  }

 private:
  bool add(Json value) {
    place(std::move(value));
    return true;
  }
  bool open(Json value) {
    if (open_.size() >= kDeepest) {
      failure = fmt::format("nested more than {} deep", kDeepest);
      return false;
    }
    open_.push_back(&place(std::move(value)));
    return true;
  }
  Json& place(Json value) {
    if (open_.empty()) return result = std::move(value);
    if (!open_.back()->is_object()) return open_.back()->emplace_back(std::move(value));
    return open_.back()->get_ref<Json::object_t&>().emplace_back(std::move(key_), std::move(value)).second;
  }

  std::vector<Json*> open_;  ///< only the innermost one grows: the others stay where they are
  std::string key_;
};

}  // namespace

Json parse_json(std::string_view text, const std::string& source) {
  Builder builder;
  if (Json::sax_parse(text, &builder)) return std::move(builder.result);
  if (builder.is_number_too_large)
    throw Error(fmt::format("{}: it holds a number that is too large", source));
  if (!builder.failed_at) throw Error(fmt::format("{}: {}", source, builder.failure));
  // nlohmann repeats the token that it has read, however long.
  constexpr size_t kEnough = 300;
  const auto detail = builder.failure.find("syntax error");
  throw Error(
      fmt::format("{}:{}: not valid JSON: {}", source, position(text, *builder.failed_at),
                  builder.failure.substr(detail == std::string::npos ? 0 : detail).substr(0, kEnough)));
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
  return value.is_number_float() ? format_number(value.get<double>()) : json_line(value);
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
